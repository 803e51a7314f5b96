/* The checks beside the classifier, in the order in which they run. */
#include "look.h"

static spam_check *const checks[] = {
	NULL
};

void
look_missed(struct spam_look *look, struct slice source)
{
	if (look->missed.len > 0)
		buf_adds(&look->missed, ", ");
	buf_add(&look->missed, source);
}

enum rc
checks_run(struct spam_look *look, struct slice *why_r)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; checks[i] != NULL && rc == RC_OK; i++)
		rc = checks[i](look, why_r);
	return rc;
}
