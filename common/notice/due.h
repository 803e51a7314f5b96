/*
 * due - when a digest is due
 *
 * Times of the day, for weekdays and for the weekend, on the clocks of a zone.
 * A time of the day of one date is a slot; its moment never changes, so whoever
 * remembers the moment of the slot that was served last serves each slot once,
 * whatever the clock does: a clock that was set back comes to the same slot
 * again, and it is not later than the last one served.
 *
 * due_parse	"08:00": minutes of the day; false for anything else
 * due_last	the moment of the last slot that is not after now; INT64_MIN
 *		when the last eight days have none
 * due_now	is there a slot to serve? *slot_r is it. Several that were
 *		missed (the machine was off) are served by the last of them. A
 *		`served` that lies more than DUE_AHEAD in the future comes from
 *		a clock that was wrong and has been put right: then the slot
 *		counts as served and *slot_r replaces it (false is returned, and
 *		*reset_r is true)
 *
 * A time that clocks skip is served at the moment of the change, one that
 * comes twice at the first.
 */
#ifndef NOTICE_DUE_H
#define NOTICE_DUE_H

#include "conf/conf.h"
#include "notice/zone.h"

enum { DUE_TIMES = 24, DUE_AHEAD = 2 * 86400 };

struct due_times {
	const struct zone *zone;
	unsigned weekday[DUE_TIMES], weekend[DUE_TIMES]; /* minutes */
	size_t nweekday, nweekend;
};

bool due_parse(struct slice text, unsigned *minutes_r);
int64_t due_last(const struct due_times *due, int64_t now);
bool due_now(const struct due_times *due, int64_t now, int64_t served,
    int64_t *slot_r, bool *reset_r);

#endif
