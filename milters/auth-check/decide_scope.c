#include "decide_part.h"

enum rc
decide_resolve(struct job *job, struct slice *why_r)
{
	const struct auth_check_conf *conf = job->conf;
	struct auth_answers *seen = job->answers;

	return owners_resolve(job, auth_check_options, conf->scopes,
	    sizeof *conf, false, &seen->owners, why_r);
}

void
decide_groups(const struct job *job, struct groups *groups_r)
{
	const struct auth_answers *seen = job->answers;
	struct owner_groups g;

	owners_group(job, &seen->owners, sizeof(struct auth_check_conf), &g);
	groups_r->n = g.n;
	groups_r->of = g.of;
	groups_r->each = arena_array(job->arena, g.n, sizeof *groups_r->each);
	for (size_t i = 0; i < g.n; i++) {
		groups_r->each[i].job = *job;
		groups_r->each[i].job.conf = g.conf[i];
	}
}

struct slice
decide_level(const struct job *job, size_t recipient, const char *option)
{
	const struct auth_answers *seen = job->answers;
	const struct auth_check_conf *conf = job->conf;
	struct slice level = owners_level(job, &seen->owners, recipient,
	    option, conf->scopes);

	/* Who said that a policy is followed has said what is done. */
	if (level.len == 0 && option != NULL &&
	    slice_starts(slice_of(option), SLICE("dmarc_")))
		level = owners_level(job, &seen->owners, recipient,
		    "dmarc_policy", conf->scopes);
	return level;
}
