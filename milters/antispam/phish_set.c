#include "phish_set.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sip.h"
#include "base/write.h"

/* ---- asking ---- */

static size_t
index_size(uint32_t bits)
{
	return (((size_t)1 << bits) + 1) * sizeof (uint32_t);
}

/* So that hashes are aligned. */
static size_t
hashes_at(uint32_t bits)
{
	return sizeof (struct phish_set_head) +
	    (index_size(bits) + 7) / 8 * 8;
}

static size_t
size_of(const struct phish_set_head *head)
{
	return hashes_at(head->bits) + head->count * sizeof (uint64_t);
}

static uint64_t
sum_of(struct slice file)
{
	static const uint64_t no_secret[2] = { 0, 0 };

	return sip_hash(no_secret, slice_after(file,
	    offsetof(struct phish_set_head, secret)));
}

/* Each place in the index is one of the hashes, and none goes back. */
static bool
index_holds(const struct phish_set *set)
{
	size_t n = (size_t)1 << set->head.bits;

	for (size_t i = 0; i < n; i++)
		if (set->index[i] > set->index[i + 1])
			return false;
	return set->index[0] == 0 && set->index[n] == set->head.count;
}

static const char *
wrong(const struct phish_set *set)
{
	const struct phish_set_head *head = &set->head;

	if (set->size < sizeof *head ||
	    memcmp(head->magic, PHISH_SET_MAGIC, 8) != 0)
		return "is no feed of this version";
	if (head->bits > PHISH_SET_BITS || head->count > PHISH_SET_MOST ||
	    memchr(head->source, '\0', sizeof head->source) == NULL ||
	    set->size != size_of(head))
		return "is cut, or of another version";
	return NULL;
}

/* The bytes are all there, and are what was written. */
static enum rc
map_set(int fd, struct phish_set *set, const char **what_r)
{
	set->map = mmap(NULL, set->size, PROT_READ, MAP_SHARED, fd, 0);
	if (set->map == MAP_FAILED) {
		set->map = NULL;
		return RC_RETRY;
	}
	set->index = (const uint32_t *)(const void *)((const char *)set->map +
	    sizeof set->head);
	set->hashes = (const uint64_t *)(const void *)((const char *)set->map +
	    hashes_at(set->head.bits));
	*what_r = sum_of(slice_make(set->map, set->size)) != set->head.sum ||
	    !index_holds(set) ? "is damaged" : NULL;
	return RC_OK;
}

enum rc
phish_set_open(const char *path, struct phish_set **set_r, struct arena *a,
    struct slice *why_r)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct phish_set *set = mem_alloc(sizeof *set);
	const char *what = NULL;
	enum rc rc = RC_RETRY;
	struct stat st;

	memset(set, 0, sizeof *set);
	*set_r = set;
	if (fd >= 0 && fstat(fd, &st) == 0 &&
	    pread(fd, &set->head, sizeof set->head, 0) >= 0) {
		set->size = st.st_size > 0 ? (size_t)st.st_size : 0;
		what = wrong(set);
		rc = what != NULL ? RC_OK : map_set(fd, set, &what);
	}
	*why_r = arena_printf(a, "%s: %s", path, what != NULL ?
	    what : strerror(errno));
	if (fd >= 0)
		close(fd);
	if (rc == RC_OK && what == NULL)
		return RC_OK;
	phish_set_close(set);
	*set_r = NULL;
	return what != NULL ? RC_BAD : rc;
}

bool
phish_set_has(const struct phish_set *set, struct slice key)
{
	uint64_t hash = sip_hash(set->head.secret, key);
	uint32_t bits = set->head.bits;
	uint64_t slot = bits == 0 ? 0 : hash >> (64 - bits);
	uint32_t low = set->index[slot], high = set->index[slot + 1];

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (set->hashes[mid] == hash)
			return true;
		if (set->hashes[mid] < hash)
			low = mid + 1;
		else
			high = mid;
	}
	return false;
}

