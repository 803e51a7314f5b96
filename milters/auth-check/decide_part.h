/*
 * decide_part - what one method says of a message
 *
 * NAME_judge	what it would do, and why; false: it has nothing to say
 * NAME_results	its part of Authentication-Results
 * NAME_tell	findings and facts
 *
 * Each is called only when the method was asked (auth_answers). Pure.
 */
#ifndef AUTH_CHECK_DECIDE_PART_H
#define AUTH_CHECK_DECIDE_PART_H

#include "authres.h"
#include "decide.h"

struct judgement {
	enum auth_action action;
	const char *rule;
	const char *option;		/* that said so; NULL: named as rule */
	struct slice reason;
	const char *code;		/* of the reply, behind its class:
					   "7.23" (RFC 7372) */
	struct slice text;		/* and what stands behind it */
	enum cause cause;		/* of a quarantine; none: policy */
};

typedef bool part_judge(const struct job *job, struct judgement *j_r);
typedef void part_results(const struct job *job, struct authres *w);
typedef void part_tell(const struct job *job, struct plan *p);

part_judge spf_judge, dkim_judge, dmarc_judge, arc_judge, iprev_judge,
    backscatter_judge;
part_results spf_results, dkim_results, dmarc_results, arc_results,
    iprev_results;
part_tell spf_tell, dkim_tell, dmarc_tell, arc_tell, iprev_tell,
    backscatter_tell;

/*
 * Recipients with the same options: the verdict is theirs. decide_groups makes
 * one group of all where nobody has options of his own (decide_resolve); else
 * in the order in which recipients of each first come. Judgement and verdict
 * are left to the caller.
 */
struct group {
	struct job job;			/* conf is theirs */
	struct judgement judgement;
	struct verdict verdict;
};

struct groups {
	struct group *each;
	size_t n;			/* at least one */
	const unsigned *of;		/* by recipient, OWNER_NONE where Postfix
					   has refused him; NULL: one group */
};

void decide_groups(const struct job *job, struct groups *groups_r);

/* Which level set that option for the recipient (job_decided). */
struct slice decide_level(const struct job *job, size_t recipient,
    const char *option);

/* The body of a Received-SPF field (RFC 7208, 9.1). */
struct slice spf_received(const struct job *job);

/* What is done about a policy, and why less (or more) than published. */
struct dmarc_outcome {
	enum dmarc_policy policy;
	enum dmarc_override override;
	struct slice comment;		/* plain words; empty: none */
	const char *option;		/* that decided */
	enum auth_action action;
};

void dmarc_outcome(const struct job *job, struct dmarc_outcome *outcome_r);

/* policy_evaluated (RFC 9990): what was done, whoever wanted it. */
enum dmarc_policy dmarc_disposition(const struct judgement *done);

/* Sets the facts that depend on what was done in the end: disposition and
 * override reasons (RFC 9990). */
void dmarc_tell_done(const struct job *job, struct plan *p,
    const struct judgement *done);

/* Does a sealer that is trusted say that DMARC passed for that domain? Then
 * *comment_r names the seals (RFC 8617, 7.2.2). */
bool arc_vouches(const struct job *job, struct slice domain,
    struct slice *comment_r);

/* One word more; "-" for an empty one. What is joined so is one fact. */
void part_word(struct buf *list, struct slice word);

#endif
