/*
 * schedule - weekdays, hours and dates, in a time zone
 *
 * schedule_holds	is this moment inside of it? All that is set must hold.
 *		Hours "22:00-06:00" go over midnight, and then belong to the
 *		day on which they began
 * schedule_hours, schedule_date	read "08:00-17:30" (24:00 is an end) and
 *		"2026-12-24"; false for anything else
 *
 * Pure.
 */
#ifndef PREDELIVERY_SCHEDULE_H
#define PREDELIVERY_SCHEDULE_H

#include "notice/zone.h"

struct schedule {
	const struct zone *zone;
	unsigned weekdays;		/* 1 << 0: Monday; 0: all */
	int from, until;		/* minutes of a day; equal: all day */
	int64_t first, last;		/* days since 1970; 0: no such end */
};

bool schedule_holds(const struct schedule *s, int64_t moment);
bool schedule_hours(struct slice text, int *from_r, int *until_r);
bool schedule_date(struct slice text, int64_t *day_r);

#endif
