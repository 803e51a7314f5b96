#include "learned.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/map.h"
#include "base/sip.h"
#include "base/write.h"

/* In the file: this, then n hashes, then n bytes of families, then a tail.
 * `sum` is over all of it with itself zero. */
struct head {
	uint32_t magic, n;
	uint64_t sum, group;
	int64_t given;
	unsigned char id[LEARNED_ID];
	uint32_t spam, families;
};

/* How long the record was: where the last one begins is known without all
 * others. */
struct tail {
	uint32_t size, magic;
};

enum { MAGIC = 0x326c4847 };	/* "GHl2" */

static size_t
record_size(uint32_t n)
{
	return sizeof(struct head) + (size_t)n * (sizeof(uint32_t) + 1) +
	    sizeof(struct tail);
}

static uint64_t
sum_of(struct slice record)
{
	static const uint64_t no_secret[2] = { 0, 0 };
	struct head head;
	uint64_t sum;

	memcpy(&head, record.ptr, sizeof head);
	head.sum = 0;
	sum = sip_hash(no_secret, slice_make(&head, sizeof head));
	return sum ^ sip_hash(no_secret, slice_after(record, sizeof head));
}

/* Takes the next whole record off *rest. False: no more, or the end is torn;
 * *good_r: its sum is right and it is of this version. */
static bool
next_record(struct slice *rest, struct head *head_r, struct slice *record_r,
    bool *good_r)
{
	if (rest->len < sizeof *head_r)
		return false;
	memcpy(head_r, rest->ptr, sizeof *head_r);
	if (head_r->magic != MAGIC || head_r->n > FEATURES_MAX ||
	    rest->len < record_size(head_r->n))
		return false;
	*record_r = slice_sub(*rest, 0, record_size(head_r->n));
	*rest = slice_after(*rest, record_r->len);
	*good_r = sum_of(*record_r) == head_r->sum &&
	    head_r->families == FAMILIES;
	return true;
}

static enum rc
trouble(struct arena *a, struct slice *why_r, const char *path)
{
	*why_r = arena_printf(a, "%s: %s", path, strerror(errno));
	return RC_RETRY;
}

void
learned_give(int fd, const char *path)
{
	size_t slash = slice_find_last(slice_of(path), '/');
	struct stat st;
	char folder[4096];

	if (geteuid() != 0 || slash >= sizeof folder || slash ==
	    strlen(path))
		return;
	memcpy(folder, path, slash);
	folder[slash] = '\0';
	if (stat(folder, &st) == 0 && st.st_uid != 0 &&
	    fchown(fd, st.st_uid, st.st_gid) != 0)
		return;			/* the timer will say so */
}

/* Opened and locked; -1 with errno. */
static int
open_locked(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	struct stat now, opened;

	if (fd < 0)
		return -1;
	learned_give(fd, path);
	if (flock(fd, LOCK_EX) != 0 || fstat(fd, &opened) != 0) {
		close(fd);
		return -1;
	}
	/* A trim may have put another file in its place meanwhile. */
	if (stat(path, &now) != 0 || now.st_ino != opened.st_ino) {
		close(fd);
		return open_locked(path);
	}
	return fd;
}

static bool
read_file(int fd, struct arena *a, struct slice *bytes_r)
{
	struct stat st;
	char *bytes;
	size_t have = 0;
	ssize_t n = 1;

	if (fstat(fd, &st) != 0)
		return false;
	bytes = arena_alloc(a, (size_t)st.st_size + 1);
	while (have < (size_t)st.st_size && n > 0) {
		n = pread(fd, bytes + have, (size_t)st.st_size - have,
		    (off_t)have);
		if (n > 0)
			have += (size_t)n;
	}
	*bytes_r = slice_make(bytes, have);
	return n >= 0;
}

