/*
 * spf-cases - reading t/spf/NAME.cases
 *
 * A file is a row of scenarios. Lines, words apart by blanks, "..." quotes,
 * \xNN stands for a byte, # begins a comment line:
 *
 *	scenario NAME
 *	NAME TXT "..." ["..."]		one record; its strings are joined
 *	NAME A|AAAA|PTR|CNAME VALUE
 *	NAME MX PREFERENCE VALUE
 *	NAME SERVFAIL|TIMEOUT [TYPE]	that type, or all not listed
 *	with ip=... helo=...		what the checks below begin with
 *	check NAME clause=7208:4.3 ip= helo= from= want=pass[,fail]
 *	    [exp="..."] [mech="..."] [domain=] [lookups=N] [voids=N]
 *	    [ordered=1]
 *
 * exp="" wants no explanation. A name that is not listed does not exist.
 * "ordered" holds only where answers keep the order of their records, as DNS
 * does not. spf_zone_lookup is a lookup over the zone.
 */
#ifndef T_SPF_CASES_H
#define T_SPF_CASES_H

#include "milters/auth-check/spf.h"

struct spf_rr {
	struct spf_rr *next;
	struct slice name;
	enum dns_type type;		/* 0: any, of a failure */
	enum dns_status status;		/* OK: a record */
	struct dns_record record;
};

struct spf_zone {
	struct arena *arena;
	struct slice name;
	struct spf_rr *first, **last;
	unsigned questions;
};

struct spf_case {
	struct slice name, clause, ip, helo, from, want, exp, mech, domain;
	int lookups, voids;		/* -1: not checked */
	int ordered;
	const struct spf_zone *zone;
};

struct spf_cases {
	struct spf_case *cases;
	size_t count;
};

/* Ends the test when the file is malformed. */
void spf_cases_read(struct arena *a, const char *path, struct spf_cases *r);
/* Is the result one of those wanted ("pass,neutral")? */
bool spf_cases_wanted(struct slice want, enum spf_result result);
bool spf_zone_lookup(void *zone, struct slice name, enum dns_type type,
    struct dns_answer *answer_r);

#endif
