#include "control.h"

static bool
same_mailbox(const struct attachment_whose *of, struct slice address,
    struct slice want)
{
	return slice_eq_nocase(address, want) ||
	    (of->who.address.ptr != NULL &&
	    slice_eq_nocase(of->who.address, want));
}

enum step
step_control(struct work *w)
{
	const struct envelope *e = w->job->envelope;
	const char *name = w->seen->sender.conf.control_mailbox;
	bool outside = false, there = false;

	if (name[0] == '\0' || w->job->direction != DIRECTION_OUT)
		return STEP_ON;
	for (size_t i = 0; i < e->nrecipients; i++) {
		const struct attachment_whose *of = &w->seen->of[i];

		if (slice_eq(e->recipients[i].mailer, SLICE("error")))
			continue;
		outside = outside || of->external;
		there = there || same_mailbox(of, e->recipients[i].address,
		    slice_of(name));
	}
	if (!outside || there)
		return STEP_ON;
	plan_reject(w->plan, "control-mailbox", arena_printf(w->plan->arena,
	    "%s is not among the recipients", name), arena_printf(
	    w->plan->arena, "5.7.1 mail to people outside needs %s among its "
	    "recipients", name));
	w->plan->all.scope = job_decided(w->job, &w->seen->sender.who,
	    "control_mailbox", w->conf->scopes);
	return STEP_DONE;
}