static struct slice
make_record(struct arena *a, const struct learned_record *record,
    const struct features *f)
{
	struct head head = { .magic = MAGIC, .n = (uint32_t)f->n,
	    .group = record->group, .given = record->given,
	    .spam = record->spam, .families = FAMILIES };
	char *bytes = arena_alloc(a, record_size(head.n));
	struct slice all = slice_make(bytes, record_size(head.n));
	struct tail tail = { (uint32_t)all.len, MAGIC };

	memcpy(head.id, record->id, LEARNED_ID);
	memcpy(bytes, &head, sizeof head);
	memcpy(bytes + sizeof head, f->hash, f->n * sizeof f->hash[0]);
	memcpy(bytes + sizeof head + f->n * sizeof f->hash[0], f->family,
	    f->n);
	memcpy(bytes + all.len - sizeof tail, &tail, sizeof tail);
	head.sum = sum_of(all);
	memcpy(bytes, &head, sizeof head);
	return all;
}

/* Does a whole record end where the file does? A torn one has no tail. */
static bool
ends_whole(int fd, off_t size)
{
	struct tail tail;
	struct head head;

	if (size == 0)
		return true;
	return size >= (off_t)record_size(0) &&
	    pread(fd, &tail, sizeof tail, size - (off_t)sizeof tail) ==
	    (ssize_t)sizeof tail && tail.magic == MAGIC &&
	    (off_t)tail.size <= size &&
	    pread(fd, &head, sizeof head, size - (off_t)tail.size) ==
	    (ssize_t)sizeof head && head.magic == MAGIC &&
	    head.n <= FEATURES_MAX && record_size(head.n) == tail.size;
}

/* Where the last whole record ends; only of a torn file all are read. */
static bool
find_end(int fd, off_t *end_r, struct arena *a)
{
	struct slice rest, record, bytes;
	struct head head;
	struct stat st;
	bool good;

	if (fstat(fd, &st) != 0)
		return false;
	*end_r = st.st_size;
	if (ends_whole(fd, st.st_size))
		return true;
	if (!read_file(fd, a, &bytes))
		return false;
	rest = bytes;
	while (next_record(&rest, &head, &record, &good))
		;
	*end_r = (off_t)(bytes.len - rest.len);
	return true;
}

enum rc
learned_add(const char *path, const struct learned_record *record,
    const struct features *f, struct arena *a, struct slice *why_r)
{
	int fd = open_locked(path);
	off_t end;
	bool good;

	if (fd < 0)
		return trouble(a, why_r, path);
	good = find_end(fd, &end, a) && ftruncate(fd, end) == 0 &&
	    lseek(fd, end, SEEK_SET) == end &&
	    write_all(fd, make_record(a, record, f)) && fsync(fd) == 0;
	if (!good)
		trouble(a, why_r, path);
	close(fd);
	return good ? RC_OK : RC_RETRY;
}

/* The last good record of each message, by place in the file. */
static struct map *
last_of_each(struct slice bytes, size_t *n_r, size_t *damaged_r)
{
	struct map *last = map_new();
	struct slice rest = bytes, record;
	struct head head;
	bool good;

	*n_r = *damaged_r = 0;
	while (next_record(&rest, &head, &record, &good)) {
		*damaged_r += !good;
		if (!good)
			continue;
		map_put(last, slice_make(head.id, LEARNED_ID),
		    (void *)(uintptr_t)record.ptr);
		++*n_r;
	}
	*damaged_r += rest.len > 0;
	return last;
}

static void
add_example(struct learned *l, struct arena *a, const struct head *head,
    struct slice record)
{
	uint32_t *hash = arena_array(a, head->n + 1, sizeof *hash);
	struct slice hashes = slice_sub(slice_after(record, sizeof *head), 0,
	    head->n * sizeof *hash);
	struct slice family = slice_sub(record, sizeof *head + hashes.len,
	    head->n);
	struct learned_record *r = &l->records[l->n];

	memcpy(hash, hashes.ptr, hashes.len);
	for (size_t i = 0; i < family.len; i++)
		if ((unsigned char)family.ptr[i] >= FAMILIES) {
			l->damaged++;
			return;
		}
	l->examples[l->n] = (struct example){ .hash = hash,
	    .family = (const unsigned char *)family.ptr, .n = head->n,
	    .spam = head->spam != 0, .group = head->group };
	*r = (struct learned_record){ .given = head->given,
	    .group = head->group, .spam = head->spam != 0 };
	memcpy(r->id, head->id, LEARNED_ID);
	l->n++;
	l->spam += head->spam != 0;
}

