#include "filter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "decide.h"

static enum rc
check(const void *conf, const struct house_conf *house, struct arena *a,
    struct slice *why_r)
{
	const struct antispam_conf *own = conf;
	struct model *model;
	enum rc rc = antispam_check(own, house, a, why_r);

	if (rc != RC_OK || own->model[0] == '\0')
		return rc;
	rc = model_open(own->model, &model, a, why_r);
	model_close(model);
	return rc;
}

const char *
antispam_model_path(const char *option, const struct house_conf *house,
    struct arena *a)
{
	const char *own = arena_printf(a, "%s/antispam/model",
	    house->state_directory).ptr;

	if (option[0] != '\0')
		return option;
	/* One that we may not look at is not passed over in silence. */
	return access(own, F_OK) == 0 || (errno != ENOENT &&
	    errno != ENOTDIR) ? own : PKGDATADIR "/antispam.model";
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
	if (shared->suffixes == NULL)
		return RC_BAD;
	return model_open(antispam_model_path(conf->model, house, a),
	    &shared->model, a, why_r);
}

static void
close_shared(void *arg)
{
	struct antispam_shared *shared = arg;

	model_close(shared->model);
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
