#include "decide.h"

#include "rules_do.h"

/* In this order. */
static step_work *const steps[] = {
	rules_step,
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
