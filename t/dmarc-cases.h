/*
 * dmarc-cases - t/dmarc/NAME.cases: tables of DNS answers, and what DMARC
 * makes of them
 *
 *	# comment
 *	scenario NAME			begins another table
 *	NAME TXT "text"			one record; "\xNN" is a byte
 *	NAME TXT @FAIL			also @TIMEOUT
 *	NAME A				there is such a name
 *	check NAME clause=4.7 from=D dkim=D,D spf=D want=pass key=value ...
 *
 * dkim?= and spf?= are those that DNS kept from passing. mode=7489, sample=N.
 * The keys of what is wanted: see render() in t/auth-check-dmarc.c. A name
 * that is not in the table does not exist, unless something is below it.
 */
#ifndef T_DMARC_CASES_H
#define T_DMARC_CASES_H

#include "milters/auth-check/dmarc.h"

struct dmarc_zone_record {
	struct dmarc_zone_record *next;
	struct slice name, text;
	enum dns_type type;
	enum dns_status status;
};

struct dmarc_zone {
	struct arena *arena;
	struct slice name;
	struct dmarc_zone_record *records;
};

enum { DMARC_CASE_WORDS = 24 };

struct dmarc_case {
	struct dmarc_case *next;
	const struct dmarc_zone *zone;
	struct slice name, clause;
	struct dmarc_query query;
	struct slice wants[DMARC_CASE_WORDS];	/* "key=value" */
	size_t nwants;
};

/* All cases of all files of t/dmarc, in order. Malformed ones end the test. */
struct dmarc_case *dmarc_cases_read(struct arena *a,
    const struct suffixes *suffixes);

/* arg: a struct dmarc_zone. Always knows the answer. */
bool dmarc_zone_lookup(void *arg, struct slice name, enum dns_type type,
    struct dns_answer *answer_r);

#endif
