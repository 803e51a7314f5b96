/*
 * iprev - does the client's address have a name that has the address?
 * (RFC 8601, 3)
 *
 * iprev_check evaluates from the start with the answers that are known, as
 * spf_check() does (spf.h): IPREV_PENDING until there are enough.
 *
 *	IPREV_PASS	one of its names has the address
 *	IPREV_FAIL	names there are, and none has it
 *	IPREV_PERMERROR	it has no name, or the names have no address
 *	IPREV_TEMPERROR	DNS did not say
 *
 * likely is the name that Postfix found, or empty: its addresses are asked for
 * together with the names, so that most clients take one round of questions.
 * It never changes a result.
 *
 * Names looked at: IPREV_NAMES (RFC 7208, 4.6.4, has the same limit). Pure.
 */
#ifndef AUTH_CHECK_IPREV_H
#define AUTH_CHECK_IPREV_H

#include "net/asking.h"
#include "net/ip.h"

enum { IPREV_NAMES = 10, IPREV_QUESTIONS = IPREV_NAMES + 2 };

enum iprev_result { IPREV_PENDING = 0, IPREV_PASS, IPREV_FAIL,
    IPREV_TEMPERROR, IPREV_PERMERROR };

struct iprev_answer {
	enum iprev_result result;
	struct slice name;		/* the one that fits, or the first; or
					   SLICE_NONE */
	struct slice reason;		/* plain words; printable ASCII */
};

/* The answer's slices live in the arena or in what lookup gave. */
void iprev_check(struct arena *a, const struct ip *ip, struct slice likely,
    asking_lookup *lookup, void *arg, struct iprev_answer *answer_r);

/* "pass", "fail", "temperror", "permerror" (RFC 8601, 2.7.3). */
const char *iprev_result_name(enum iprev_result result);

#endif
