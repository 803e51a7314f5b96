#include "track/stamp.h"

#include <string.h>
#include <time.h>

enum { SLACK = 2 * 86400, DAY_MS = 86400 * 1000 };

static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

int64_t
stamp_day(int64_t ms)
{
	return ms >= 0 ? ms / DAY_MS : -((-ms + DAY_MS - 1) / DAY_MS);
}

static bool
digits(struct slice s, size_t from, size_t len, int *value_r)
{
	*value_r = 0;
	if (from + len > s.len)
		return false;
	for (size_t i = from; i < from + len; i++) {
		if (!ascii_digit(s.ptr[i]))
			return false;
		*value_r = *value_r * 10 + (s.ptr[i] - '0');
	}
	return true;
}

static bool
clock_at(struct slice s, size_t at, struct tm *tm)
{
	return digits(s, at, 2, &tm->tm_hour) && s.ptr[at + 2] == ':' &&
	    digits(s, at + 3, 2, &tm->tm_min) && s.ptr[at + 5] == ':' &&
	    digits(s, at + 6, 2, &tm->tm_sec) && tm->tm_hour < 24 &&
	    tm->tm_min < 60 && tm->tm_sec <= 60;
}

static bool
known(const struct stamp *st, struct slice text)
{
	return st->len == text.len && text.len > 0 &&
	    memcmp(st->text, text.ptr, text.len) == 0;
}

static void
keep(struct stamp *st, struct slice text, int64_t seconds)
{
	st->len = text.len <= sizeof st->text ? text.len : 0;
	memcpy(st->text, text.ptr, st->len);
	st->seconds = seconds;
}

/* Of the years it may be, the last that is not in the future. */
static int64_t
with_year(const struct stamp *st, struct tm tm)
{
	struct tm now;
	time_t t = (time_t)st->now, got = 0;

	localtime_r(&t, &now);
	for (int back = -1; back < 8; back++) {
		struct tm try = tm;

		try.tm_year = now.tm_year - back;
		try.tm_isdst = -1;
		got = mktime(&try);
		/* The 29th of February is in its own year only. */
		if (got <= t + SLACK && try.tm_mday == tm.tm_mday)
			break;
	}
	return got;
}

/* "Nov 26 10:45:32": fifteen bytes. */
static bool
traditional(struct stamp *st, struct slice *rest, int64_t *ms_r)
{
	struct slice text = slice_sub(*rest, 0, 15);
	struct tm tm = { .tm_mon = -1 };

	if (text.len < 15 || rest->len < 16 || rest->ptr[15] != ' ')
		return false;
	if (!known(st, text)) {
		for (int i = 0; i < 12; i++)
			if (memcmp(text.ptr, months + (ptrdiff_t)i * 3, 3) == 0)
				tm.tm_mon = i;
		if (tm.tm_mon < 0 || text.ptr[3] != ' ' || text.ptr[6] != ' ' ||
		    !digits(text, text.ptr[4] == ' ' ? 5 : 4,
		    text.ptr[4] == ' ' ? 1 : 2, &tm.tm_mday) ||
		    tm.tm_mday < 1 || tm.tm_mday > 31 ||
		    !clock_at(text, 7, &tm))
			return false;
		keep(st, text, with_year(st, tm));
	}
	*ms_r = st->seconds * 1000;
	*rest = slice_after(*rest, 16);
	return true;
}

/* ".123456": milliseconds of it. */
static int
fraction(struct slice *rest)
{
	int ms = 0, digit = 100;
	size_t at = 1;

	if (rest->len < 2 || (rest->ptr[0] != '.' && rest->ptr[0] != ','))
		return 0;
	for (; at < rest->len && ascii_digit(rest->ptr[at]); at++) {
		ms += (rest->ptr[at] - '0') * digit;
		digit /= 10;
	}
	*rest = slice_after(*rest, at);
	return ms;
}

/* Seconds that the zone is ahead of UTC; false: it names none. */
static bool
zone(struct slice *rest, int *ahead_r)
{
	int hours, minutes;

	if (rest->len > 0 && (rest->ptr[0] == 'Z' || rest->ptr[0] == 'z')) {
		*ahead_r = 0;
		*rest = slice_after(*rest, 1);
		return true;
	}
	if (rest->len < 5 || (rest->ptr[0] != '+' && rest->ptr[0] != '-') ||
	    !digits(*rest, 1, 2, &hours))
		return false;
	if (digits(*rest, 3, 2, &minutes))
		*ahead_r = hours * 3600 + minutes * 60;
	else if (rest->ptr[3] == ':' && digits(*rest, 4, 2, &minutes))
		*ahead_r = hours * 3600 + minutes * 60;
	else
		return false;
	if (rest->ptr[0] == '-')
		*ahead_r = -*ahead_r;
	*rest = slice_after(*rest, rest->ptr[3] == ':' ? 6 : 5);
	return true;
}

static bool
date_at(struct slice s, struct tm *tm)
{
	bool good = digits(s, 0, 4, &tm->tm_year) && s.ptr[4] == '-' &&
	    digits(s, 5, 2, &tm->tm_mon) && s.ptr[7] == '-' &&
	    digits(s, 8, 2, &tm->tm_mday) &&
	    (s.ptr[10] == 'T' || s.ptr[10] == 't' || s.ptr[10] == ' ') &&
	    clock_at(s, 11, tm) && tm->tm_mon >= 1 && tm->tm_mon <= 12 &&
	    tm->tm_mday >= 1 && tm->tm_mday <= 31 && tm->tm_year >= 1970;

	tm->tm_year -= 1900;
	tm->tm_mon -= 1;
	return good;
}

static bool
rfc3339(struct stamp *st, struct slice *rest, int64_t *ms_r)
{
	struct slice text = slice_sub(*rest, 0, 19), s = slice_after(*rest, 19);
	int64_t seconds;
	struct tm tm = { 0 };
	int ms, ahead = 0;
	bool utc;

	if (text.len < 19)
		return false;
	if (!known(st, text)) {
		if (!date_at(text, &tm))
			return false;
		keep(st, text, timegm(&tm));
	}
	ms = fraction(&s);
	utc = zone(&s, &ahead);
	if (s.len == 0 || s.ptr[0] != ' ')
		return false;
	seconds = st->seconds;
	if (utc) {
		seconds -= ahead;
	} else {
		tm = (struct tm){ 0 };
		date_at(text, &tm);
		tm.tm_isdst = -1;
		seconds = mktime(&tm);
	}
	*ms_r = seconds * 1000 + ms;
	*rest = slice_after(s, 1);
	return true;
}

bool
stamp_read(struct stamp *st, struct slice *rest, int64_t *ms_r)
{
	struct slice s = *rest;

	st->rfc5424 = false;
	if (s.len > 0 && s.ptr[0] == '<') {
		size_t end = slice_find(slice_sub(s, 0, 5), '>');

		if (end >= 5)
			return false;
		s = slice_after(s, end + 1);
		if (slice_starts(s, SLICE("1 "))) {
			st->rfc5424 = true;
			s = slice_after(s, 2);
		}
	}
	if (s.len == 0 || !(ascii_digit(s.ptr[0]) ? rfc3339(st, &s, ms_r) :
	    traditional(st, &s, ms_r)))
		return false;
	while (s.len > 0 && s.ptr[0] == ' ')
		s = slice_after(s, 1);
	*rest = s;
	return true;
}
