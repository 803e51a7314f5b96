#include "notice/zone.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"

enum {
	FILE_BYTES = 1 << 20,
	TRANSITIONS = 20000,
	TYPES = 256,
	DAY = 86400,
	OFFSET_MOST = 26 * 3600,	/* RFC 9636, 3.2 */
};

/* "the 5th (last) Sunday of March at 2", or a day of the year. */
struct rule {
	char kind;			/* 'M', 'J', or '0' for no letter */
	int month, week, day;
	int64_t time;			/* of that day, seconds */
};

struct zone {
	size_t count;
	const int64_t *at;		/* moments, rising */
	const int32_t *offset;		/* from there on */
	int32_t first;			/* before them all */
	bool has_rule, has_dst;		/* behind them all */
	int64_t standard, dst;
	struct rule begin, end;
};

/* --- days and years (Hinnant, "chrono-compatible date algorithms") -------- */

static int64_t
days_of(int64_t year, int month, int day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t yoe = y - era * 400;
	int64_t doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static int64_t
floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

static int64_t
year_of(int64_t seconds)
{
	int64_t days = floor_div(seconds, DAY);
	int64_t year = 1970 + floor_div(days, 366);

	while (days >= days_of(year + 1, 1, 1))
		year++;
	return year;
}

static bool
is_leap(int64_t y)
{
	return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
}

/* Local seconds since 1970 at which the rule says so in that year. */
static int64_t
rule_at(const struct rule *r, int64_t year)
{
	int64_t first, day;

	switch (r->kind) {
	case 'J':
		day = days_of(year, 1, 1) + r->day - 1 +
		    (is_leap(year) && r->day >= 60);
		return day * DAY + r->time;
	case 'M':
		first = days_of(year, r->month, 1);
		/* 1970-01-01 was a Thursday. */
		day = first + (r->day - (first + 4) % 7 + 14) % 7 +
		    (r->week - 1) * 7;
		if (day >= (r->month == 12 ? days_of(year + 1, 1, 1) :
		    days_of(year, r->month + 1, 1)))
			day -= 7;
		return day * DAY + r->time;
	default:
		return (days_of(year, 1, 1) + r->day) * DAY + r->time;
	}
}

static int64_t
rule_offset(const struct zone *z, int64_t moment)
{
	int64_t year, begin, end;
	bool dst;

	if (!z->has_dst)
		return z->standard;
	year = year_of(moment + z->standard);
	begin = rule_at(&z->begin, year) - z->standard;
	end = rule_at(&z->end, year) - z->dst;
	if (begin < end)
		dst = moment >= begin && moment < end;
	else
		dst = moment >= begin || moment < end;
	return dst ? z->dst : z->standard;
}

int64_t
zone_offset(const struct zone *z, int64_t moment)
{
	size_t low = 0, high = z->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (z->at[middle] <= moment)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0)
		return z->count == 0 && z->has_rule ?
		    rule_offset(z, moment) : z->first;
	if (low == z->count && z->has_rule)
		return rule_offset(z, moment);
	return z->offset[low - 1];
}

/* The first moment from `from` on at which clocks show at least `local`. */
int64_t
zone_moment(const struct zone *z, int64_t local)
{
	int64_t before = zone_offset(z, local - DAY);
	int64_t after = zone_offset(z, local + DAY);
	int64_t low = local - before, high = local - after;
	int64_t from, to;

	/* With the offset of before: the first of two, or, where it is not
	 * right any more, the change lies at or before it. */
	if (low + zone_offset(z, low) == local)
		return low;
	if (high + zone_offset(z, high) == local)
		return high;
	/* Skipped: the moment of the change, by halving. */
	from = local - DAY;
	to = local + DAY;
	while (to - from > 1) {
		int64_t middle = from + (to - from) / 2;

		if (middle + zone_offset(z, middle) >= local)
			to = middle;
		else
			from = middle;
	}
	return to;
}

/* --- the rule at the end: a TZ string of POSIX (RFC 9636, 3.3) ------------ */

static bool
skip_name(struct slice *s)
{
	size_t len = 0;

	if (slice_starts(*s, SLICE("<"))) {
		len = slice_find(*s, '>');
		if (len == s->len)
			return false;
		*s = slice_after(*s, len + 1);
		return true;
	}
	while (len < s->len && ascii_alpha(s->ptr[len]))
		len++;
	*s = slice_after(*s, len);
	return len >= 3;
}

static bool
number(struct slice *s, int most, int *n_r)
{
	size_t len = 0;
	uint64_t n;

	while (len < s->len && ascii_digit(s->ptr[len]))
		len++;
	if (len > 3 || !slice_number(slice_sub(*s, 0, len), (uint64_t)most, &n))
		return false;
	*s = slice_after(*s, len);
	*n_r = (int)n;
	return true;
}

