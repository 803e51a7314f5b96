/*
 * tally - to how many did this message go, over all its transactions?
 *
 * A client that may not name 600 recipients at once names 300 twice; a relay
 * behind it splits a message by itself (Postfix: 50 recipients each). What
 * stays the same is the Message-ID. So recipients are counted by sender and
 * Message-ID, each of them once: a client that retries, with the same
 * recipients or with those that are left, is not counted again. The count
 * begins with the first message of that id and ends a window later.
 *
 * The table is a piece of memory (tally_file.h maps a file there) of fixed
 * size: sets of TALLY_WAYS cells, a cell for a message and one for each of its
 * recipients. What is out of date goes first, then the lowest count, then the
 * oldest; so a flood of small messages pushes out its own kind. What was pushed
 * out is counted anew.
 *
 * A cell changes by one store of 64 bits, and a recipient's is written before
 * he is counted: a process that is killed between leaves a count that is one
 * too low, never one too high. A damaged cell is a free one.
 *
 * tally_size	bytes that a table of so many cells (rounded up to a power of
 *		two) takes
 * tally_begin	an empty table
 * tally_whole	may this memory be used as a table of that size?
 * tally_key	a name for bytes: a message's, a recipient's
 * tally_offer	counts recipients, if with them it is not over the limit;
 *		else nothing changes
 *
 * The caller holds a lock around tally_offer. Pure: now is seconds.
 */
#ifndef PREDELIVERY_TALLY_H
#define PREDELIVERY_TALLY_H

#include "base/slice.h"

enum {
	TALLY_WAYS = 8,
	TALLY_CELLS = 1 << 26,		/* at most */
	TALLY_MAX = (1 << 20) - 1,	/* a count stops there */
};

struct tally_offer {
	uint64_t message;
	uint64_t *recipients;		/* sorted by the call */
	size_t n;
	unsigned limit;
	int64_t window;			/* s from the first of that message */
	int64_t keep;			/* s; the longest window of anybody */
	int64_t now;
};

struct tally_view {
	unsigned before;		/* counted by earlier transactions */
	unsigned fresh;			/* of this one, not counted before */
	int64_t since;			/* when the count began */
	bool taken;			/* they are counted now */
};

struct tally;

size_t tally_size(unsigned cells);
void tally_begin(void *memory, unsigned cells);
bool tally_whole(const void *memory, size_t size);
uint64_t tally_key(const struct tally *t, uint64_t of, struct slice name);
void tally_offer(struct tally *t, const struct tally_offer *o,
    struct tally_view *view_r);

#endif
