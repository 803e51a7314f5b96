#include "filter.h"

#include "decide.h"
#include "options.h"


static enum rc
ask(struct job *job, struct slice *why_r)
{
	(void)why_r;
	job->answers = arena_alloc(job->arena,
	    sizeof(struct predelivery_answers));
	return RC_OK;
}

static enum rc
check(const void *conf, const struct house_conf *house, struct arena *a,
    struct slice *why_r)
{
	return predelivery_finish(conf, house, a, why_r);
}

const struct filter predelivery_filter = {
	.name = "predelivery",
	.options = predelivery_options,
	.conf_size = sizeof (struct predelivery_conf),
	.needs = NEED_BODY | EDITS_HEADERS | EDITS_BODY | EDITS_ENVELOPE |
	    HOLDS,
	.check = check,
	.ask = ask,
	.decide = predelivery_decide,
};
