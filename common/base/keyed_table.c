#include "base/keyed_table.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/shared_file.h"
#include "base/sip.h"

/* What the file begins with; 64 bytes, as a line of the cache. */
struct head {
	char magic[8];
	uint32_t format, version, payload, entries;
	uint64_t secret[2];
	char rest[24];
};

enum { FORMAT = 1, DAY = 86400, MOST = 1 << 28 };

struct entry {
	_Atomic uint64_t key;		/* 0: none here; written last */
	_Atomic int64_t touched;
	/* The payload follows. */
};

struct keyed_table {
	struct shared_file shared;
	struct head *head;
	char *entries;
	size_t stride;			/* bytes from entry to entry */
	uint32_t buckets, wanted;
	_Atomic uint64_t used;
	bool beside;			/* by keyed_map: no lock of the file */
};

static uint32_t
buckets_of(const struct keyed_shape *shape)
{
	return (shape->entries + KEYED_WAYS - 1) / KEYED_WAYS;
}

static size_t
stride_of(const struct keyed_shape *shape)
{
	return sizeof (struct entry) + (((size_t)shape->payload + 7) &
	    ~(size_t)7);
}

static size_t
size_of(const struct keyed_shape *shape)
{
	return sizeof (struct head) + (size_t)buckets_of(shape) * KEYED_WAYS *
	    stride_of(shape);
}

static bool
whole(const void *memory, size_t size, const void *with)
{
	const struct head *h = memory;
	const struct keyed_shape *shape = with;

	return size == size_of(shape) &&
	    memcmp(h->magic, shape->magic, sizeof h->magic) == 0 &&
	    h->format == FORMAT && h->version == shape->version &&
	    h->payload == shape->payload && h->entries == shape->entries;
}

static void
begin(void *memory, size_t size, const void *with)
{
	const struct keyed_shape *shape = with;
	struct head *h = memory;

	(void)size;
	h->format = FORMAT;
	h->version = shape->version;
	h->payload = shape->payload;
	h->entries = shape->entries;
	sip_secret(h->secret);
	memcpy(h->magic, shape->magic, sizeof h->magic);
}

static struct entry *
entry_at(const struct keyed_table *t, size_t i)
{
	return (struct entry *)(void *)(t->entries + i * t->stride);
}

static size_t
room_of(const struct keyed_table *t)
{
	return (size_t)t->buckets * KEYED_WAYS;
}

static void
set_up(struct keyed_table *t, const struct keyed_shape *shape)
{
	t->head = t->shared.memory;
	t->entries = (char *)(t->head + 1);
	t->stride = stride_of(shape);
	t->buckets = buckets_of(shape);
	t->wanted = shape->entries;
	for (size_t i = 0; i < room_of(t); i++)
		if (entry_at(t, i)->key != 0)
			t->used++;
}

static struct keyed_table *
table_new(void)
{
	struct keyed_table *t = mem_alloc(sizeof *t);

	memset(t, 0, sizeof *t);
	return t;
}

enum rc
keyed_open(const char *path, const struct keyed_shape *shape,
    struct keyed_table **t_r, const char **anew_r, struct arena *a,
    struct slice *why_r)
{
	static const struct shared_kind kind = { "table", whole, begin };
	struct keyed_table *t = table_new();
	enum rc rc = shared_open(&t->shared, path, size_of(shape), &kind,
	    shape, anew_r, a, why_r);

	if (rc != RC_OK) {
		free(t);
		return rc;
	}
	set_up(t, shape);
	*t_r = t;
	return RC_OK;
}

struct keyed_table *
keyed_hold(struct keyed_table *t)
{
	if (t != NULL)
		shared_hold(&t->shared);
	return t;
}

void
keyed_drop(struct keyed_table *t)
{
	if (t != NULL && shared_drop(&t->shared))
		free(t);
}

struct keyed_table *
keyed_map(const char *path, const struct keyed_shape *shape, bool write,
    struct arena *a, struct slice *why_r)
{
	int fd = open(path, (write ? O_RDWR : O_RDONLY) | O_CLOEXEC |
	    O_NOFOLLOW);
	void *memory = MAP_FAILED;
	struct keyed_shape found = *shape;
	struct keyed_table *t;
	struct stat st;
	size_t size = 0;

