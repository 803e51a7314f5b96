/*
 * zone - time zones by their IANA names, for any thread
 *
 * libc knows one zone for the whole process and reads it from the environment,
 * which no thread may change while others run. So the files that libc reads
 * (TZif, RFC 9636) are read here: transitions, and the rule at the end for all
 * time behind them.
 *
 * zone_open	"Europe/Berlin": of $TZDIR or /usr/share/zoneinfo; "UTC". RC_BAD
 *		with *why_r for a name that is none there, or a file that is
 *		none. Lives in the arena; read-only
 * zone_offset	seconds east of Greenwich at that moment
 * zone_moment	the moment at which clocks show that local time (seconds since
 *		1970 as if local time were UTC). A time that is skipped when
 *		clocks go forward: the moment at which they do; one that comes
 *		twice: the first
 * zone_date	"Thu, 26 Nov 2026 09:00:00 +0100" (RFC 5322, 3.3)
 * zone_short	"2026-11-26 09:00"
 * zone_parse	the same from the bytes of a file
 */
#ifndef NOTICE_ZONE_H
#define NOTICE_ZONE_H

#include "base/arena.h"
#include "base/rc.h"

struct zone;

enum rc zone_open(struct arena *a, const char *name,
    const struct zone **zone_r, struct slice *why_r);
bool zone_parse(struct arena *a, struct slice file,
    const struct zone **zone_r);
int64_t zone_offset(const struct zone *z, int64_t moment);
int64_t zone_moment(const struct zone *z, int64_t local);
struct slice zone_date(struct arena *a, const struct zone *z, int64_t moment);
struct slice zone_short(struct arena *a, const struct zone *z,
    int64_t moment);

#endif
