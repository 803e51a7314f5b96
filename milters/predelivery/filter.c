#include "filter.h"

#include <stdlib.h>
#include <string.h>

#include "country.h"
#include "decide.h"
#include "milter/seal.h"
#include "options.h"
#include "outbound_run.h"
#include "rules_do.h"
#include "shared.h"

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
	struct predelivery_answers *seen = job->answers;
	enum rc rc = outbound_ask(job, &shared->outbound, why_r);

	if (rc == RC_OK)
		rc = rules_ask(job, seen, why_r);
	return rc == RC_OK ? texts_ask(job, &seen->texts, why_r) : rc;
}

/* ---- the process ---- */

struct looking {
	const struct predelivery_shared *shared;
	struct arena *arena;
	struct slice why;
};

static void
close_shared(void *arg)
{
	struct predelivery_shared *shared = arg;

	outbound_close(&shared->outbound);
	rules_free(shared->rules);
	country_close(shared->countries);
	arena_free(shared->arena);
	free(shared);
}

static enum rc
open_countries(const struct predelivery_conf *conf,
    struct predelivery_shared *shared, struct arena *a, struct slice *why_r)
{
	if (!shared->rules->countries)
		return RC_OK;
	if (conf->country_db[0] == '\0') {
		*why_r = SLICE("a rule asks for a country, and country_db "
		    "names no database; name one");
		return RC_BAD;
	}
	return country_open(conf->country_db, &shared->countries, a, why_r);
}

static enum rc
open_rules(const struct predelivery_conf *conf,
    const struct house_conf *house, struct predelivery_shared *shared,
    struct arena *a, struct slice *why_r)
{
	enum rc rc = rules_load(conf->rules, true, &shared->rules, a, why_r);

	if (rc != RC_OK)
		return rc;
	if (shared->rules->discards && !house_stores(house)) {
		*why_r = SLICE("a rule discards mail, and there is no store "
		    "for a record of it; set store_key in gatehouse.conf, or "
		    "use quarantine");
		return RC_BAD;
	}
	return RC_OK;
}

static enum rc
open_disclaimers(const struct predelivery_conf *conf,
    struct predelivery_shared *shared, struct arena *a, struct slice *why_r)
{
	struct slice why = SLICE_NONE;
	enum rc rc;

	shared->arena = arena_new();
	rc = disclaimers_load(shared->arena, conf->disclaimer_folder, true,
	    &shared->disclaimers, &why);
	if (rc != RC_OK)
		*why_r = arena_copy(a, why);
	return rc == RC_OK ? texts_check(conf, shared->disclaimers,
	    shared->rules, a, why_r) : rc;
}

static enum rc
open_key(const struct house_conf *house, struct predelivery_shared *shared,
    struct arena *a, struct slice *why_r)
{
	struct seal_key key;

	if (house->seal_key[0] == '\0')
		return RC_OK;
	if (seal_key_load(house->seal_key, &key, a, why_r) != RC_OK)
		return RC_BAD;
	memcpy(shared->key, key.bytes, key.len);
	shared->trace_key = slice_make(shared->key, key.len);
	return RC_OK;
}

static enum rc
open_shared(const void *arg, const struct house_conf *house, struct dns *dns,
    void **shared_r, struct arena *a, struct slice *why_r)
{
	const struct predelivery_conf *conf = arg;
	struct predelivery_shared *shared = mem_alloc(sizeof *shared);
	enum rc rc;

	(void)dns;
	memset(shared, 0, sizeof *shared);
	*shared_r = shared;		/* given back by close in any case */
	rc = open_key(house, shared, a, why_r);
	if (rc == RC_OK)
		rc = open_rules(conf, house, shared, a, why_r);
	if (rc == RC_OK)
		rc = open_disclaimers(conf, shared, a, why_r);
	return rc == RC_OK ? open_countries(conf, shared, a, why_r) : rc;
}

/* A set that somebody is to have, and that has no rule. */
static enum rc
check_sets(struct slice where, const void *arg, void *to)
{
	const struct predelivery_conf *conf = arg;
	struct looking *l = to;

	for (size_t i = 0; i < conf->rule_sets.count; i++) {
		struct slice name = conf->rule_sets.items[i];

		if (slice_eq(name, SLICE("default")) ||
		    rules_set(l->shared->rules, name) != NULL)
			continue;
		l->why = arena_printf(l->arena, "%.*s%srule_sets names "
		    "\"%.*s\", and no rule is in that set; write a rule with "
		    "set = \"%.*s\", or take it out", SLICE_ARG(where),
		    where.len > 0 ? ": " : "", SLICE_ARG(name),
		    SLICE_ARG(name));
		return RC_BAD;
	}
	return RC_OK;
}

/* Postfix waits for our reply at MAIL FROM: SIZE= may be over a limit. */
static enum rc
survey(const void *arg, void *shared, const struct policy *policy,
    struct survey *s)
{
	const struct predelivery_conf *conf = arg;
	struct looking l = { .shared = shared, .arena = s->arena };
	struct outbound_view *view = NULL;
	enum rc rc = policy_each(policy, "predelivery", predelivery_options,
	    conf->scopes, conf, sizeof *conf, check_sets, &l, &s->why);

	if (l.why.ptr != NULL)
		s->why = l.why;
	if (rc == RC_OK)
		rc = outbound_survey(conf, policy, s->arena, &view, &s->why);
	s->view = view;
	s->needs = EARLY_MAIL;
	return rc;
}

static enum rc
open_state(const void *conf, void *arg, void *arg_before, const char *dir,
    struct arena *a, struct slice *why_r)
{
	struct predelivery_shared *shared = arg, *before = arg_before;

	return outbound_state(conf, &shared->outbound,
	    before != NULL ? &before->outbound : NULL, dir, a, why_r);
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
	.needs = NEED_BODY | NEED_DNS | EDITS_HEADERS | EDITS_BODY |
	    EDITS_ENVELOPE | HOLDS,
	.check = check,
	.open = open_shared,
	.survey = survey,
	.close = close_shared,
	.state = open_state,
	.begin = begin,
	.field = outbound_field,
	.ask = ask,
	.decide = predelivery_decide,
	.mail = outbound_mail,
};
