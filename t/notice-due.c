/* Time zones against libc, and when digests are due over changes of the
 * clocks. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "notice/due.h"
#include "t/tap.h"

static struct arena *a;

static const struct zone *
zone(const char *name)
{
	const struct zone *z = NULL;
	struct slice why = SLICE("");

	if (zone_open(a, name, &z, &why) != RC_OK) {
		tap_ok(false, "%s: %.*s", name, SLICE_ARG(why));
		exit(tap_done());
	}
	return z;
}

/* libc reads the same files in its own way. */
static void
against_libc(const char *name)
{
	const struct zone *z = zone(name);
	unsigned wrong = 0;

	setenv("TZ", name, 1);
	tzset();
	srandom(1);
	for (int i = 0; i < 20000; i++) {
		/* 1900 to 2120, where rules hold that nobody changed yet. */
		time_t t = (time_t)(random() % 6940000000LL) * 3 - 2208988800LL;
		struct tm tm = { 0 };

		t %= 4733510400LL;
		localtime_r(&t, &tm);
		if (zone_offset(z, t) != tm.tm_gmtoff && wrong++ < 3)
			tap_diag("%s %lld: %lld, libc says %ld", name,
			    (long long)t, (long long)zone_offset(z, t),
			    tm.tm_gmtoff);
	}
	tap_is_int(wrong, 0, "%s: libc agrees", name);
}

/* A local time as text to seconds since 1970, as if it were UTC. */
static int64_t
as_utc(const char *text)
{
	struct tm tm = { 0 };

	if (sscanf(text, "%d-%d-%d %d:%d", &tm.tm_year, &tm.tm_mon,
	    &tm.tm_mday, &tm.tm_hour, &tm.tm_min) != 5)
		tap_ok(false, "%s is no time", text);
	tm.tm_year -= 1900;
	tm.tm_mon--;
	return timegm(&tm);
}

static const struct {
	const char *zone, *local, *utc;
} moments[] = {
	{ "UTC", "2026-03-29 02:30", "2026-03-29 02:30" },
	{ "Europe/Berlin", "2026-01-15 08:00", "2026-01-15 07:00" },
	{ "Europe/Berlin", "2026-07-15 08:00", "2026-07-15 06:00" },
	/* Skipped, and some way on twice. */
	{ "Europe/Berlin", "2026-03-29 02:30", "2026-03-29 01:00" },
	{ "Europe/Berlin", "2026-03-29 03:00", "2026-03-29 01:00" },
	{ "Europe/Berlin", "2026-03-29 01:59", "2026-03-29 00:59" },
	{ "Europe/Berlin", "2026-10-25 02:30", "2026-10-25 00:30" },
	{ "Europe/Berlin", "2026-10-25 03:00", "2026-10-25 02:00" },
	{ "America/New_York", "2026-03-08 02:15", "2026-03-08 07:00" },
	{ "America/New_York", "2026-11-01 01:30", "2026-11-01 05:30" },
	{ "Australia/Lord_Howe", "2026-10-04 02:10", "2026-10-03 15:30" },
	{ "Australia/Lord_Howe", "2026-04-05 01:45", "2026-04-04 14:45" },
	{ "Asia/Kathmandu", "2026-05-01 00:00", "2026-04-30 18:15" },
	{ "America/New_York", "2060-07-01 12:00", "2060-07-01 16:00" },
	{ "Australia/Sydney", "2061-01-01 12:00", "2061-01-01 01:00" },
};

static void
locals(void)
{
	for (size_t i = 0; i < sizeof moments / sizeof *moments; i++)
		tap_is(zone_short(a, zone("UTC"), zone_moment(
		    zone(moments[i].zone), as_utc(moments[i].local))),
		    slice_of(moments[i].utc), "%s %s", moments[i].zone,
		    moments[i].local);
	tap_is(zone_date(a, zone("America/New_York"),
	    as_utc("2026-11-26 04:05")), SLICE("Wed, 25 Nov 2026 23:05:00 "
	    "-0500"), "a date for a header");
}

static void
names(void)
{
	static const char *const none[] = { "", "Europe/Berlinn",
	    "../etc/passwd", "/etc/localtime", "Europe", "Europe//Berlin",
	    "zone.tab", "Europe/..%2f" };
	const struct zone *z;
	struct slice why;

	for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
		why = SLICE("");
		tap_ok(zone_open(a, none[i], &z, &why) == RC_BAD &&
		    why.len > 0, "\"%s\": %.*s", none[i], SLICE_ARG(why));
	}
}

static struct due_times
due_of(const char *name, const char *const *weekday,
    const char *const *weekend)
{
	struct due_times due = { .zone = zone(name) };

	for (; *weekday != NULL; weekday++)
		due_parse(slice_of(*weekday), &due.weekday[due.nweekday++]);
	for (; *weekend != NULL; weekend++)
		due_parse(slice_of(*weekend), &due.weekend[due.nweekend++]);
	return due;
}

