#include "filter.h"

#include <stdlib.h>
#include <string.h>

#include "campaign.h"
#include "decide.h"
#include "fraud.h"
#include "history.h"
#include "history_note.h"
#include "log/log.h"
#include "marks.h"
#include "people.h"
#include "nets.h"
#include "phish_feeds.h"

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
	const struct conf_list *const ours[] = { &house->domains,
	    &conf->protected_domains, &conf->partners, NULL };
	struct antispam_shared *shared = mem_alloc(sizeof *shared);

	memset(shared, 0, sizeof *shared);
	*shared_r = shared;		/* given back by close in any case */
	shared->gray = graymail_open();
	shared->marks = marks_watch(antispam_marks_path(house->state_directory,
	    a));
	shared->suffixes = suffixes_open("", a, why_r);
	if (shared->suffixes == NULL || spam_rules_load(conf->rules,
	    &shared->rules, a, why_r) != RC_OK)
		return RC_BAD;
	shared->known = phish_known_open(ours, shared->suffixes);
	shared->feeds = phish_feeds_open(arena_printf(a, "%s/antispam",
	    house->state_directory).ptr, &conf->phishing_feed);
	if (phish_files_open(conf, &shared->cells, a, why_r) != RC_OK)
		return RC_BAD;
	if (fraud_open(conf, house, shared->suffixes, &shared->fraud, a,
	    why_r) != RC_OK ||
	    nets_open(conf, dns, &shared->nets, a, why_r) != RC_OK)
		return RC_BAD;
	return watch_open(conf->model, house->state_directory, WATCH_MS,
	    &shared->watch, a, why_r);
}


/* Names are the directory's, so they are looked up with each new policy. */
static enum rc
survey(const void *arg, void *shared, const struct policy *policy,
    struct survey *s)
{
	const struct antispam_conf *conf = arg;
	struct people *people;
	struct slice nameless;
	enum rc rc = people_new(&conf->protected_people, policy, s->arena,
	    &people, &nameless, &s->why);

	if (rc != RC_OK)
		return rc;
	s->view = people;
	if (shared != NULL && nameless.ptr != NULL)
		log_warning("protected: the directory has no name for %.*s",
		    SLICE_ARG(nameless));
	return RC_OK;
}

static void
close_shared(void *arg)
{
	struct antispam_shared *shared = arg;

	watch_close(shared->watch);
	spam_rules_free(shared->rules);
	graymail_close(shared->gray);
	campaign_drop(shared->campaigns);
	accounts_drop(shared->accounts);
	marks_drop(shared->marks);
	phish_files_close(&shared->cells);
	phish_feeds_close(shared->feeds);
	phish_known_close(shared->known);
	suffixes_close(shared->suffixes);
	fraud_close(shared->fraud);
	history_drop(shared->history);
	nets_close(shared->nets);
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

static enum rc
open_campaigns(const struct antispam_conf *conf,
    struct antispam_shared *shared, const struct antispam_shared *before,
    const char *dir, struct arena *a, struct slice *why_r)
{
	const char *anew = NULL;
	enum rc rc = RC_OK;

	if (conf->campaign_entries > 0)
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

/* Tables that outlive a reload and the process. */
static enum rc
open_state(const void *arg, void *arg_shared, void *arg_before,
    const char *dir, struct arena *a, struct slice *why_r)
{
	const struct antispam_conf *conf = arg;
	struct antispam_shared *shared = arg_shared, *before = arg_before;
	enum rc rc = history_start(conf->history, before != NULL ?
	    before->history : NULL, dir, &shared->history, a, why_r);

	if (rc == RC_OK)
		rc = open_accounts(conf, shared, before, dir, a, why_r);
	if (rc == RC_OK)
		rc = open_campaigns(conf, shared, before, dir, a, why_r);
	return rc;
}

static void
begin(struct job *job)
{
	job->answers = arena_alloc(job->arena,
	    sizeof (struct antispam_answers));
	nets_begin(job);
}

const struct filter antispam_filter = {
	.name = "antispam",
	.options = antispam_options,
	.conf_size = sizeof (struct antispam_conf),
	.needs = NEED_BODY | NEED_DNS | EDITS_HEADERS | HOLDS,
	.check = check,
	.open = open_shared,
	/* The package's model is none of the administrator's files. */
	.opens_slowly = true,
	.survey = survey,
	.close = close_shared,
	.state = open_state,
	.begin = begin,
	.field = nets_field,
	.ask = antispam_look,
	.decide = antispam_decide,
};
