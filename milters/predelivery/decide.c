#include "decide.h"

#include "disclaimer.h"
#include "external.h"
#include "outbound_run.h"
#include "rules_do.h"

/* In this order. */
static step_work *const steps[] = {
	step_limits,			/* who may send it at all */
	step_senders,
	step_lint,
	rules_step,
	disclaimer_step,
	external_step,
	step_bounce,			/* not where a rule has set a sender */
	subject_step,			/* when all marks are known */
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
