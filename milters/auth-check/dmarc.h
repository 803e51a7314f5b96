/*
 * dmarc - DMARC of one message (RFC 9989; RFC 7489), pure and restartable
 *
 * dmarc_check() evaluates from the start with the answers that are known. What
 * it needs and does not get makes it DMARC_PENDING; when the answers have come
 * it is simply called again. The lookup is that of SPF (spf.h): false when the
 * answer is not known (yet), and it takes note that it is wanted.
 *
 * All that may be wanted is noted at the first call: the whole walk up from
 * the author domain (DMARC_WALK names), whether that domain exists, and the
 * walks of those identifiers that may align. So there is one round of
 * questions. A caller who calls it without identifiers as soon as the From
 * field is there (and ignores the result) has the answers when the signatures
 * are verified. The answer never depends on the order in which answers came.
 *
 * dmarc_check		for one author domain
 * dmarc_check_from	for what the From reader found. No single author domain:
 *			never a pass. Each domain that a reader may see is
 *			checked; when one fails, that is the result, with the
 *			strictest policy among those that failed (RFC 9989,
 *			11.5), else permerror
 * dmarc_organization	the organizational domain of any domain: for report
 *			destinations. RC_RETRY: DNS did not say, or not yet
 *			(*pending_r)
 *
 * What decides: DMARC does not apply without a record (none), with several
 * records and none further up, or with one that cannot be used (permerror).
 * A DNS failure that leaves pass or fail open, also one that SPF or DKIM met
 * for an identifier that would align, is a temperror (5.3.5, 5.3.6); what
 * policy would have applied is in `published` where the record is known.
 * Policy is only ever applied to a fail.
 *
 * Questions: at most DMARC_WALK + 1 for the author domain and DMARC_WALK for
 * each of DMARC_IDENTIFIERS; identifiers beyond them align only when they are
 * the author domain itself. Pure: thread-safe with an arena of one's own.
 */
#ifndef AUTH_CHECK_DMARC_H
#define AUTH_CHECK_DMARC_H

#include "dmarc_record.h"
#include "from.h"
#include "text/psl.h"
#include "spf.h"

enum dmarc_result { DMARC_NONE = 0, DMARC_PASS, DMARC_FAIL, DMARC_TEMPERROR,
    DMARC_PERMERROR, DMARC_PENDING };	/* RFC 8601, 2.7 */

enum { DMARC_WALK = 8, DMARC_IDENTIFIERS = 11 };

/* A domain that SPF (of MAIL FROM) or DKIM vouched for; or would have, had
 * DNS not failed: then temporary is set. */
struct dmarc_identifier {
	struct slice domain;
	bool temporary;
};

struct dmarc_query {
	struct slice domain;		/* the author domain: A-labels, lower
					   case (from.h). dmarc_check_from
					   takes it from the From reader */
	struct dmarc_identifier spf;	/* domain.len 0: no pass */
	const struct dmarc_identifier *dkim;	/* passes only, d= */
	size_t ndkim;
	enum dmarc_mode mode;
	const struct suffixes *suffixes;	/* RFC 7489: must be there */
	unsigned sample;		/* RFC 7489, pct: 0..99, drawn by the
					   caller, the same for one message */
};

/* Which tag the policy came from. */
enum dmarc_source { DMARC_FROM_P, DMARC_FROM_SP, DMARC_FROM_NP };

/* Why less was applied than was published (RFC 9990: reason of
 * policy_evaluated). dmarc_check gives the first three, the site's policy the
 * others. */
enum dmarc_override { DMARC_AS_PUBLISHED = 0, DMARC_TEST_MODE,
    DMARC_SAMPLED_OUT, DMARC_TRUSTED_FORWARDER, DMARC_MAILING_LIST,
    DMARC_LOCAL_POLICY, DMARC_OTHER };

struct dmarc_answer {
	enum dmarc_result result;
	const char *rule;		/* static: "dkim", "spf" (pass),
					   "unaligned" (fail), "dns",
					   "no-record", "several-records",
					   "bad-record", "bad-domain",
					   "pending", or one of the From reader's */
	struct slice reason;		/* plain words; printable ASCII */
	struct slice domain;		/* author domain; SLICE_NONE: none */
	struct slice organization;	/* of the author domain; SLICE_NONE
					   where it was not needed */
	/* The record that applies: policy_published of RFC 9990. */
	bool found;
	struct slice record_domain;	/* where it stands, without "_dmarc." */
	struct dmarc_record record;
	bool by_list;			/* found by the public suffix list, not
					   by the walk: discovery_method */
	/* policy_evaluated */
	enum dmarc_policy published;	/* for this author domain */
	enum dmarc_source source;
	enum dmarc_policy policy;	/* for this message; none unless it is
					   a fail */
	enum dmarc_override override;
	bool dkim_aligned, spf_aligned;	/* ... and passed */
	struct slice dkim_domain;	/* the first d= that aligned */
	bool exists;			/* the author domain; true where it
					   was not asked */
};

void dmarc_check(struct arena *a, const struct dmarc_query *query,
    spf_lookup *lookup, void *arg, struct dmarc_answer *answer_r);
void dmarc_check_from(struct arena *a, const struct from *from,
    const struct dmarc_query *query, spf_lookup *lookup, void *arg,
    struct dmarc_answer *answer_r);

enum rc dmarc_organization(struct arena *a, struct slice domain,
    enum dmarc_mode mode, const struct suffixes *suffixes, spf_lookup *lookup,
    void *arg, struct slice *organization_r, bool *pending_r);

/* "none", "pass", "fail", "temperror", "permerror" (RFC 8601, 2.7). */
const char *dmarc_result_name(enum dmarc_result result);
/* "p", "sp", "np" */
const char *dmarc_source_name(enum dmarc_source source);
/* RFC 9990: "policy_test_mode", "sampled_out" (RFC 7489), ...; NULL for
 * DMARC_AS_PUBLISHED */
const char *dmarc_override_name(enum dmarc_override override);

#endif
