#include "decide_part.h"

#include "base/map.h"

/* What is set for one recipient; byte for byte, since the bytes are the key of
 * a group. */
struct own {
	struct auth_check_conf conf;
	struct policy_who who;
};

static bool
refused(const struct recipient *r)
{
	return slice_eq(r->mailer, SLICE("error"));
}

enum rc
decide_resolve(struct job *job, struct slice *why_r)
{
	const struct auth_check_conf *conf = job->conf;
	const struct envelope *e = job->envelope;
	struct auth_answers *seen = job->answers;
	enum rc rc = RC_OK;

	seen->own = NULL;
	if ((scope_count(conf->scopes) == 0 && !policy_has_map(job->policy)) ||
	    e->nrecipients == 0)
		return RC_OK;
	seen->own = arena_array(job->arena, e->nrecipients,
	    sizeof *seen->own);
	for (size_t i = 0; rc == RC_OK && i < e->nrecipients; i++)
		if (!refused(&e->recipients[i]))
			rc = job_settings(job, e->recipients[i].address,
			    auth_check_options, conf->scopes, sizeof *conf,
			    &seen->own[i].conf, &seen->own[i].who, why_r);
	return rc;
}

static struct group *
add_group(const struct job *job, const struct own *own, struct group ***last)
{
	struct group *g = arena_alloc(job->arena, sizeof *g);

	g->job = *job;
	if (own != NULL)
		g->job.conf = &own->conf;
	**last = g;
	*last = &g->next;
	return g;
}

/* One that has these options, byte for byte; or a new one. */
static struct group *
group_for(const struct job *job, struct map *known, const struct own *own,
    struct group ***last)
{
	struct slice key = slice_make((const char *)&own->conf,
	    sizeof own->conf);
	struct group *g = map_get(known, key);

	if (g != NULL)
		return g;
	g = add_group(job, own, last);
	map_put(known, key, g);
	return g;
}

void
decide_groups(const struct job *job, struct groups *groups_r)
{
	const struct auth_answers *seen = job->answers;
	const struct envelope *e = job->envelope;
	struct group **last = &groups_r->first;
	struct map *known;

	*groups_r = (struct groups){ .first = NULL };
	if (seen->own != NULL) {
		groups_r->of = arena_array(job->arena, e->nrecipients,
		    sizeof(struct group *));
		known = map_new();
		for (size_t i = 0; i < e->nrecipients; i++)
			if (!refused(&e->recipients[i]))
				groups_r->of[i] = group_for(job, known,
				    &seen->own[i], &last);
		map_free(known);
	}
	if (groups_r->first == NULL)
		add_group(job, NULL, &last);
}

struct slice
decide_level(const struct job *job, size_t recipient, const char *option)
{
	const struct auth_answers *seen = job->answers;
	const struct auth_check_conf *conf = job->conf;

	struct slice level = job_decided(job, &seen->own[recipient].who,
	    option, conf->scopes);

	/* Who said that a policy is followed has said what is done. */
	if (level.len == 0 && option != NULL &&
	    slice_starts(slice_of(option), SLICE("dmarc_")))
		level = job_decided(job, &seen->own[recipient].who,
		    "dmarc_policy", conf->scopes);
	return level;
}