static bool
skip(struct slice *s, char c)
{
	if (s->len == 0 || s->ptr[0] != c)
		return false;
	*s = slice_after(*s, 1);
	return true;
}

/* [+-]hh[:mm[:ss]] in seconds. */
static bool
hours(struct slice *s, int64_t *seconds_r)
{
	bool minus = skip(s, '-');
	int h, m = 0, sec = 0;

	if (!minus)
		skip(s, '+');
	if (!number(s, 167, &h) || (skip(s, ':') && !number(s, 59, &m)))
		return false;
	if (m >= 0 && skip(s, ':') && !number(s, 59, &sec))
		return false;
	*seconds_r = (int64_t)h * 3600 + m * 60 + sec;
	if (minus)
		*seconds_r = -*seconds_r;
	return true;
}

static bool
read_rule(struct slice *s, struct rule *r)
{
	r->time = 7200;
	if (!skip(s, ','))
		return false;
	if (skip(s, 'M')) {
		r->kind = 'M';
		if (!number(s, 12, &r->month) || r->month < 1 ||
		    !skip(s, '.') || !number(s, 5, &r->week) || r->week < 1 ||
		    !skip(s, '.') || !number(s, 6, &r->day))
			return false;
	} else if (skip(s, 'J')) {
		r->kind = 'J';
		if (!number(s, 365, &r->day) || r->day < 1)
			return false;
	} else {
		r->kind = '0';
		if (!number(s, 365, &r->day))
			return false;
	}
	return !skip(s, '/') || hours(s, &r->time);
}

static bool
read_rules(struct zone *z, struct slice s)
{
	int64_t west;

	if (s.len == 0)
		return true;
	if (!skip_name(&s) || !hours(&s, &west))
		return false;
	z->standard = -west;
	z->has_rule = true;
	if (s.len == 0)
		return true;
	if (!skip_name(&s))
		return false;
	z->dst = z->standard + 3600;
	if (s.len > 0 && s.ptr[0] != ',') {
		if (!hours(&s, &west))
			return false;
		z->dst = -west;
	}
	z->has_dst = true;
	return read_rule(&s, &z->begin) && read_rule(&s, &z->end) &&
	    s.len == 0 && z->standard >= -OFFSET_MOST &&
	    z->standard <= OFFSET_MOST && z->dst >= -OFFSET_MOST &&
	    z->dst <= OFFSET_MOST;
}

/* --- the file (RFC 9636, 3.1) --------------------------------------------- */

struct counts {
	uint32_t utc, wall, leap, times, types, chars;
};

static uint64_t
big_endian(struct slice s, size_t at, size_t len)
{
	uint64_t n = 0;

	for (size_t i = 0; i < len; i++)
		n = n << 8 | (unsigned char)s.ptr[at + i];
	return n;
}

static bool
read_header(struct slice *s, struct counts *c)
{
	enum { HEADER = 44 };

	if (s->len < HEADER || !slice_starts(*s, SLICE("TZif")))
		return false;
	c->utc = (uint32_t)big_endian(*s, 20, 4);
	c->wall = (uint32_t)big_endian(*s, 24, 4);
	c->leap = (uint32_t)big_endian(*s, 28, 4);
	c->times = (uint32_t)big_endian(*s, 32, 4);
	c->types = (uint32_t)big_endian(*s, 36, 4);
	c->chars = (uint32_t)big_endian(*s, 40, 4);
	*s = slice_after(*s, HEADER);
	return c->types > 0 && c->types <= TYPES && c->times <= TRANSITIONS &&
	    c->chars <= 4096 && c->leap <= 4096 && c->utc <= TYPES &&
	    c->wall <= TYPES;
}

static size_t
block_size(const struct counts *c, size_t time_size)
{
	return c->times * time_size + c->times + c->types * 6 + c->chars +
	    c->leap * (time_size + 4) + c->wall + c->utc;
}

static bool
read_block(struct arena *a, struct zone *z, struct slice s,
    const struct counts *c)
{
	size_t indexes = (size_t)c->times * 8, types = indexes + c->times;
	int64_t *at = arena_array(a, c->times, sizeof *at);
	int32_t *offset = arena_array(a, c->times, sizeof *offset);

	for (size_t i = 0; i <= c->times; i++) {
		size_t type = i < c->times ?
		    (unsigned char)s.ptr[indexes + i] : 0;
		int32_t east;

		if (type >= c->types)
			return false;
		east = (int32_t)big_endian(s, types + type * 6, 4);
		if (east < -OFFSET_MOST || east > OFFSET_MOST)
			return false;
		if (i == c->times) {
			z->first = east;
			break;
		}
		at[i] = (int64_t)big_endian(s, i * 8, 8);
		offset[i] = east;
		if (i > 0 && at[i] <= at[i - 1])
			return false;
	}
	z->at = at;
	z->offset = offset;
	z->count = c->times;
	return true;
}

