#include "graymail_check.h"

#include "decide.h"

enum rc
graymail_check(struct spam_look *look, struct slice *why_r)
{
	const struct job *job = look->job;

	(void)why_r;
	if (look->shared->gray == NULL)
		return RC_OK;
	graymail_read(look->shared->gray, look->msg, look->content,
	    job != NULL ? job->envelope->sender : SLICE_NONE, &look->gray);
	if (look->gray.weight > 0)
		clues_add(look->clues, graymail_name(look->gray.kind),
		    look->gray.weight, CLASS_GRAYMAIL, look->gray.words);
	return RC_OK;
}

bool
graymail_spared(const struct job *job, const unsigned percent[CLASSES])
{
	const struct antispam_answers *seen = job->answers;

	return seen->gray.code && percent[CLASS_SPAM] < GRAYMAIL_STRONG &&
	    percent[CLASS_PHISHING] < GRAYMAIL_DOUBT &&
	    percent[CLASS_FRAUD] < GRAYMAIL_DOUBT &&
	    slice_eq(job_finding(job, SLICE("auth-check"), SLICE("dmarc")),
	    SLICE("pass"));
}

void
graymail_tell(struct plan *p, const struct graymail *gray)
{
	struct slice kind = slice_of(graymail_name(gray->kind));

	plan_fact(p, "gatehouse.spam.kind", kind);
	plan_finding(p, "kind", kind);
	if (!gray->code)
		return;
	plan_fact(p, "gatehouse.spam.code", SLICE("yes"));
	plan_finding(p, "code", SLICE("yes"));
}
