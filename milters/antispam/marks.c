#include "marks.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/sip.h"
#include "base/write.h"

static const char magic[4] = { 'G', 'H', 'm', '1' };

struct record {
	char magic[4];
	uint32_t label;
	int64_t given;
	uint64_t number;		/* the first one is 0 */
	struct sketch sketch;
	uint64_t sum;			/* of all before it */
};

/* What the file says, so far. A text has a place in `all`; `slots` leads there
 * from its bands: index + 1, 0 is free. */
struct known {
	struct record *all;
	uint32_t *slots;
	size_t n;
};

enum { SLOTS = 1 << 20 };		/* over twice what MARKS_MAX want */

_Static_assert((uint64_t)MARKS_MAX * SKETCH_BANDS * 2 < SLOTS, "slots");

struct marks {
	pthread_mutex_t lock;
	char *path;
	struct known known;
	struct stat as;			/* the file when it was read */
	bool there;
	deadline_t look;		/* when to look at it again */
};

static uint64_t
sum_of(const struct record *r)
{
	static const uint64_t key[2] = { 0x6d61726b, 1 };

	return sip_hash(key, slice_make(r, offsetof(struct record, sum)));
}

static bool
whole(const struct record *r)
{
	return memcmp(r->magic, magic, sizeof magic) == 0 &&
	    r->label < MARK_LABELS && r->sum == sum_of(r);
}

/* ---- writing ---- */

/* The number of the next record, of a file that is full. */
static bool
next_number(int fd, uint64_t *number_r)
{
	struct record r;
	uint64_t next = 0;

	for (size_t i = 0; i < MARKS_MAX; i++) {
		if (pread(fd, &r, sizeof r, (off_t)(i * sizeof r)) !=
		    (ssize_t)sizeof r)
			return false;
		if (whole(&r) && r.number >= next)
			next = r.number + 1;
	}
	*number_r = next;
	return true;
}

static bool
put(int fd, struct record *r)
{
	struct stat st;
	uint64_t place;

	if (flock(fd, LOCK_EX) != 0 || fstat(fd, &st) != 0)
		return false;
	/* A torn end is written over. */
	place = (uint64_t)st.st_size / sizeof *r;
	r->number = place;
	if (place >= MARKS_MAX) {
		if (!next_number(fd, &r->number))
			return false;
		place = r->number % MARKS_MAX;
	}
	r->sum = sum_of(r);
	return lseek(fd, (off_t)(place * sizeof *r), SEEK_SET) >= 0 &&
	    write_all(fd, slice_make(r, sizeof *r)) && fdatasync(fd) == 0;
}

enum rc
marks_add(const char *path, const struct sketch *s, enum mark_label label,
    int64_t now, struct arena *a, struct slice *why_r)
{
	struct record r = { .label = (uint32_t)label, .given = now,
	    .sketch = *s };
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	bool good;

	memcpy(r.magic, magic, sizeof magic);
	good = fd >= 0 && put(fd, &r);
	if (!good)
		*why_r = arena_printf(a, "%s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return good ? RC_OK : RC_RETRY;
}

/* ---- reading ---- */

static size_t
slot_of(const struct sketch *s, unsigned band)
{
	return (size_t)(sketch_band(s, band) % SLOTS);
}

/* The text that is most like it; NULL: none is. Many texts may have a band in
 * common, so no more than so many are looked at for one. */
static struct record *
find(const struct known *k, const struct sketch *s)
{
	enum { STEPS = 64 };
	unsigned best = SKETCH_SURE - 1;
	struct record *found = NULL;

	for (unsigned i = 0; i < SKETCH_BANDS && k->slots != NULL; i++) {
		size_t at = slot_of(s, i);

		for (int n = 0; n < STEPS && k->slots[at] != 0; n++) {
			struct record *r = &k->all[k->slots[at] - 1];
			unsigned alike = sketch_alike(&r->sketch, s);

			if (alike > best) {
				best = alike;
				found = r;
			}
			at = (at + 1) % SLOTS;
		}
	}
	return found;
}

static void
add(struct known *k, const struct record *r)
{
	struct record *same = find(k, &r->sketch);

	if (same != NULL) {
		same->label = r->label;
		same->given = r->given;
		return;
	}
	k->all[k->n++] = *r;
	for (unsigned i = 0; i < SKETCH_BANDS; i++) {
		size_t at = slot_of(&r->sketch, i);

		while (k->slots[at] != 0)
			at = (at + 1) % SLOTS;
		k->slots[at] = (uint32_t)k->n;
	}
}

static int
by_number(const void *a, const void *b)
{
	const struct record *x = a, *y = b;

	return x->number < y->number ? -1 : x->number > y->number;
}

static size_t
read_records(int fd, struct record *all)
{
	size_t n = 0;

	for (size_t i = 0; i < MARKS_MAX; i++) {
		if (pread(fd, &all[n], sizeof *all, (off_t)(i *
		    sizeof *all)) != (ssize_t)sizeof *all)
			break;
		n += whole(&all[n]);
	}
	qsort(all, n, sizeof *all, by_number);
	return n;
}

static void
forget(struct known *k)
{
	free(k->all);
	free(k->slots);
	*k = (struct known){ .n = 0 };
}

static void
load(struct marks *m, int fd)
{
	struct record *all = mem_alloc(MARKS_MAX * sizeof *all);
	size_t n = read_records(fd, all);

	forget(&m->known);
	if (n > 0) {
		m->known.all = mem_alloc(n * sizeof *all);
		m->known.slots = mem_alloc(SLOTS * sizeof *m->known.slots);
		memset(m->known.slots, 0, SLOTS * sizeof *m->known.slots);
	}
	for (size_t i = 0; i < n; i++)
		add(&m->known, &all[i]);
	free(all);
}

static bool
same_file(const struct stat *x, const struct stat *y)
{
	return x->st_ino == y->st_ino && x->st_size == y->st_size &&
	    x->st_mtim.tv_sec == y->st_mtim.tv_sec &&
	    x->st_mtim.tv_nsec == y->st_mtim.tv_nsec;
}

static void
look(struct marks *m)
{
	struct stat st;
	int fd;

	if (deadline_left(m->look) > 0)
		return;
	m->look = deadline_in(MARKS_LOOK);
	if (stat(m->path, &st) != 0 || (m->there && same_file(&st, &m->as)))
		return;
	fd = open(m->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return;
	load(m, fd);
	close(fd);
	m->as = st;
	m->there = true;
}

struct marks *
marks_watch(const char *path)
{
	struct marks *m = mem_alloc(sizeof *m);
	struct slice name = slice_of(path);

	memset(m, 0, sizeof *m);
	pthread_mutex_init(&m->lock, NULL);
	m->path = mem_alloc(name.len + 1);
	memcpy(m->path, path, name.len + 1);
	m->look = deadline_in(0);
	look(m);
	return m;
}

void
marks_drop(struct marks *m)
{
	if (m == NULL)
		return;
	forget(&m->known);
	pthread_mutex_destroy(&m->lock);
	free(m->path);
	free(m);
}

enum mark_label
marks_find(struct marks *m, const struct sketch *s, int64_t now,
    int64_t *given_r)
{
	enum mark_label label = MARK_NONE;
	const struct record *r;

	pthread_mutex_lock(&m->lock);
	look(m);
	r = find(&m->known, s);
	if (r != NULL && r->given + MARKS_AGE > now) {
		label = (enum mark_label)r->label;
		if (given_r != NULL)
			*given_r = r->given;
	}
	pthread_mutex_unlock(&m->lock);
	return label;
}