bool
zone_parse(struct arena *a, struct slice file, const struct zone **zone_r)
{
	struct zone *z = arena_alloc(a, sizeof *z);
	struct counts c;
	size_t size, end;

	*zone_r = z;
	if (file.len > FILE_BYTES || file.len < 5 || file.ptr[4] < '2' ||
	    !read_header(&file, &c))
		return false;
	/* The block of 32 bits is for old readers. */
	size = block_size(&c, 4);
	if (file.len < size)
		return false;
	file = slice_after(file, size);
	if (!read_header(&file, &c))
		return false;
	size = block_size(&c, 8);
	if (file.len < size || !read_block(a, z, file, &c))
		return false;
	file = slice_after(file, size);
	if (!skip(&file, '\n'))
		return false;
	end = slice_find(file, '\n');
	return end < file.len && read_rules(z, slice_sub(file, 0, end));
}

static bool
good_name(struct slice name)
{
	for (size_t i = 0; i < name.len; i++)
		if (!ascii_alnum(name.ptr[i]) &&
		    strchr("/_+-", name.ptr[i]) == NULL)
			return false;
	return name.len > 0 && name.len < 64 && name.ptr[0] != '/' &&
	    slice_search(name, SLICE("//")) == name.len;
}

static bool
read_file(struct arena *a, const char *path, struct slice *bytes_r)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct buf b = buf_in(a);
	struct stat st;
	ssize_t n = 1;

	if (fd < 0)
		return false;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		errno = EINVAL;
		return false;
	}
	while (n > 0 && b.len <= FILE_BYTES) {
		n = read(fd, buf_room(&b, 16384), 16384);
		if (n > 0)
			buf_took(&b, (size_t)n);
	}
	close(fd);
	*bytes_r = buf_slice(&b);
	return n >= 0;
}

static const struct zone utc = { .first = 0 };

enum rc
zone_open(struct arena *a, const char *name, const struct zone **zone_r,
    struct slice *why_r)
{
	const char *dir = secure_getenv("TZDIR");
	const char *path = arena_printf(a, "%s/%s", dir != NULL ? dir :
	    "/usr/share/zoneinfo", name).ptr;
	struct slice bytes;

	/* The default, so it needs no package. */
	if (strcmp(name, "UTC") == 0) {
		*zone_r = &utc;
		return RC_OK;
	}
	if (good_name(slice_of(name)) && read_file(a, path, &bytes)) {
		if (zone_parse(a, bytes, zone_r))
			return RC_OK;
		*why_r = arena_printf(a, "%s is no file of a time zone", path);
		return RC_BAD;
	}
	*why_r = arena_printf(a, "\"%s\" is no time zone of this machine; "
	    "write it as \"Europe/Berlin\" or \"UTC\" (the package tzdata has "
	    "them)", name);
	return RC_BAD;
}

static struct tm
local_time(const struct zone *z, int64_t moment, int64_t *offset_r)
{
	struct tm tm = { 0 };
	time_t t;

	*offset_r = zone_offset(z, moment);
	t = (time_t)(moment + *offset_r);
	gmtime_r(&t, &tm);
	return tm;
}

struct slice
zone_date(struct arena *a, const struct zone *z, int64_t moment)
{
	static const char days[][4] = { "Sun", "Mon", "Tue", "Wed", "Thu",
	    "Fri", "Sat" };
	static const char months[][4] = { "Jan", "Feb", "Mar", "Apr", "May",
	    "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	int64_t offset, minutes;
	struct tm tm = local_time(z, moment, &offset);

	/* Seconds in an offset were the fashion before 1972. */
	minutes = (offset < 0 ? -offset : offset) / 60;
	return arena_printf(a, "%s, %d %s %04d %02d:%02d:%02d %c%02d%02d",
	    days[tm.tm_wday], tm.tm_mday, months[tm.tm_mon],
	    tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec,
	    offset < 0 ? '-' : '+', (int)(minutes / 60), (int)(minutes % 60));
}

struct slice
zone_short(struct arena *a, const struct zone *z, int64_t moment)
{
	int64_t offset;
	struct tm tm = local_time(z, moment, &offset);

	return arena_printf(a, "%04d-%02d-%02d %02d:%02d", tm.tm_year + 1900,
	    tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min);
}
