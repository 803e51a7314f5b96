#include "notice/due.h"

enum { DAY = 86400, DAYS_BACK = 8 };

bool
due_parse(struct slice text, unsigned *minutes_r)
{
	uint64_t hours, minutes;

	if (text.len != 5 || text.ptr[2] != ':' ||
	    !slice_number(slice_sub(text, 0, 2), 23, &hours) ||
	    !slice_number(slice_after(text, 3), 59, &minutes))
		return false;
	*minutes_r = (unsigned)(hours * 60 + minutes);
	return true;
}

/* The last slot of that day of the calendar which is not after now. */
static int64_t
last_of(const struct due_times *due, int64_t day, int64_t now)
{
	/* 1970-01-01 was a Thursday. */
	int64_t weekday = ((day + 4) % 7 + 7) % 7;
	bool weekend = weekday == 0 || weekday == 6;
	const unsigned *times = weekend ? due->weekend : due->weekday;
	size_t count = weekend ? due->nweekend : due->nweekday;
	int64_t last = INT64_MIN;

	for (size_t i = 0; i < count; i++) {
		int64_t moment = zone_moment(due->zone,
		    day * DAY + (int64_t)times[i] * 60);

		if (moment <= now && moment > last)
			last = moment;
	}
	return last;
}

int64_t
due_last(const struct due_times *due, int64_t now)
{
	int64_t local = now + zone_offset(due->zone, now);
	int64_t day = local / DAY - (local % DAY < 0);

	/* From tomorrow: a change of the clocks over midnight may have made
	 * today's first slot part of what was still yesterday. */
	for (int64_t d = day + 1; d > day - DAYS_BACK; d--) {
		int64_t last = last_of(due, d, now);

		if (last != INT64_MIN)
			return last;
	}
	return INT64_MIN;
}

bool
due_now(const struct due_times *due, int64_t now, int64_t served,
    int64_t *slot_r, bool *reset_r)
{
	int64_t last = due_last(due, now);

	*reset_r = last != INT64_MIN && served > now + DUE_AHEAD;
	*slot_r = last;
	return last != INT64_MIN && last > served && !*reset_r;
}
