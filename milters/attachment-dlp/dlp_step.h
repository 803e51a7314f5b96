/*
 * dlp_step - what must not go out: asking, and the step of decide
 *
 * dlp_ask	looks at all texts, when there are rules. RC_RETRY: not done in
 *		time
 * dlp_step	a step (decide.h). Outbound the sets of the sender's rules
 *		count, inbound each recipient's own; a rule is for recipients
 *		of its directions, "out" where it says nothing, so others get
 *		the message that is kept from those outside
 * dlp_survey	every set that somebody is to have has a rule
 *
 * Rule names in the log are "dlp-NAME"; "dlp-unread" is what dlp_unread did.
 */
#ifndef ATTACHMENT_DLP_STEP_H
#define ATTACHMENT_DLP_STEP_H

#include "decide.h"
#include "dlp_look.h"

enum dlp_unread_policy { UNREAD_PASS = 0, UNREAD_HOLD, UNREAD_BLOCK };

struct dlp_answers {
	struct dlp_texts texts;
	struct dlp_found found;
};

enum rc dlp_ask(const struct job *job, const struct dlp_rules *rules,
    const struct items *items, deadline_t until, struct dlp_answers **seen_r,
    struct slice *why_r);
enum step dlp_step(struct work *w);
enum rc dlp_survey(const struct attachment_conf *conf,
    const struct dlp_rules *rules, const struct policy *policy,
    struct survey *s);

/* Whether the rule is for one of the recipients, by direction and set. */
bool dlp_concerns(const struct dlp_rule *rule, const struct job *job,
    const struct attachment_answers *seen);

/* What a rule that matched, or unread text, means for a recipient: the first
 * of the strongest. NULL: nothing. For `gatehouse dlp test` too. */
struct dlp_decided {
	enum dlp_action action;
	const struct dlp_result *by;	/* NULL: unread text */
	const struct dlp_result *audit;	/* the first in audit that matched */
	bool tag, encrypt, notify;
};

struct dlp_decided dlp_decide(const struct dlp_answers *seen,
    const struct attachment_conf *conf, enum direction direction);

#endif
