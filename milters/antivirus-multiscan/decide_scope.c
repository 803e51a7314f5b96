/* Whose options count, and who has the same. */
#include "decide_part.h"

#include "base/map.h"
#include "conf/scope.h"
#include "policy/policy.h"

/* Theirs, byte for byte, since the bytes are the key of a group. */
static enum rc
resolve(const struct job *job, struct slice address,
    struct antivirus_conf *conf_r, struct slice *why_r)
{
	const struct antivirus_conf *conf = job->conf;
	struct policy_who who;

	return job_settings(job, address, antivirus_options, conf->scopes,
	    sizeof *conf_r, conf_r, &who, why_r);
}

static bool
refused(const struct recipient *r)
{
	return slice_eq(r->mailer, SLICE("error"));
}

enum rc
antivirus_resolve(struct job *job, struct slice *why_r)
{
	const struct antivirus_conf *conf = job->conf;
	const struct envelope *e = job->envelope;
	struct antivirus_answers *seen = job->answers;
	bool out = job->direction == DIRECTION_OUT;
	enum rc rc = RC_OK;

	seen->own = NULL;
	seen->nown = 0;
	if ((scope_count(conf->scopes) == 0 &&
	    !policy_has_map(job->policy)) || (!out && e->nrecipients == 0))
		return RC_OK;
	seen->nown = out ? 1 : e->nrecipients;
	seen->own = arena_array(job->arena, seen->nown, sizeof *seen->own);
	for (size_t i = 0; rc == RC_OK && i < seen->nown; i++)
		if (out)
			rc = resolve(job, job_sender(job), &seen->own[i],
			    why_r);
		else if (!refused(&e->recipients[i]))
			rc = resolve(job, e->recipients[i].address,
			    &seen->own[i], why_r);
	return rc;
}

static struct group *
add_group(const struct job *job, const void *conf, struct group ***last)
{
	struct group *g = arena_alloc(job->arena, sizeof *g);

	g->conf = conf;
	**last = g;
	*last = &g->next;
	return g;
}

/* One that has these options, byte for byte; or a new one. */
static struct group *
group_for(const struct job *job, struct map *known,
    const struct antivirus_conf *conf, struct group ***last)
{
	struct slice key = slice_make((const char *)conf, sizeof *conf);
	struct group *g = map_get(known, key);

	if (g == NULL) {
		g = add_group(job, conf, last);
		map_put(known, key, g);
	}
	return g;
}

void
antivirus_groups(const struct job *job, struct groups *groups_r)
{
	const struct antivirus_answers *seen = job->answers;
	const struct envelope *e = job->envelope;
	struct group **last = &groups_r->first;
	struct map *known;

	*groups_r = (struct groups){ .first = NULL };
	if (seen->own == NULL || job->direction == DIRECTION_OUT) {
		add_group(job, seen->own != NULL ? seen->own : job->conf,
		    &last);
		return;
	}
	groups_r->of = arena_array(job->arena, e->nrecipients,
	    sizeof *groups_r->of);
	known = map_new();
	for (size_t i = 0; i < seen->nown; i++)
		if (!refused(&e->recipients[i]))
			groups_r->of[i] = group_for(job, known, &seen->own[i],
			    &last);
	map_free(known);
	if (groups_r->first == NULL)
		add_group(job, job->conf, &last);
}