/* A clock that goes from begin to end in steps, with jumps: how often each
 * slot was served. */
static unsigned
serve(const struct due_times *due, int64_t begin, int64_t end, int64_t step,
    bool jumps, unsigned *wrong_r)
{
	int64_t served = begin, slot, now = begin;
	unsigned count = 0;
	bool reset;

	*wrong_r = 0;
	for (int64_t t = begin; t <= end; t += step) {
		now = t;
		/* Jumps of a day back and forth, of an hour back. */
		if (jumps && t % (7 * step) == 0)
			now -= 86400;
		if (jumps && t % (11 * step) == 0)
			now -= 3600;
		if (!due_now(due, now, served, &slot, &reset))
			continue;
		*wrong_r += slot <= served || slot > now;
		served = slot;
		count++;
	}
	return count;
}

static void
every_day(const char *name)
{
	static const char *const weekday[] = { "00:00", "02:30", "08:00",
	    "16:30", NULL };
	static const char *const weekend[] = { "01:30", NULL };
	struct due_times due = due_of(name, weekday, weekend);
	int64_t begin = zone_moment(due.zone, as_utc("2026-01-01 00:00"));
	int64_t end = zone_moment(due.zone, as_utc("2027-01-01 00:00"));
	unsigned wrong, count;

	/* 261 weekdays with four, 104 days of weekends with one; the slot of
	 * the first moment was served, that of the last one is new. */
	count = serve(&due, begin, end, 60, false, &wrong);
	tap_is_int(count, 261 * 4 + 104, "%s: each slot of 2026 once", name);
	tap_is_int(wrong, 0, "and in order");
	count = serve(&due, begin, end, 60, true, &wrong);
	tap_is_int(count, 261 * 4 + 104, "%s: and with a clock that is set "
	    "back again and again", name);
	tap_is_int(wrong, 0, "in order");
	count = serve(&due, begin, end, 86400 * 3, false, &wrong);
	tap_ok(count > 100 && count <= 122 && wrong == 0,
	    "%s: a machine that is on every third day: %u", name, count);
}

static void
odd(void)
{
	static const char *const eight[] = { "08:00", NULL };
	static const char *const none[] = { NULL };
	struct due_times due = due_of("Europe/Berlin", eight, none);
	int64_t now = as_utc("2026-11-29 12:00"); /* a Sunday */
	int64_t slot;
	bool reset;
	unsigned minutes;

	tap_is(zone_short(a, due.zone, due_last(&due, now)),
	    SLICE("2026-11-27 08:00"), "on a Sunday the last was on Friday");
	tap_ok(!due_now(&due, now, now + 365 * 86400, &slot, &reset) && reset,
	    "a clock that was a year ahead is forgotten");
	tap_ok(due_now(&due, now + 2 * 86400, slot, &slot, &reset),
	    "and the next slot is served");
	tap_ok(!due_now(&due, now, now + 86400, &slot, &reset) && !reset,
	    "one that was a day ahead has served that day");
	due = due_of("Europe/Berlin", none, none);
	tap_ok(!due_now(&due, now, 0, &slot, &reset) && !reset,
	    "no times: never");
	tap_ok(due_parse(SLICE("23:59"), &minutes) && minutes == 1439 &&
	    !due_parse(SLICE("24:00"), &minutes) &&
	    !due_parse(SLICE("8:00"), &minutes) &&
	    !due_parse(SLICE("08:60"), &minutes) &&
	    !due_parse(SLICE("08-00"), &minutes) &&
	    !due_parse(SLICE(""), &minutes), "what is a time of the day");
}

int
main(void)
{
	static const char *const zones[] = { "Europe/Berlin",
	    "America/New_York", "Australia/Lord_Howe", "Australia/Sydney",
	    "Asia/Kathmandu", "UTC", "Europe/Dublin", "America/Sao_Paulo",
	    "Africa/Casablanca", "Asia/Tehran", "Pacific/Apia",
	    "America/Nuuk" };
	const struct zone *z;
	struct slice why = SLICE("");

	a = arena_new();
	if (zone_open(a, "Europe/Berlin", &z, &why) != RC_OK) {
		tap_skip(1, "NO TIME ZONES: the package tzdata is missing");
		return tap_done();
	}
	for (size_t i = 0; i < sizeof zones / sizeof *zones; i++)
		against_libc(zones[i]);
	locals();
	names();
	every_day("Europe/Berlin");
	every_day("America/New_York");
	every_day("Australia/Lord_Howe");
	every_day("UTC");
	odd();
	arena_free(a);
	return tap_done();
}
