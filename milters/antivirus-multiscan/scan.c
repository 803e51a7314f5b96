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
	struct cache_key key;		/* of all of it */
	struct cache_key inside;	/* of a letter's; unless as is FILE */
	bool skim;
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
	    .mail = t->row->mail, .skim = t->skim };

	engine_scan(t->engine, &item, until, t->arena, t->scan_r);
	pool->scans++;
	if (t->key.generation == ENGINE_NO_CACHE)
		return;
	cache_put(pool->cache, &t->key, t->scan_r);
	/* What was found may have stood in this one's header. */
	if (t->inside.as == CACHE_INSIDE && !t->skim &&
	    t->scan_r->end == SCAN_CLEAN)
		cache_put(pool->cache, &t->inside, t->scan_r);
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

/* ---- hashes ---- */

bool
scan_hash(struct ledger_row *row)
{
	if (!row->hashed)
		row->hashed = EVP_Digest(row->bytes.ptr, row->bytes.len,
		    row->hash, NULL, EVP_sha256(), NULL) == 1;
	return row->hashed;
}

/* The frame's length first, so that nothing moves from one to the other. */
static bool
hash_inside(const struct ledger_row *row, unsigned char hash_r[CACHE_HASH])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint64_t len = row->frame.len;
	bool good = ctx != NULL &&
	    EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) &&
	    EVP_DigestUpdate(ctx, &len, sizeof len) &&
	    EVP_DigestUpdate(ctx, row->frame.ptr, row->frame.len) &&
	    EVP_DigestUpdate(ctx, row->inside.ptr, row->inside.len) &&
	    EVP_DigestFinal_ex(ctx, hash_r, NULL);

	EVP_MD_CTX_free(ctx);
	return good;
}

/* What one engine is asked about one row by. */
static struct cache_key
key_of(const struct ledger *l, const struct ledger_row *row, size_t i)
{
	struct cache_key key = { .generation = l->engines[i].generation,
	    .engine = (unsigned)i,
	    .as = row->mail ? CACHE_MAIL : CACHE_FILE };

	memcpy(key.hash, row->hash, sizeof key.hash);
	return key;
}

static bool
asked(const struct ledger *l, const struct ledger_row *row, size_t i)
{
	return !row->mail || l->reads_mail[i];
}

static bool
recall_one(struct scan_pool *pool, struct ledger *l,
    const struct cache_key *key, struct scan *scan_r)
{
	return key->generation != ENGINE_NO_CACHE &&
	    cache_get(pool->cache, key, l->arena, scan_r);
}

bool
scan_recall(struct scan_pool *pool, struct ledger *l, struct ledger_row *row)
{
	struct scan scans[LEDGER_ENGINES];

	for (size_t i = 0; i < l->nengines; i++) {
		struct cache_key key = key_of(l, row, i);

		if (asked(l, row, i) &&
		    (!row->hashed || !recall_one(pool, l, &key, &scans[i])))
			return false;
	}
	for (size_t i = 0; i < l->nengines; i++) {
		if (!asked(l, row, i))
			continue;
		row->scans[i] = scans[i];
		row->cached[i] = true;
		pool->hits++;
	}
	row->recalled = true;
	return true;
}

/* ---- all of a message ---- */

/* A file of the row's bytes, when somebody wants one. */
struct file {
	const struct ledger_row *row;
	int fd;				/* -1: nobody yet */
};

static bool
need_file(struct file *file, struct arena *group)
{
	int *kept;

	if (file->fd >= 0)
		return true;
	file->fd = cell_memfd(file->row->bytes);
	if (file->fd < 0)
		return false;
	kept = arena_alloc(group, sizeof *kept);
	*kept = file->fd;
	arena_defer(group, close_file, kept);
	return true;
}

/* May this engine leave the letter's parts alone? */
static void
look_inside(struct scan_pool *pool, struct ledger *l, struct task *t,
    const unsigned char hash[CACHE_HASH])
{
	struct scan scan;

	if (!t->row->mail || t->row->frame.ptr == NULL ||
	    !t->engine->kind->skims || pool->cache == NULL)
		return;
	t->inside = t->key;
	t->inside.as = CACHE_INSIDE;
	memcpy(t->inside.hash, hash, sizeof t->inside.hash);
	t->skim = recall_one(pool, l, &t->inside, &scan);
}

/* What one row asks of the engines, beyond what the cache answers. */
static void
add_row(struct scan_pool *pool, struct ledger *l, struct ledger_row *row,
    struct engine *const *engines, struct arena *group, struct batch *b)
{
	unsigned char inside[CACHE_HASH] = { 0 };
	struct file file = { row, -1 };

	if (pool->cache != NULL && (!scan_hash(row) || (row->mail &&
	    row->frame.ptr != NULL && !hash_inside(row, inside))))
		return;
	for (size_t i = 0; i < l->nengines; i++) {
		struct task t = { .row = row, .engine = engines[i],
		    .scan_r = &row->scans[i], .key = key_of(l, row, i) };

		if (!asked(l, row, i))
			continue;
		row->scans[i].text = SLICE("not scanned");
		if (recall_one(pool, l, &t.key, &row->scans[i])) {
			row->cached[i] = true;
			pool->hits++;
		} else if (need_file(&file, group)) {
			look_inside(pool, l, &t, inside);
			t.fd = file.fd;
			t.arena = arena_new();
			arena_defer(l->arena, free_arena, t.arena);
			b->tasks[b->count++] = t;
		}
	}
}

static void
scan_group(struct scan_pool *pool, struct ledger *l,
    struct engine *const *engines, struct ledger_row **row, deadline_t until)
{
	struct arena *group = arena_new();
	struct batch b = { .until = until };

	b.tasks = arena_array(group, GROUP * l->nengines, sizeof *b.tasks);
	for (int n = 0; n < GROUP && *row != NULL; n++, *row = (*row)->next)
		if (!(*row)->recalled)
			add_row(pool, l, *row, engines, group, &b);
	run_batch(pool, &b);
	arena_free(group);
}

void
scan_begin(struct ledger *l, struct engine *const *engines)
{
	for (size_t i = 0; i < l->nengines; i++) {
		engine_status(engines[i], l->arena, &l->engines[i]);
		l->names[i] = engines[i]->name;
		l->reads_mail[i] = engines[i]->kind->reads_mail;
	}
}

void
scan_all(struct scan_pool *pool, struct ledger *l,
    struct engine *const *engines, deadline_t until)
{
	struct ledger_row *row = l->rows;

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
