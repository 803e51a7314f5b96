/*
 * decide - what auth-check makes of its findings
 *
 * Pure: reads the job and its answers, returns a plan. Each method has a file
 * of its own (decide_spf.c ...) that says three things (decide_part.h): what
 * it would do, its part of Authentication-Results, and what it tells later
 * filters and the journal. The strongest action of all methods is done; of
 * several equal ones the rule is that of the first that has something to say:
 * DMARC, SPF, DKIM, ARC, iprev.
 *
 * Recipients whose options differ (conf/scope.h) get verdicts of their own
 * (decide_scope.c, policy/policy.h). The rest is the message's and told once, as the strictest
 * of them has it: Authentication-Results, findings, facts, and the tag, which
 * all get when one wants it. Where there are no scopes, or they come to the
 * same options, it is decided once.
 *
 * Findings for later filters (seal): "spf" and "spf-domain" of MAIL FROM,
 * "helo" and "helo-domain"; "dkim" and "dkim-domain" (the first that passed);
 * "dmarc", "dmarc-from" (the author domain), "dmarc-policy" (what its owner
 * asks for); "arc"; "iprev"; "tag" (the rule) when the mail is tagged.
 * Facts for the journal: doc/journal.
 */
#ifndef AUTH_CHECK_DECIDE_H
#define AUTH_CHECK_DECIDE_H

#include "dkim/arc.h"
#include "dmarc.h"
#include "iprev.h"
#include "milter/owners.h"
#include "backscatter.h"
#include "options.h"
#include "spf.h"

/* What begin, field and ask found out: job->answers. */
struct auth_answers {
	const char *skipped;		/* rule: why nothing was asked */
	bool hashes;			/* a field came that has a hash of the
					   body in it; else none is made */

	bool mail, helo;		/* is there such an answer of SPF? */
	struct spf_answer mail_answer, helo_answer;
	bool dkim;
	struct dkim_signature *signatures;
	size_t nsignatures;
	bool dmarc;
	struct from from;
	struct dmarc_answer policy;
	bool arc;
	struct arc_chain chain;
	bool iprev;
	struct iprev_answer name;
	bool backscatter;		/* bounce and proof are there */
	struct bounce *bounce;		/* NULL: not looked at */
	enum backscatter_proof proof;	/* of a DSN */
	struct owners owners;		/* by recipient (decide_scope.c) */
	struct slice sent_proof;	/* outbound: the field; or none */
	int64_t waited;			/* us, at the end of the message */
	int64_t waited_spf;		/* of these, for SPF's chain */

	/* What asks. */
	struct spf_ask *ask;
	deadline_t until;		/* of SPF's questions */
	struct header_ask *header;
	struct asking *address;
};

/* The options of each recipient, for auth_check_decide: at the end of ask.
 * RC_RETRY with *why_r: trouble of ours. */
enum rc decide_resolve(struct job *job, struct slice *why_r);

struct plan *auth_check_decide(const struct job *job);

#endif