static void
read_records(struct slice bytes, struct learned *l_r, struct arena *a)
{
	struct slice rest = bytes, record;
	struct map *last;
	struct head head;
	size_t n;
	bool good;

	last = last_of_each(bytes, &n, &l_r->damaged);
	l_r->examples = arena_array(a, n + 1, sizeof *l_r->examples);
	l_r->records = arena_array(a, n + 1, sizeof *l_r->records);
	while (next_record(&rest, &head, &record, &good))
		if (good && map_get(last, slice_make(head.id, LEARNED_ID)) ==
		    record.ptr)
			add_example(l_r, a, &head, record);
	map_free(last);
}

enum rc
learned_read(const char *path, struct learned *l_r, struct arena *a,
    struct slice *why_r)
{
	struct slice bytes;
	int fd = open_locked(path);

	*l_r = (struct learned){ .n = 0 };
	if (fd < 0 || !read_file(fd, a, &bytes)) {
		if (fd >= 0)
			close(fd);
		return trouble(a, why_r, path);
	}
	close(fd);
	read_records(bytes, l_r, a);
	return RC_OK;
}

/* Writes those records for which keep is set; beside the file, then over it. */
static enum rc
rewrite(const char *path, const struct learned *l, const bool *keep,
    struct arena *a, struct slice *why_r)
{
	const char *beside = arena_printf(a, "%s.new", path).ptr;
	int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC |
	    O_NOFOLLOW, 0600);
	bool good = fd >= 0;

	if (good)
		learned_give(fd, beside);
	for (size_t i = 0; i < l->n && good; i++) {
		const struct example *e = &l->examples[i];
		struct features f = { .n = e->n,
		    .hash = arena_array(a, e->n + 1, sizeof *f.hash),
		    .family = arena_alloc(a, e->n + 1) };

		if (!keep[i])
			continue;
		memcpy(f.hash, e->hash, e->n * sizeof *f.hash);
		memcpy(f.family, e->family, e->n);
		good = write_all(fd, make_record(a, &l->records[i], &f));
	}
	good = good && fsync(fd) == 0 && rename(beside, path) == 0;
	if (!good)
		trouble(a, why_r, path);
	if (fd >= 0)
		close(fd);
	return good ? RC_OK : RC_RETRY;
}

/* Reads under the lock, asks which to keep, and rewrites under it too. */
static enum rc
change(const char *path, void (*choose)(const struct learned *l, bool *keep,
    const void *arg), const void *arg, struct arena *a, struct slice *why_r)
{
	int fd = open_locked(path);
	struct learned l = { .n = 0 };
	struct slice bytes;
	enum rc rc;
	bool *keep;

	if (fd < 0 || !read_file(fd, a, &bytes)) {
		if (fd >= 0)
			close(fd);
		return trouble(a, why_r, path);
	}
	read_records(bytes, &l, a);
	keep = arena_alloc(a, l.n + 1);
	choose(&l, keep, arg);
	rc = rewrite(path, &l, keep, a, why_r);
	close(fd);
	return rc;
}

struct trim {
	int64_t oldest;
	size_t most;
};

static void
choose_newest(const struct learned *l, bool *keep, const void *arg)
{
	const struct trim *trim = arg;
	size_t left[2] = { trim->most, trim->most };

	for (size_t i = l->n; i > 0; i--) {
		bool spam = l->examples[i - 1].spam;

		keep[i - 1] = l->records[i - 1].given >= trim->oldest &&
		    left[spam] > 0;
		left[spam] -= keep[i - 1];
	}
}

enum rc
learned_trim(const char *path, int64_t now, int64_t max_age, size_t most,
    struct arena *a, struct slice *why_r)
{
	struct trim trim = { now - max_age, most };

	return change(path, choose_newest, &trim, a, why_r);
}

static void
choose_others(const struct learned *l, bool *keep, const void *arg)
{
	for (size_t i = 0; i < l->n; i++)
		keep[i] = memcmp(l->records[i].id, arg, LEARNED_ID) != 0;
}

enum rc
learned_forget(const char *path, const unsigned char id[LEARNED_ID],
    struct arena *a, struct slice *why_r)
{
	return change(path, choose_others, id, a, why_r);
}
