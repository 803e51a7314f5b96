#include "scan.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/thread.h"
#include "cache.h"

enum { GROUP = 64 };			/* items whose files are open at once */

struct task {
	struct ledger_row *row;
	struct engine *engine;
	struct scan *scan_r;
	struct cache_key key;
	struct arena *arena;		/* its own: threads share none */
	int fd;
};

/* The tasks of one group; in the pool's list while some are not taken. */
struct batch {
	struct batch *next;
	struct task *tasks;
	size_t count, taken, done;
	deadline_t until;
};

struct scan_pool {
	pthread_mutex_t lock;
	pthread_cond_t work, finished;
	struct batch *first, **last;
	struct cache *cache;
	pthread_t *threads;
	unsigned nthreads;
	bool ending;
	_Atomic uint64_t messages, scans, hits;
	atomic_uint under_way;
};

static void
run(struct scan_pool *pool, const struct task *t, deadline_t until)
{
	const struct scan_item item = { .bytes = t->row->bytes, .fd = t->fd,
	    .mail = t->row->mail };

	engine_scan(t->engine, &item, until, t->arena, t->scan_r);
	pool->scans++;
	if (t->key.generation != ENGINE_NO_CACHE)
		cache_put(pool->cache, &t->key, t->scan_r);
}

/* The lock is held. The next task of this batch, which leaves the list with
 * its last one. */
static struct task *
take(struct scan_pool *pool, struct batch *b)
{
	struct task *t = &b->tasks[b->taken++];

	if (b->taken < b->count)
		return t;
	for (struct batch **at = &pool->first; *at != NULL;
	    at = &(*at)->next) {
		if (*at != b)
			continue;
		*at = b->next;
		if (pool->last == &b->next)
			pool->last = at;
		break;
	}
	return t;
}

static void
done(struct scan_pool *pool, struct batch *b)
{
	if (++b->done == b->count)
		pthread_cond_broadcast(&pool->finished);
}

static void *
work(void *arg)
{
	struct scan_pool *pool = arg;

	pthread_mutex_lock(&pool->lock);
	for (;;) {
		struct batch *b = pool->first;
		struct task *t;

		if (b == NULL && pool->ending)
			break;
		if (b == NULL) {
			pthread_cond_wait(&pool->work, &pool->lock);
			continue;
		}
		t = take(pool, b);
		pthread_mutex_unlock(&pool->lock);
		run(pool, t, b->until);
		pthread_mutex_lock(&pool->lock);
		done(pool, b);
	}
	pthread_mutex_unlock(&pool->lock);
	return NULL;
}

/* All tasks of it; who asks works along. */
static void
run_batch(struct scan_pool *pool, struct batch *b)
{
	if (b->count == 0)
		return;
	pthread_mutex_lock(&pool->lock);
	b->next = NULL;
	*pool->last = b;
	pool->last = &b->next;
	if (b->count > 1)
		pthread_cond_broadcast(&pool->work);
	while (b->taken < b->count) {
		struct task *t = take(pool, b);

		pthread_mutex_unlock(&pool->lock);
		run(pool, t, b->until);
		pthread_mutex_lock(&pool->lock);
		done(pool, b);
	}
	while (b->done < b->count)
		pthread_cond_wait(&pool->finished, &pool->lock);
	pthread_mutex_unlock(&pool->lock);
}

static void
free_arena(void *arena)
{
	arena_free(arena);
}

static void
close_file(void *arg)
{
	close(*(int *)arg);
}

/* A file of the bytes for those engines that the cache cannot answer for; key
 * has the hash of these. */
