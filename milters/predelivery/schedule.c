#include "schedule.h"

enum { DAY = 86400 };

static int64_t
floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

bool
schedule_holds(const struct schedule *s, int64_t moment)
{
	int64_t local = moment + zone_offset(s->zone, moment);
	int64_t day = floor_div(local, DAY);
	int minute = (int)((local - day * DAY) / 60);
	bool over_midnight = s->from > s->until;

	if (s->from != s->until && (over_midnight ?
	    minute >= s->until && minute < s->from :
	    minute < s->from || minute >= s->until))
		return false;
	if (over_midnight && minute < s->until)
		day--;
	if ((s->first != 0 && day < s->first) ||
	    (s->last != 0 && day > s->last))
		return false;
	/* 1970-01-01 was a Thursday. */
	return s->weekdays == 0 ||
	    (s->weekdays >> (((day + 3) % 7 + 7) % 7) & 1) != 0;
}

static bool
read_minute(struct slice text, int *minute_r)
{
	struct slice rest, hours = slice_cut(text, ':', &rest);
	uint64_t h, m;

	if (hours.len == 0 || hours.len > 2 || rest.len != 2 ||
	    !slice_number(hours, 24, &h) || !slice_number(rest, 59, &m) ||
	    h * 60 + m > 1440)
		return false;
	*minute_r = (int)(h * 60 + m);
	return true;
}

bool
schedule_hours(struct slice text, int *from_r, int *until_r)
{
	struct slice rest, first = slice_cut(text, '-', &rest);

	return rest.ptr != NULL && read_minute(first, from_r) &&
	    read_minute(rest, until_r) && *from_r < 1440 &&
	    *from_r != *until_r;
}

/* Days since 1970 of the proleptic Gregorian calendar. */
static int64_t
day_of(int64_t y, int m, int d)
{
	int64_t era, of_era;
	int of_year;

	y -= m <= 2;
	era = floor_div(y, 400);
	of_era = y - era * 400;
	of_year = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 +
	    of_year - 719468;
}

static int
month_days(int64_t y, int m)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31,
	    30, 31 };
	bool leap = y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);

	return days[m - 1] + (m == 2 && leap);
}

bool
schedule_date(struct slice text, int64_t *day_r)
{
	uint64_t y, m, d;

	if (text.len != 10 || text.ptr[4] != '-' || text.ptr[7] != '-' ||
	    !slice_number(slice_sub(text, 0, 4), 9999, &y) ||
	    !slice_number(slice_sub(text, 5, 2), 12, &m) ||
	    !slice_number(slice_sub(text, 8, 2), 31, &d) || y < 1971 ||
	    m == 0 || d == 0 || (int)d > month_days((int64_t)y, (int)m))
		return false;
	*day_r = day_of((int64_t)y, (int)m, (int)d);
	return true;
}
