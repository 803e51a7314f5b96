#include "decide_part.h"

static const char *
proof_name(enum backscatter_proof proof)
{
	static const char *const names[] = { "none", "header", "pair", "id",
	    "learning" };

	return names[proof];
}

/* Nothing to say but of a bounce, and where recipients want it judged. */
bool
backscatter_judge(const struct job *job, struct judgement *j_r)
{
	static const enum auth_action actions[] = { AUTH_ACCEPT, AUTH_TAG,
	    AUTH_QUARANTINE, AUTH_REJECT };
	const struct auth_check_conf *conf = job->conf;
	const struct auth_answers *seen = job->answers;

	if (conf->backscatter == AUTH_NDR_OFF)
		return false;
	*j_r = (struct judgement){ .action = AUTH_ACCEPT,
	    .rule = "bounce", .reason = SLICE("a bounce of mail that was sent "
	    "from here") };
	if (seen->proof == PROOF_LEARNING)
		j_r->reason = SLICE("a bounce; too little mail has gone out "
		    "through here to know of what");
	if (seen->proof != PROOF_NONE)
		return true;
	*j_r = (struct judgement){ .action = actions[conf->backscatter],
	    .rule = "spam-ndr", .option = "backscatter",
	    .reason = arena_printf(job->arena, "a bounce (%s) of mail that was "
	    "not sent from here", seen->bounce->sign),
	    .code = "7.1", .text = SLICE("bounce of a message that was not "
	    "sent from here"), .cause = CAUSE_SPAM_NDR };
	return true;
}

void
backscatter_tell(const struct job *job, struct plan *p)
{
	const struct auth_answers *seen = job->answers;
	const struct bounce *b = seen->bounce;

	(void)job;
	plan_fact(p, "gatehouse.bounce.kind",
	    slice_of(bounce_kind_name(b->kind)));
	plan_fact(p, "gatehouse.bounce.sign", slice_of(b->sign));
	if (b->kind != BOUNCE_DSN)
		return;
	plan_finding(p, "bounce", slice_of(proof_name(seen->proof)));
	plan_fact(p, "gatehouse.bounce.proof",
	    slice_of(proof_name(seen->proof)));
	if (b->ids.count > 0)
		plan_fact(p, "gatehouse.bounce.message_id", b->ids.items[0]);
}
