#include "filter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "campaign.h"
#include "decide.h"
#include "log/log.h"
#include "marks.h"

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

const char *
antispam_marks_path(const char *state_directory, struct arena *a)
{
	return arena_printf(a, "%s/antispam/marks", state_directory).ptr;
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
	shared->gray = graymail_open();
	shared->marks = marks_watch(antispam_marks_path(house->state_directory,
	    a));
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
	graymail_close(shared->gray);
	campaign_drop(shared->campaigns);
	accounts_drop(shared->accounts);
	marks_drop(shared->marks);
	suffixes_close(shared->suffixes);
	free(shared);
}

static enum rc
open_accounts(const struct antispam_conf *conf,
    struct antispam_shared *shared, const struct antispam_shared *before,
    const char *dir, struct arena *a, struct slice *why_r)
{
	const char *anew = NULL;
	enum rc rc = RC_OK;

	if (conf->accounts > 0)
		rc = accounts_open(dir, conf->accounts, before != NULL ?
		    before->accounts : NULL, &shared->accounts, &anew, a,
		    why_r);
	if (rc == RC_OK && anew != NULL)
		log_info("%s/accounts: begun anew: %s", dir, anew);
	if (rc == RC_OK && shared->accounts != NULL &&
	    accounts_entries(shared->accounts) != conf->accounts)
		log_warning("accounts was changed; it counts from the next "
		    "start on");
	return rc;
}

/* Tables that outlive a reload and the process. */
static enum rc
open_state(const void *arg, void *arg_shared, void *arg_before,
    const char *dir, struct arena *a, struct slice *why_r)
{
	const struct antispam_conf *conf = arg;
	struct antispam_shared *shared = arg_shared, *before = arg_before;
	const char *anew = NULL;
	enum rc rc = open_accounts(conf, shared, before, dir, a, why_r);

	if (rc == RC_OK && conf->campaign_entries > 0)
		rc = campaign_open(dir, conf->campaign_entries, before != NULL ?
		    before->campaigns : NULL, &shared->campaigns, &anew, a,
		    why_r);
	if (rc == RC_OK && anew != NULL)
		log_info("%s/campaigns: begun anew: %s", dir, anew);
	if (rc == RC_OK && shared->campaigns != NULL &&
	    campaign_entries(shared->campaigns) != conf->campaign_entries)
		log_warning("campaign_entries was changed; it counts from the "
		    "next start on");
	return rc;
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
	.state = open_state,
	.ask = antispam_look,
	.decide = antispam_decide,
};