void
phish_set_close(struct phish_set *set)
{
	if (set == NULL)
		return;
	if (set->map != NULL)
		munmap(set->map, set->size);
	free(set);
}

/* ---- making ---- */

struct phish_set_new {
	uint64_t secret[2];
	uint64_t *hashes;
	size_t count, room;
	bool sorted;
};

struct phish_set_new *
phish_set_begin(void)
{
	struct phish_set_new *n = mem_alloc(sizeof *n);

	*n = (struct phish_set_new){ .count = 0 };
	sip_secret(n->secret);
	return n;
}

bool
phish_set_add(struct phish_set_new *n, struct slice key)
{
	if (n->count >= PHISH_SET_MOST)
		return false;
	if (n->count == n->room) {
		n->room = n->room == 0 ? 1024 : n->room * 2;
		n->hashes = mem_grow(n->hashes, n->room *
		    sizeof *n->hashes);
	}
	n->hashes[n->count++] = sip_hash(n->secret, key);
	n->sorted = false;
	return true;
}

static int
compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

uint32_t
phish_set_count(struct phish_set_new *n)
{
	size_t to = 0;

	if (n->sorted)
		return (uint32_t)n->count;
	if (n->count > 0)
		qsort(n->hashes, n->count, sizeof *n->hashes, compare);
	for (size_t i = 0; i < n->count; i++)
		if (to == 0 || n->hashes[i] != n->hashes[to - 1])
			n->hashes[to++] = n->hashes[i];
	n->count = to;
	n->sorted = true;
	return (uint32_t)to;
}

static void
fill(const struct phish_set_new *n, uint32_t bits, char *file)
{
	uint32_t *index = (uint32_t *)(void *)(file +
	    sizeof (struct phish_set_head));
	size_t at = 0;

	for (size_t i = 0; i < (size_t)1 << bits; i++) {
		index[i] = (uint32_t)at;
		while (at < n->count && (bits == 0 ? 0 :
		    n->hashes[at] >> (64 - bits)) == i)
			at++;
	}
	index[(size_t)1 << bits] = (uint32_t)n->count;
	if (n->count > 0)
		memcpy(file + hashes_at(bits), n->hashes,
		    n->count * sizeof *n->hashes);
}

static bool
put_file(const char *path, const char *beside, struct slice bytes)
{
	int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC |
	    O_NOFOLLOW, 0644);
	bool good = fd >= 0 && write_all(fd, bytes) && fsync(fd) == 0;

	if (fd >= 0)
		good = close(fd) == 0 && good;
	if (good && rename(beside, path) == 0)
		return true;
	if (fd >= 0)
		unlink(beside);
	return false;
}

enum rc
phish_set_write(struct phish_set_new *n, const char *path, struct slice source,
    int64_t now, struct arena *a, struct slice *why_r)
{
	struct phish_set_head head = { .count = phish_set_count(n),
	    .secret = { n->secret[0], n->secret[1] }, .made = now };
	char *file;
	bool good;

	memcpy(head.magic, PHISH_SET_MAGIC, sizeof head.magic);
	snprintf(head.source, sizeof head.source, "%.*s", SLICE_ARG(source));
	while (head.bits < PHISH_SET_BITS && head.count >> head.bits > 8)
		head.bits++;
	file = mem_alloc(size_of(&head));
	memset(file, 0, hashes_at(head.bits));
	fill(n, head.bits, file);
	memcpy(file, &head, sizeof head);
	head.sum = sum_of(slice_make(file, size_of(&head)));
	memcpy(file, &head, sizeof head);
	good = put_file(path, arena_printf(a, "%s.new", path).ptr,
	    slice_make(file, size_of(&head)));
	if (!good)
		*why_r = arena_printf(a, "%s: %s", path, strerror(errno));
	free(file);
	return good ? RC_OK : RC_RETRY;
}

void
phish_set_free(struct phish_set_new *n)
{
	if (n == NULL)
		return;
	free(n->hashes);
	free(n);
}
