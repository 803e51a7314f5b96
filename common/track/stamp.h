/*
 * stamp - the time at the head of a syslog line
 *
 * "Nov 26 10:45:32 "			local time, no year (RFC 3164, and
 *					maillog_file of Postfix)
 * "2026-11-26T10:45:32.123456+01:00 "	RFC 3339; a space for the T, a Z, no
 *					zone (local time) are taken too
 * "<22>..." and "<22>1 ..."		a priority, and RFC 5424's version
 *
 * stamp_read	takes it, and the blanks behind it, from *rest; milliseconds
 *		since 1970. A time without a year is the last one that is at
 *		most two days after `now`. False: no such thing there
 *
 * A struct stamp keeps what the last line said, since most say the same; one
 * thread each. Where clocks are set back (DST), the hour that comes twice is
 * taken as libc does.
 */
#ifndef TRACK_STAMP_H
#define TRACK_STAMP_H

#include "base/slice.h"

struct stamp {
	int64_t now;			/* seconds; set by the caller */
	char text[24];			/* the last one, to its second */
	size_t len;
	int64_t seconds;
	bool rfc5424;			/* of the line read last */
};

bool stamp_read(struct stamp *st, struct slice *rest, int64_t *ms_r);

/* Days since 1970 of a time in ms; also before 1970. */
int64_t stamp_day(int64_t ms);

#endif