static bool
add_task(struct scan_pool *pool, struct ledger *l, struct ledger_row *row,
    struct engine *engine, size_t i, struct arena *group,
    struct cache_key key, struct task *t, int *fd)
{
	key.engine = (unsigned)i;
	key.generation = l->engines[i].generation;
	if (key.generation != ENGINE_NO_CACHE && cache_get(pool->cache, &key,
	    l->arena, &row->scans[i])) {
		row->cached[i] = true;
		pool->hits++;
		return false;
	}
	if (*fd < 0) {
		int *kept = arena_alloc(group, sizeof *kept);

		*fd = *kept = cell_memfd(row->bytes);
		if (*fd < 0)
			return false;
		arena_defer(group, close_file, kept);
	}
	*t = (struct task){ row, engine, &row->scans[i], key, arena_new(),
	    *fd };
	arena_defer(l->arena, free_arena, t->arena);
	return true;
}

static void
scan_group(struct scan_pool *pool, struct ledger *l,
    struct engine *const *engines, struct ledger_row **row, deadline_t until)
{
	struct arena *group = arena_new();
	struct batch b = { .until = until };

	b.tasks = arena_array(group, GROUP * LEDGER_ENGINES, sizeof *b.tasks);
	for (int n = 0; n < GROUP && *row != NULL; n++, *row = (*row)->next) {
		struct cache_key key = { .mail = (*row)->mail };
		int fd = -1;

		if (pool->cache != NULL && !EVP_Digest((*row)->bytes.ptr,
		    (*row)->bytes.len, key.hash, NULL, EVP_sha256(), NULL))
			continue;
		for (size_t i = 0; i < l->nengines; i++) {
			if ((*row)->mail && !l->reads_mail[i])
				continue;
			(*row)->scans[i].text = SLICE("not scanned");
			if (add_task(pool, l, *row, engines[i], i, group,
			    key, &b.tasks[b.count], &fd))
				b.count++;
		}
	}
	run_batch(pool, &b);
	arena_free(group);
}

void
scan_all(struct scan_pool *pool, struct ledger *l,
    struct engine *const *engines, deadline_t until)
{
	struct ledger_row *row = l->rows;

	for (size_t i = 0; i < l->nengines; i++) {
		engine_status(engines[i], l->arena, &l->engines[i]);
		l->names[i] = engines[i]->name;
		l->reads_mail[i] = engines[i]->kind->reads_mail;
	}
	pool->messages++;
	pool->under_way++;
	while (row != NULL)
		scan_group(pool, l, engines, &row, until);
	pool->under_way--;
}

struct scan_pool *
scan_pool_new(unsigned threads, size_t entries)
{
	struct scan_pool *pool = mem_alloc(sizeof *pool);

	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->work, NULL);
	pthread_cond_init(&pool->finished, NULL);
	pool->last = &pool->first;
	pool->cache = cache_new(entries);
	pool->threads = mem_alloc(threads * sizeof *pool->threads);
	while (pool->nthreads < threads && thread_start(
	    &pool->threads[pool->nthreads], work, pool))
		pool->nthreads++;
	return pool;
}

void
scan_pool_counts(struct scan_pool *pool, struct scan_counts *counts_r)
{
	*counts_r = (struct scan_counts){ .messages = pool->messages,
	    .scans = pool->scans, .hits = pool->hits,
	    .under_way = pool->under_way };
	pthread_mutex_lock(&pool->lock);
	for (const struct batch *b = pool->first; b != NULL; b = b->next)
		counts_r->waiting += b->count - b->taken;
	pthread_mutex_unlock(&pool->lock);
}

void
scan_pool_free(struct scan_pool *pool)
{
	if (pool == NULL)
		return;
	pthread_mutex_lock(&pool->lock);
	pool->ending = true;
	pthread_cond_broadcast(&pool->work);
	pthread_mutex_unlock(&pool->lock);
	for (unsigned i = 0; i < pool->nthreads; i++)
		pthread_join(pool->threads[i], NULL);
	cache_free(pool->cache);
	pthread_cond_destroy(&pool->finished);
	pthread_cond_destroy(&pool->work);
	pthread_mutex_destroy(&pool->lock);
	free(pool->threads);
	free(pool);
}
