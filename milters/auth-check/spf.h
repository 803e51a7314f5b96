/*
 * spf - check_host() of RFC 7208, pure and restartable
 *
 * spf_check() evaluates from the start with the answers that are known. What
 * it needs and does not get makes it SPF_PENDING; when the answers have come
 * it is simply called again. So it has no thread and no state: a test gives
 * it a table, spf_ask() a resolver.
 *
 * The lookup returns false when the answer is not known (yet), and takes note
 * that it is wanted; else true, with an answer that lives as long as the
 * arena. It is never asked for what is no domain name.
 *
 * Looking ahead: while an answer is pending, the terms behind it are looked
 * at too, so that their questions go out at once and a chain of questions is
 * as long as it must be, not as long as the record. It stops at a term that
 * is known to match or to fail, at the limits of the record itself and after
 * SPF_AHEAD questions, and it never changes a result: that is always the one
 * of terms evaluated in order.
 *
 * Limits (4.6.4): lookups (10 terms that ask, over includes and redirects),
 * voids (2; a term counts once, by its first question, so that IPv6 clients
 * are not punished for mail servers with IPv4 only), 10 names of an mx
 * (permerror over), 10 of a ptr (the rest is ignored).
 *
 * Pure: thread-safe with an arena of one's own.
 */
#ifndef AUTH_CHECK_SPF_H
#define AUTH_CHECK_SPF_H

#include "net/dns.h"
#include "net/ip.h"

enum spf_result { SPF_NONE = 0, SPF_NEUTRAL, SPF_PASS, SPF_SOFTFAIL, SPF_FAIL,
    SPF_TEMPERROR, SPF_PERMERROR, SPF_PENDING };

enum {
	SPF_LOOKUPS = 10, SPF_VOIDS = 2, SPF_MX = 10, SPF_PTR = 10,
	SPF_AHEAD = 20
};

struct spf_query {
	struct ip ip;			/* the client */
	struct slice helo;
	struct slice sender;		/* MAIL FROM without <>; empty: the HELO
					   identity is checked (2.4) */
	struct slice receiver;		/* %{r}; empty: "unknown" */
	int64_t now;			/* %{t} */
	unsigned voids;			/* allowed void lookups (4.6.4) */
	bool explain;			/* a fail asks for the domain's exp= */
	bool ahead;			/* look ahead */
};

struct spf_answer {
	enum spf_result result;
	struct slice identity;		/* what was checked: local@domain */
	struct slice domain;		/* the domain of that identity */
	struct slice decided;		/* whose record decided, or failed */
	struct slice mechanism;		/* the term that decided, as written;
					   "default" when none matched */
	struct slice explanation;	/* of the domain (6.2); ASCII; empty:
					   none. Not to be trusted */
	struct slice reason;		/* plain words; printable ASCII */
	unsigned lookups, voids;	/* terms counted (4.6.4) */
};

typedef bool spf_lookup(void *arg, struct slice name, enum dns_type type,
    struct dns_answer *answer_r);

/* What evaluates: spf_check, or spf_libspf2_check. */
typedef void spf_evaluate(struct arena *a, const struct spf_query *query,
    spf_lookup *lookup, void *arg, struct spf_answer *answer_r);

/* All slices of the answer live in the arena, in the query or in what the
 * lookup gave. */
spf_evaluate spf_check;

/* "pass", "fail", ... as in RFC 8601, 2.7.2. */
const char *spf_result_name(enum spf_result result);

#endif
