/*
 * scan - all items by all engines, at once
 *
 * A pool of threads for the process. scan_all has the items of one message
 * scanned: what the cache knows is taken from there, the rest goes to the
 * pool, and the calling thread works along. It returns when all is done; the
 * engines keep the deadline.
 *
 * The verdict cache knows what an engine with these signatures said of these
 * bytes. It holds `entries` of them, whatever the number of messages, and is
 * lost with the process. New signatures make old entries worthless at once.
 *
 * scan_pool_new	threads at least 1; entries 0: no cache
 * scan_all	any thread
 * scan_pool_free	when nobody scans any more
 */
#ifndef ANTIVIRUS_SCAN_H
#define ANTIVIRUS_SCAN_H

#include "ledger.h"

struct scan_pool;

struct scan_counts {
	uint64_t messages, scans, hits;
	unsigned under_way;		/* messages */
	size_t waiting;			/* scans that nobody has begun */
};

struct scan_pool *scan_pool_new(unsigned threads, size_t entries);
void scan_all(struct scan_pool *pool, struct ledger *l,
    struct engine *const *engines, deadline_t until);
void scan_pool_counts(struct scan_pool *pool, struct scan_counts *counts_r);
void scan_pool_free(struct scan_pool *pool);

#endif