	if (fd < 0) {
		*why_r = arena_printf(a, "%s: %s", path, strerror(errno));
		return NULL;
	}
	if (fstat(fd, &st) == 0 && st.st_size >= (off_t)sizeof (struct head)) {
		size = (size_t)st.st_size;
		memory = mmap(NULL, size, PROT_READ |
		    (write ? PROT_WRITE : 0), MAP_SHARED, fd, 0);
	}
	if (memory != MAP_FAILED && found.entries == 0)
		found.entries = ((struct head *)memory)->entries;
	if (memory == MAP_FAILED || found.entries == 0 ||
	    found.entries > MOST || !whole(memory, size, &found)) {
		*why_r = arena_printf(a, "%s: is no table of this version and "
		    "size", path);
		if (memory != MAP_FAILED)
			munmap(memory, size);
		close(fd);
		return NULL;
	}
	t = table_new();
	t->shared.references = 1;
	pthread_mutex_init(&t->shared.lock, NULL);
	t->shared.memory = memory;
	t->shared.map = (struct state_file){ memory, size, fd };
	t->beside = true;
	set_up(t, &found);
	return t;
}

uint32_t
keyed_entries(const struct keyed_table *t)
{
	return t->wanted;
}

uint64_t
keyed_used(struct keyed_table *t)
{
	return t->used;
}

/* Each part apart, so that where one ends counts. */
uint64_t
keyed_hash(const struct keyed_table *t, const struct slice *parts, size_t n)
{
	uint64_t each[KEYED_PARTS + 1] = { n };
	uint64_t key;

	for (size_t i = 0; i < n && i < KEYED_PARTS; i++)
		each[i + 1] = sip_hash(t->head->secret, parts[i]);
	key = sip_hash(t->head->secret, slice_make(each, sizeof each));
	return key != 0 ? key : 1;
}

void
keyed_lock(struct keyed_table *t)
{
	shared_lock(&t->shared);
}

void
keyed_unlock(struct keyed_table *t)
{
	shared_unlock(&t->shared);
}

static size_t
first_of(const struct keyed_table *t, uint64_t key)
{
	return (size_t)((key >> 32) * t->buckets >> 32) * KEYED_WAYS;
}

static struct entry *
find(const struct keyed_table *t, uint64_t key)
{
	size_t first = first_of(t, key);

	for (size_t i = first; i < first + KEYED_WAYS; i++)
		if (entry_at(t, i)->key == key)
			return entry_at(t, i);
	return NULL;
}

void *
keyed_find(struct keyed_table *t, uint64_t key)
{
	struct entry *e = key != 0 ? find(t, key) : NULL;

	return e != NULL ? e + 1 : NULL;
}

/* Where a new one goes: an empty place, else that of whom nobody touched
 * longest. A time far ahead is of a clock that was wrong: such a one goes
 * before all, or it would stand there for good. */
static struct entry *
place_for(const struct keyed_table *t, uint64_t key, int64_t now)
{
	size_t first = first_of(t, key);
	struct entry *oldest = NULL;
	int64_t when = INT64_MAX;

	for (size_t i = first; i < first + KEYED_WAYS; i++) {
		struct entry *e = entry_at(t, i);
		int64_t touched = e->touched;

		if (e->key == 0)
			return e;
		if (touched > now + DAY)
			touched = INT64_MIN;
		if (oldest == NULL || touched < when) {
			oldest = e;
			when = touched;
		}
	}
	return oldest;
}

void *
keyed_touch(struct keyed_table *t, uint64_t key, int64_t now, bool *new_r)
{
	struct entry *e = find(t, key);
	bool made = e == NULL;

	if (new_r != NULL)
		*new_r = made;
	if (made) {
		e = place_for(t, key, now);
		if (e->key == 0)
			t->used++;
		/* Nobody's while it is made: whoever ends us meanwhile leaves
		 * an empty place. */
		e->key = 0;
		atomic_thread_fence(memory_order_seq_cst);
		memset(e + 1, 0, t->stride - sizeof *e);
		e->touched = now;
		e->key = key;
	} else {
		e->touched = now;
	}
	return e + 1;
}

int64_t
keyed_touched(const void *payload)
{
	return ((const struct entry *)payload - 1)->touched;
}

/* A command beside the daemon may do this while the daemon gives the place to
 * somebody else: then the key is another, and stays. What is left without its
 * key is nobody's, and is cleared before it is used. */
bool
keyed_remove(struct keyed_table *t, uint64_t key)
{
	struct entry *e = key != 0 ? find(t, key) : NULL;

	if (e == NULL || !atomic_compare_exchange_strong(&e->key, &key, 0))
		return false;
	t->used--;
	if (!t->beside)
		memset(e + 1, 0, t->stride - sizeof *e);
	return true;
}

void
keyed_each(struct keyed_table *t,
    void (*visit)(uint64_t key, const void *payload, void *arg), void *arg)
{
	for (size_t i = 0; i < room_of(t); i++) {
		struct entry *e = entry_at(t, i);
		uint64_t key = e->key;

		if (key != 0)
			visit(key, e + 1, arg);
	}
}
