#include "decide.h"

#include "control.h"
#include "dlp_step.h"
#include "judge.h"
#include "large.h"

/* In this order. */
static step_work *const steps[] = {
	step_control,			/* may it go out at all */
	step_attachment,
	step_large,
	dlp_step,			/* leaves what these said */
	NULL
};

struct plan *
attachment_decide(const struct job *job)
{
	struct work w = { .job = job, .conf = job->conf,
	    .seen = job->answers, .plan = plan_new(job->arena, job->msg) };

	for (step_work *const *s = steps; *s != NULL; s++)
		if ((*s)(&w) == STEP_DONE)
			break;
	return w.plan;
}
