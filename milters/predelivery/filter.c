#include "filter.h"

#include <stdlib.h>

#include "decide.h"
#include "options.h"
#include "outbound_run.h"

/* What all messages share. */
struct predelivery_shared {
	struct outbound_shared outbound;
};

static void
begin(struct job *job)
{
	const struct predelivery_shared *shared = job->shared;
	struct predelivery_answers *seen = arena_alloc(job->arena,
	    sizeof *seen);

	job->answers = seen;
	if (shared->outbound.key.len > 0)
		seen->bounce_key = &shared->outbound.key;
	outbound_begin(job, &shared->outbound);
}

static enum rc
ask(struct job *job, struct slice *why_r)
{
	const struct predelivery_shared *shared = job->shared;

	(void)why_r;
	outbound_ask(job, &shared->outbound);
	return RC_OK;
}

/* ---- the process ---- */

static enum rc
check(const void *conf, const struct house_conf *house, struct arena *a,
    struct slice *why_r)
{
	return predelivery_finish(conf, house, a, why_r);
}

static enum rc
open_shared(const void *conf, const struct house_conf *house, struct dns *dns,
    void **shared_r, struct arena *a, struct slice *why_r)
{
	(void)conf;
	(void)house;
	(void)dns;
	(void)a;
	(void)why_r;
	*shared_r = mem_alloc(sizeof(struct predelivery_shared));
	return RC_OK;
}

static void
close_shared(void *arg)
{
	struct predelivery_shared *shared = arg;

	outbound_close(&shared->outbound);
	free(shared);
}

static enum rc
open_state(const void *conf, void *arg, void *arg_before, const char *dir,
    struct arena *a, struct slice *why_r)
{
	struct predelivery_shared *shared = arg, *before = arg_before;

	return outbound_state(conf, &shared->outbound,
	    before != NULL ? &before->outbound : NULL, dir, a, why_r);
}

/* Postfix waits for our reply at MAIL FROM: SIZE= may be over a limit. */
static unsigned
wants(const void *conf)
{
	(void)conf;
	return EARLY_MAIL;
}

const struct filter predelivery_filter = {
	.name = "predelivery",
	.options = predelivery_options,
	.conf_size = sizeof (struct predelivery_conf),
	.needs = NEED_BODY | NEED_DNS | EDITS_HEADERS | EDITS_BODY |
	    EDITS_ENVELOPE | HOLDS,
	.wants = wants,
	.check = check,
	.open = open_shared,
	.close = close_shared,
	.state = open_state,
	.begin = begin,
	.field = outbound_field,
	.ask = ask,
	.decide = predelivery_decide,
	.mail = outbound_mail,
};
