/*
 * rate - how many messages of one sender in an hour
 *
 * A table of RATE_SLOTS that is never larger; hashes stand for senders. When
 * all places for a new one are in use, the one with the fewest messages loses
 * its place, and its count.
 *
 * rate_take	one more of him: false when he has had `most` in his hour (0:
 *		never)
 * rate_back	it was none after all
 *
 * One thread.
 */
#ifndef SPAMCHECK_RATE_H
#define SPAMCHECK_RATE_H

#include "base/slice.h"

enum { RATE_SLOTS = 1 << 12, RATE_PROBE = 8, RATE_MS = 3600 * 1000 };

struct rate_slot {
	uint64_t who;
	int64_t since;			/* clock_mono(); 0: free */
	unsigned count;
};

struct rate {
	uint64_t secret[2];
	struct rate_slot slots[RATE_SLOTS];
};

void rate_init(struct rate *r);
bool rate_take(struct rate *r, struct slice sender, unsigned most,
    int64_t now);
void rate_back(struct rate *r, struct slice sender);

#endif
