#include "filter.h"

#include <stdlib.h>
#include <string.h>

#include "decide.h"

static enum rc
check(const void *conf, const struct house_conf *house, struct arena *a,
    struct slice *why_r)
{
	const struct antispam_conf *own = conf;
	struct model *model;
	struct spam_rules *rules;
	enum rc rc = antispam_check(own, house, a, why_r);

	if (rc == RC_OK)
		rc = spam_rules_load(own->rules, &rules, a, why_r);
	if (rc == RC_OK)
		spam_rules_free(rules);
	if (rc != RC_OK || own->model[0] == '\0')
		return rc;
	rc = model_open(own->model, &model, a, why_r);
	model_close(model);
	return rc;
}

static enum rc
open_shared(const void *arg, const struct house_conf *house, struct dns *dns,
    void **shared_r, struct arena *a, struct slice *why_r)
{
	const struct antispam_conf *conf = arg;
	struct antispam_shared *shared = mem_alloc(sizeof *shared);

	(void)dns;
	memset(shared, 0, sizeof *shared);
	*shared_r = shared;		/* given back by close in any case */
	shared->suffixes = suffixes_open("", a, why_r);
	if (shared->suffixes == NULL || spam_rules_load(conf->rules,
	    &shared->rules, a, why_r) != RC_OK)
		return RC_BAD;
	return watch_open(conf->model, house->state_directory, WATCH_MS,
	    &shared->watch, a, why_r);
}

static void
close_shared(void *arg)
{
	struct antispam_shared *shared = arg;

	watch_close(shared->watch);
	spam_rules_free(shared->rules);
	suffixes_close(shared->suffixes);
	free(shared);
}

const struct filter antispam_filter = {
	.name = "antispam",
	.options = antispam_options,
	.conf_size = sizeof (struct antispam_conf),
	.needs = NEED_BODY | EDITS_HEADERS | HOLDS,
	.check = check,
	.open = open_shared,
	/* The package's model is none of the administrator's files. */
	.opens_slowly = true,
	.close = close_shared,
	.ask = antispam_look,
	.decide = antispam_decide,
};
