#include "text/date.h"

enum { DEPTH = 50 };			/* of comments */

struct reader {
	struct slice s;
	size_t at;
};

/* Blanks, folds and comments; false: a comment that does not end. */
static bool
skip(struct reader *r)
{
	unsigned depth = 0;

	for (; r->at < r->s.len; r->at++) {
		char c = r->s.ptr[r->at];

		if (c == '\\' && depth > 0)
			r->at++;
		else if (c == '(' && depth++ == DEPTH)
			return false;
		else if (c == ')' && depth > 0)
			depth--;
		else if (depth == 0 && !ascii_space(c) && c != '(')
			return true;
	}
	return depth == 0;
}

static struct slice
run_of(struct reader *r, bool (*of)(char c))
{
	size_t begin = r->at;

	while (r->at < r->s.len && of(r->s.ptr[r->at]))
		r->at++;
	return slice_sub(r->s, begin, r->at - begin);
}

static bool
take(struct reader *r, char c)
{
	if (!skip(r) || r->at >= r->s.len || r->s.ptr[r->at] != c)
		return false;
	r->at++;
	return true;
}

/* A number of so many digits. */
static bool
number(struct reader *r, size_t least, size_t most, int64_t *value_r)
{
	struct slice digits;
	uint64_t value;

	if (!skip(r))
		return false;
	digits = run_of(r, ascii_digit);
	if (digits.len < least || digits.len > most ||
	    !slice_number(digits, UINT32_MAX, &value))
		return false;
	*value_r = (int64_t)value;
	return true;
}

/* Its index among names, which are n and end with NULL. */
static bool
word(struct reader *r, const char *const *names, int64_t *index_r)
{
	struct slice w;

	if (!skip(r))
		return false;
	w = run_of(r, ascii_alpha);
	for (int64_t i = 0; names[i] != NULL; i++) {
		if (slice_eq_nocase(w, slice_of(names[i]))) {
			*index_r = i;
			return true;
		}
	}
	return false;
}

static bool
day_name(struct reader *r)
{
	static const char *const names[] = { "Mon", "Tue", "Wed", "Thu", "Fri",
	    "Sat", "Sun", NULL };
	int64_t unused;

	if (!skip(r))
		return false;
	if (r->at >= r->s.len || !ascii_alpha(r->s.ptr[r->at]))
		return true;
	return word(r, names, &unused) && take(r, ',');
}

static bool
leap(int64_t year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* Days since 1970-01-01 of the first of that month. */
static int64_t
days_of(int64_t year, int64_t month)
{
	static const int64_t before[] = { 0, 31, 59, 90, 120, 151, 181, 212,
	    243, 273, 304, 334 };
	int64_t y = year - 1;

	return 365 * (year - 1970) + y / 4 - y / 100 + y / 400 -
	    (1969 / 4 - 1969 / 100 + 1969 / 400) + before[month] +
	    (month > 1 && leap(year));
}

static bool
read_day(struct reader *r, int64_t *days_r)
{
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May",
	    "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec", NULL };
	static const int64_t length[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30,
	    31, 30, 31 };
	int64_t day, month, year;
	size_t begin;

	if (!number(r, 1, 2, &day) || !word(r, months, &month) || !skip(r))
		return false;
	begin = r->at;
	if (!number(r, 2, 6, &year))
		return false;
	begin = r->at - begin;
	if (begin < 4)			/* 4.3 */
		year += begin == 2 && year < 50 ? 2000 : 1900;
	if (year < 1900 || day < 1 ||
	    day > length[month] + (month == 1 && leap(year)))
		return false;
	*days_r = days_of(year, month) + day - 1;
	return true;
}

static bool
read_time(struct reader *r, int64_t *seconds_r)
{
	int64_t hour, minute, second = 0;

	if (!number(r, 2, 2, &hour) || !take(r, ':') ||
	    !number(r, 2, 2, &minute) || !skip(r))
		return false;
	if (r->at < r->s.len && r->s.ptr[r->at] == ':' &&
	    (!take(r, ':') || !number(r, 2, 2, &second)))
		return false;
	*seconds_r = hour * 3600 + minute * 60 + second;
	return hour < 24 && minute < 60 && second < 61;
}

/* Seconds east of Greenwich. */
static bool
read_zone(struct reader *r, int64_t *east_r)
{
	static const char *const names[] = { "UT", "GMT", "EST", "EDT", "CST",
	    "CDT", "MST", "MDT", "PST", "PDT", NULL };
	static const int64_t hours[] = { 0, 0, -5, -4, -6, -5, -7, -6, -8,
	    -7 };
	int64_t n;
	char c;

	if (!skip(r) || r->at >= r->s.len)
		return false;
	c = r->s.ptr[r->at];
	if (c == '+' || c == '-') {
		r->at++;
		if (r->at >= r->s.len || !ascii_digit(r->s.ptr[r->at]) ||
		    !number(r, 4, 4, &n) || n % 100 > 59)
			return false;
		*east_r = (n / 100 * 3600 + n % 100 * 60) * (c == '-' ? -1 : 1);
		return true;
	}
	if (r->at + 1 >= r->s.len || !ascii_alpha(r->s.ptr[r->at + 1])) {
		r->at++;
		*east_r = 0;
		return ascii_alpha(c) && ascii_lower(c) != 'j';
	}
	if (!word(r, names, &n))
		return false;
	*east_r = hours[n] * 3600;
	return true;
}

bool
date_read(struct slice value, int64_t *seconds_r)
{
	struct reader r = { value, 0 };
	int64_t days, seconds, east;

	if (!day_name(&r) || !read_day(&r, &days) || !read_time(&r, &seconds) ||
	    !read_zone(&r, &east) || !skip(&r) || r.at < r.s.len)
		return false;
	*seconds_r = days * 86400 + seconds - east;
	return true;
}
