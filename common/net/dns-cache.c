#include "net/dns-cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/map.h"

enum { BYTES_AN_ENTRY = 1024 };

struct entry {
	TAILQ_ENTRY(entry) link;
	struct answer *answer;
	deadline_t until;
	size_t key_len;
	char key[];
};

TAILQ_HEAD(entries, entry);

struct dns_cache {
	pthread_mutex_t lock;
	struct map *map;
	struct entries recent;		/* the one used last stands first */
	size_t bytes, entries_max;
};

struct dns_cache *
dns_cache_new(unsigned entries)
{
	struct dns_cache *cache = mem_alloc(sizeof *cache);

	pthread_mutex_init(&cache->lock, NULL);
	cache->map = map_new();
	TAILQ_INIT(&cache->recent);
	cache->entries_max = entries;
	return cache;
}

static size_t
size_of(const struct entry *e)
{
	return sizeof *e + e->key_len + answer_size(e->answer);
}

static void
forget(struct dns_cache *cache, struct entry *e)
{
	map_remove(cache->map, slice_make(e->key, e->key_len));
	TAILQ_REMOVE(&cache->recent, e, link);
	cache->bytes -= size_of(e);
	answer_drop(e->answer);
	free(e);
}

struct answer *
dns_cache_get(struct dns_cache *cache, struct slice key, unsigned *ttl_r)
{
	struct answer *answer = NULL;
	struct entry *e;

	pthread_mutex_lock(&cache->lock);
	e = map_get(cache->map, key);
	if (e != NULL) {
		int64_t left = deadline_left(e->until);

		if (left > 0) {
			TAILQ_REMOVE(&cache->recent, e, link);
			TAILQ_INSERT_HEAD(&cache->recent, e, link);
			*ttl_r = (unsigned)(left / 1000);
			answer = answer_hold(e->answer);
		} else {
			forget(cache, e);
		}
	}
	pthread_mutex_unlock(&cache->lock);
	return answer;
}

static struct entry *
entry_new(struct slice key, struct answer *answer, int64_t ms)
{
	struct entry *e = mem_alloc(sizeof *e + key.len);

	e->answer = answer_hold(answer);
	e->until = deadline_in(ms);
	e->key_len = key.len;
	memcpy(e->key, key.ptr, key.len);
	return e;
}

void
dns_cache_put(struct dns_cache *cache, struct slice key,
    struct answer *answer, int64_t ms)
{
	struct entry *e, *was;

	if (cache->entries_max == 0 || ms <= 0)
		return;
	e = entry_new(key, answer, ms);
	pthread_mutex_lock(&cache->lock);
	was = map_get(cache->map, key);
	if (was != NULL)
		forget(cache, was);
	map_put(cache->map, key, e);
	TAILQ_INSERT_HEAD(&cache->recent, e, link);
	cache->bytes += size_of(e);
	while (map_count(cache->map) > cache->entries_max ||
	    cache->bytes > cache->entries_max * BYTES_AN_ENTRY)
		forget(cache, TAILQ_LAST(&cache->recent, entries));
	pthread_mutex_unlock(&cache->lock);
}

void
dns_cache_free(struct dns_cache *cache)
{
	while (!TAILQ_EMPTY(&cache->recent))
		forget(cache, TAILQ_FIRST(&cache->recent));
	map_free(cache->map);
	pthread_mutex_destroy(&cache->lock);
	free(cache);
}
