/* Dates of messages: what RFC 5322 allows, what it does not; and libc. */
#include <stdio.h>
#include <time.h>

#include "t/tap.h"
#include "text/date.h"

static const struct {
	const char *value;
	int64_t want;			/* -1: no date */
} cases[] = {
	{ "Fri, 21 Nov 1997 09:55:06 -0600", 880127706 },
	{ "21 Nov 97 09:55:06 GMT", 880106106 },
	{ "Thu,\r\n      13\r\n        Feb\r\n          1969\r\n      23:32"
	  "\r\n               -0330 (Newfoundland Time)", -27723480 },
	{ "Sun, 22 Nov 2026 10:00:00 +0000", 1795341600 },
	{ "22 Nov 2026 10:00 +0000", 1795341600 },
	{ "sun, 22 nov 2026 10:00:00 ut", 1795341600 },
	{ "Sun , 22 Nov 2026 10 : 00 : 00 +0000", 1795341600 },
	{ "(a (b \\) c)) 22 Nov 2026 10:00:00 +0200 ()", 1795334400 },
	{ "22 Nov 2026 10:00:00 Z", 1795341600 },
	{ "22 Nov 2026 10:00:00 EST", 1795359600 },
	{ "29 Feb 2024 00:00:00 +0000", 1709164800 },
	{ "31 Dec 2026 23:59:60 +0000", 1798761600 },
	{ "1 Jan 1970 00:00:00 +0000", 0 },
	{ "1 Jan 49 00:00:00 +0000", 2493072000 },
	{ "1 Jan 126 00:00:00 +0000", 1767225600 },
	{ "", -1 },
	{ "now", -1 },
	{ "2026-11-22T10:00:00Z", -1 },
	{ "Sun, 22 Nov 2026 10:00:00", -1 },
	{ "Sun 22 Nov 2026 10:00:00 +0000", -1 },
	{ "Sonntag, 22 Nov 2026 10:00:00 +0000", -1 },
	{ "29 Feb 2026 00:00:00 +0000", -1 },
	{ "31 Apr 2026 00:00:00 +0000", -1 },
	{ "0 Apr 2026 00:00:00 +0000", -1 },
	{ "22 Nov 2026 24:00:00 +0000", -1 },
	{ "22 Nov 2026 10:60:00 +0000", -1 },
	{ "22 Nov 2026 1:00:00 +0000", -1 },
	{ "22 Nov 2026 10:00:00 +000", -1 },
	{ "22 Nov 2026 10:00:00 +0060", -1 },
	{ "22 Nov 2026 10:00:00 + 0000", -1 },
	{ "22 Nov 2026 10:00:00 J", -1 },
	{ "22 Nov 2026 10:00:00 MESZ", -1 },
	{ "22 Nov 2026 10:00:00 +0000 x", -1 },
	{ "22 Nov 2026 10:00:00 +0000 (x", -1 },
	{ "22 Nov 2026 10:00:00 (\\", -1 },
	{ "22 Nov 9999999 10:00:00 +0000", -1 },
};

int
main(void)
{
	char nested[400];
	int64_t got;
	unsigned wrong = 0;

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		bool date = date_read(slice_of(cases[i].value), &got);

		tap_is_int(date ? got : -1, cases[i].want, "date %zu",
		    i);
	}
	/* Each day of 150 years as libc writes it. */
	for (time_t t = -2000000000; t < 3000000000; t += 86401) {
		char text[64];
		struct tm tm;

		gmtime_r(&t, &tm);
		strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S +0000", &tm);
		wrong += !date_read(slice_of(text), &got) || got != t;
	}
	tap_is_int(wrong, 0, "libc agrees for 150 years");
	for (size_t i = 0; i < sizeof nested - 1; i++)
		nested[i] = '(';
	tap_ok(!date_read(slice_make(nested, sizeof nested - 1), &got),
	    "comments nest so deep, no deeper");
	return tap_done();
}
