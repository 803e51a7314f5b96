#include "decide.h"

#include "outbound_run.h"

/* In this order. */
static step_work *const steps[] = {
	step_limits,
	step_senders,
	step_lint,
	step_bounce,
	NULL
};

struct plan *
predelivery_decide(const struct job *job)
{
	struct work w = { .job = job, .conf = job->conf,
	    .seen = job->answers, .plan = plan_new(job->arena, job->msg) };

	for (step_work *const *s = steps; *s != NULL; s++)
		if ((*s)(&w) == STEP_DONE)
			break;
	return w.plan;
}
