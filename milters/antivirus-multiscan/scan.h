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
 * A letter is new each time, since Date and Message-ID are, but what it holds
 * often is not. Of an engine that skims, "clean" of a whole letter is kept
 * twice: for its bytes, and for its frame and what stands inside (items.h).
 * Of a letter with the same frame and inside that engine is given all bytes
 * again, the new header fields with the rest, but not told to take it apart
 * again: that would give it the same parts. Only "clean" is concluded so.
 *
 * scan_pool_new	threads at least 1; entries 0: no cache
 * scan_begin	which engines there are, and their signatures; before all else
 * scan_hash	fills in row->hash; false: no hash is to be had
 * scan_recall	all that is asked about this row is in the cache: filled in, and
 *		scan_all will leave it alone. Else false, and nothing is changed
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
void scan_begin(struct ledger *l, struct engine *const *engines);
bool scan_hash(struct ledger_row *row);
bool scan_recall(struct scan_pool *pool, struct ledger *l,
    struct ledger_row *row);
void scan_all(struct scan_pool *pool, struct ledger *l,
    struct engine *const *engines, deadline_t until);
void scan_pool_counts(struct scan_pool *pool, struct scan_counts *counts_r);
void scan_pool_free(struct scan_pool *pool);

#endif
