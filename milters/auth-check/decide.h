/*
 * decide - what auth-check makes of its findings
 *
 * Pure: reads the job and its answers, returns a plan.
 *
 * Findings for later filters (seal): "spf" and "spf-domain" of MAIL FROM,
 * "helo" and "helo-domain", "tag" (the rule) when the mail is tagged.
 * Facts for the journal: gatehouse.spf.{result,domain,mechanism,reason,
 * lookups,void_lookups,ms}, gatehouse.spf.helo.{result,domain,reason},
 * gatehouse.authres.removed.
 */
#ifndef AUTH_CHECK_DECIDE_H
#define AUTH_CHECK_DECIDE_H

#include "milter/filter.h"
#include "options.h"
#include "spf.h"

/* What begin and ask found out: job->answers. */
struct auth_answers {
	struct spf_ask *ask;		/* NULL: nothing was asked */
	const char *skipped;		/* rule: why nothing was asked */
	deadline_t until;		/* of the questions */
	bool mail, helo;		/* is there such an answer? */
	struct spf_answer mail_answer, helo_answer;
	int64_t waited;			/* us, at the end of the message */
};

struct plan *auth_check_decide(const struct job *job);

#endif
