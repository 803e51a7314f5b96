#include "cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { WAYS = 8, LOCKS = 64, TEXT = 79 };

struct entry {
	struct cache_key key;
	uint64_t used;			/* 0: free */
	enum scan_end end;
	unsigned char len;
	char text[TEXT];
};

struct cache {
	pthread_mutex_t locks[LOCKS];	/* of set % LOCKS */
	_Atomic uint64_t clock;
	size_t sets;
	struct entry *entries;
};

struct cache *
cache_new(size_t entries)
{
	struct cache *c;

	if (entries == 0)
		return NULL;
	c = mem_alloc(sizeof *c);
	c->sets = (entries + WAYS - 1) / WAYS;
	c->entries = mem_alloc(c->sets * WAYS * sizeof *c->entries);
	for (int i = 0; i < LOCKS; i++)
		pthread_mutex_init(&c->locks[i], NULL);
	return c;
}

static bool
same(const struct cache_key *a, const struct cache_key *b)
{
	return memcmp(a->hash, b->hash, sizeof a->hash) == 0 &&
	    a->generation == b->generation && a->engine == b->engine &&
	    a->as == b->as;
}

/* The hash is a good one: nobody chooses its first bytes cheaply. */
static size_t
set_of(const struct cache *c, const struct cache_key *key)
{
	uint64_t n;

	memcpy(&n, key->hash, sizeof n);
	return (size_t)((n ^ key->engine) % c->sets);
}

static bool
lasting(enum scan_end end)
{
	return end == SCAN_CLEAN || end == SCAN_INFECTED || end == SCAN_CUT ||
	    end == SCAN_LOCKED || end == SCAN_REFUSED;
}

bool
cache_get(struct cache *c, const struct cache_key *key, struct arena *a,
    struct scan *scan_r)
{
	struct entry *set;
	bool found = false;
	size_t n;

	if (c == NULL)
		return false;
	n = set_of(c, key);
	set = c->entries + n * WAYS;
	pthread_mutex_lock(&c->locks[n % LOCKS]);
	for (int i = 0; i < WAYS && !found; i++) {
		struct entry *e = &set[i];

		if (e->used == 0 || !same(&e->key, key))
			continue;
		e->used = ++c->clock;
		*scan_r = (struct scan){ .end = e->end,
		    .text = arena_copy(a, slice_make(e->text, e->len)) };
		found = true;
	}
	pthread_mutex_unlock(&c->locks[n % LOCKS]);
	return found;
}

void
cache_put(struct cache *c, const struct cache_key *key,
    const struct scan *scan)
{
	struct slice text = slice_sub(scan->text, 0, TEXT);
	struct entry *set, *oldest;
	size_t n;

	if (c == NULL || !lasting(scan->end))
		return;
	n = set_of(c, key);
	set = oldest = c->entries + n * WAYS;
	pthread_mutex_lock(&c->locks[n % LOCKS]);
	for (int i = 0; i < WAYS; i++) {
		if (set[i].used > 0 && same(&set[i].key, key)) {
			oldest = &set[i];
			break;
		}
		if (set[i].used < oldest->used)
			oldest = &set[i];
	}
	oldest->key = *key;
	oldest->used = ++c->clock;
	oldest->end = scan->end;
	oldest->len = (unsigned char)text.len;
	if (text.len > 0)
		memcpy(oldest->text, text.ptr, text.len);
	pthread_mutex_unlock(&c->locks[n % LOCKS]);
}

void
cache_free(struct cache *c)
{
	if (c == NULL)
		return;
	for (int i = 0; i < LOCKS; i++)
		pthread_mutex_destroy(&c->locks[i]);
	free(c->entries);
	free(c);
}
