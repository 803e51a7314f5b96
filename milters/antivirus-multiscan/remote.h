/*
 * remote - what engines in other processes have in common
 *
 * remote_deadline	until when an answer is waited for: the engine's own
 *		time-out, and early enough to find out afterwards why none came
 * remote_blamed	did this item end the engine too often? Then it is not asked
 *		again: *scan_r says SCAN_CRASHED
 * remote_silence	no answer came. Who is alive all the same was given too
 *		much by the item, when time was up (SCAN_TIMEOUT); who hung up,
 *		or is away, is down. Who hung up on the same item again and
 *		again was ended by it: else a message that kills its scanner
 *		would be told to come again, and do so, for days
 * remote_hash	of what tells one set of signatures from another
 */
#ifndef ANTIVIRUS_REMOTE_H
#define ANTIVIRUS_REMOTE_H

#include "engine.h"

deadline_t remote_deadline(int64_t timeout, deadline_t until);
bool remote_blamed(struct engine *e, const struct scan_item *item,
    struct scan *scan_r);
void remote_silence(struct engine *e, const struct scan_item *item,
    bool (*alive)(struct engine *e,
    deadline_t until, struct arena *a), deadline_t mine, deadline_t until,
    struct arena *a, struct slice why, struct scan *scan_r);
uint64_t remote_hash(struct slice text);

#endif
