#include "model.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sip.h"
#include "base/write.h"

uint64_t
model_sum(const struct model_head *head, const int8_t *weights)
{
	static const uint64_t no_secret[2] = { 0, 0 };
	struct model_head plain = *head;
	uint64_t sum;

	plain.sum = 0;
	sum = sip_hash(no_secret, slice_make(&plain, sizeof plain));
	return sum ^ sip_hash(no_secret, slice_make(weights,
	    (size_t)1 << head->bits));
}

static enum rc
bad(struct arena *a, struct slice *why_r, const char *path, const char *what)
{
	*why_r = arena_printf(a, "%s: %s; make it anew with \"gatehouse spam "
	    "train\"", path, what);
	return RC_BAD;
}

/* What the head says must hold of the file before a weight is read. */
static const char *
wrong(const struct model_head *head, size_t size)
{
	if (size < sizeof *head || memcmp(head->magic, MODEL_MAGIC, 8) != 0)
		return "is no model of this version";
	if (head->bits < MODEL_BITS_MIN || head->bits > MODEL_BITS_MAX ||
	    head->families != FAMILIES ||
	    size != sizeof *head + ((size_t)1 << head->bits))
		return "is cut, or of another version";
	if (!isfinite(head->step) || !isfinite(head->bias) ||
	    !isfinite(head->slope) || !isfinite(head->offset))
		return "has numbers that are none";
	for (int i = 0; i < FAMILIES; i++)
		if (!isfinite(head->share[i]))
			return "has numbers that are none";
	return NULL;
}

static enum rc
map_model(int fd, const char *path, struct model **model_r, struct arena *a,
    struct slice *why_r)
{
	struct model_head head = { .bits = 0 };
	const char *what;
	struct stat st;
	struct model *m;
	void *map;

	if (fstat(fd, &st) != 0 || pread(fd, &head, sizeof head, 0) < 0) {
		*why_r = arena_printf(a, "%s: %s", path, strerror(errno));
		return RC_RETRY;
	}
	what = wrong(&head, st.st_size > 0 ? (size_t)st.st_size : 0);
	if (what != NULL)
		return bad(a, why_r, path, what);
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED) {
		*why_r = arena_printf(a, "%s: %s", path, strerror(errno));
		return RC_RETRY;
	}
	m = mem_alloc(sizeof *m);
	*m = (struct model){ .head = head, .map = map,
	    .size = (size_t)st.st_size,
	    .weights = (const int8_t *)map + sizeof head };
	if (model_sum(&m->head, m->weights) != m->head.sum) {
		model_close(m);
		return bad(a, why_r, path, "was changed, or is damaged");
	}
	*model_r = m;
	return RC_OK;
}

enum rc
model_open(const char *path, struct model **model_r, struct arena *a,
    struct slice *why_r)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	enum rc rc;

	*model_r = NULL;
	if (fd < 0) {
		*why_r = arena_printf(a, "%s: %s", path, strerror(errno));
		return errno == ENOENT ? RC_BAD : RC_RETRY;
	}
	rc = map_model(fd, path, model_r, a, why_r);
	close(fd);
	return rc;
}

void
model_close(struct model *m)
{
	if (m == NULL)
		return;
	munmap(m->map, m->size);
	free(m);
}

static size_t
place(const struct model *m, uint32_t hash)
{
	return hash >> (32 - m->head.bits);
}

double
model_score(const struct model *m, const struct features *f)
{
	int64_t sums[FAMILIES] = { 0 };
	double score = m->head.bias;

	for (size_t i = 0; i < f->n; i++)
		sums[f->family[i]] += m->weights[place(m, f->hash[i])];
	for (int i = 0; i < FAMILIES; i++)
		if (f->count[i] > 0)
			score += (double)sums[i] * m->head.step *
			    m->head.share[i] / sqrt((double)f->count[i]);
	return score;
}

/* Mail in the wild has 500 features and more, and hardly ever under 300;
 * a letter of one line has 200. */
static const double little = 200, prior = 0.2;

double
model_chance(const struct model *m, double score, size_t n)
{
	double chance = 1 / (1 + exp(-(score * m->head.slope +
	    m->head.offset)));
	double shown = pow((double)n / little, 6);

	return prior + (chance - prior) * shown / (shown + 1);
}

double
model_reason(const struct model *m, const struct features *f, size_t i)
{
	return m->weights[place(m, f->hash[i])] * (double)m->head.step *
	    m->head.share[f->family[i]] /
	    sqrt((double)f->count[f->family[i]]);
}

static bool
write_model(int fd, const struct model_head *head, const int8_t *weights)
{
	return write_all(fd, slice_make(head, sizeof *head)) &&
	    write_all(fd, slice_make(weights, (size_t)1 << head->bits)) &&
	    fsync(fd) == 0;
}

enum rc
model_write(const char *path, struct model_head *head, const int8_t *weights,
    struct arena *a, struct slice *why_r)
{
	const char *beside = arena_printf(a, "%s.new", path).ptr;
	int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC |
	    O_NOFOLLOW, 0644);
	bool good;

	memcpy(head->magic, MODEL_MAGIC, 8);
	head->families = FAMILIES;
	head->sum = model_sum(head, weights);
	good = fd >= 0 && write_model(fd, head, weights);
	if (fd >= 0)
		good = close(fd) == 0 && good;
	if (good && rename(beside, path) == 0)
		return RC_OK;
	*why_r = arena_printf(a, "%s: %s", path, strerror(errno));
	if (fd >= 0)
		unlink(beside);
	return RC_RETRY;
}
