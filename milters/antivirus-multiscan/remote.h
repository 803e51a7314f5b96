/*
 * remote - what engines in other processes have in common
 *
 * remote_deadline	until when an answer is waited for: the engine's own
 *		time-out, and early enough to find out afterwards why none came
 * remote_silence	no answer came. Who is alive all the same was given too
 *		much by the item, when time was up (SCAN_TIMEOUT); who hung up,
 *		or is away, is down
 * remote_hash	of what tells one set of signatures from another
 */
#ifndef ANTIVIRUS_REMOTE_H
#define ANTIVIRUS_REMOTE_H

#include "engine.h"

deadline_t remote_deadline(int64_t timeout, deadline_t until);
void remote_silence(struct engine *e, bool (*alive)(struct engine *e,
    deadline_t until, struct arena *a), deadline_t mine, deadline_t until,
    struct arena *a, struct slice why, struct scan *scan_r);
uint64_t remote_hash(struct slice text);

#endif
