#include "decide_part.h"

#include <string.h>

#include "base/map.h"

/* Theirs, in place: byte for byte, since the bytes are the key of a group. */
static void
resolve(const struct job *job, struct slice address,
    struct auth_check_conf *conf_r)
{
	struct scope_subject who;

	memcpy(conf_r, job->conf, sizeof *conf_r);
	scope_subject(job->arena, address, house_match(job->house), &who);
	scope_resolve(conf_r->scopes, &who, conf_r);
}

static struct group *
add_group(const struct job *job, const void *conf, struct group ***last)
{
	struct group *g = arena_alloc(job->arena, sizeof *g);

	g->job = *job;
	g->job.conf = conf;
	**last = g;
	*last = &g->next;
	return g;
}

/* One that has these options, byte for byte; or a new one. */
static struct group *
group_for(const struct job *job, struct map *known,
    const struct auth_check_conf *conf, struct group ***last)
{
	struct slice key = slice_make((const char *)conf, sizeof *conf);
	struct group *g = map_get(known, key);

	if (g != NULL)
		return g;
	g = add_group(job, arena_copy(job->arena, key).ptr, last);
	map_put(known, key, g);
	return g;
}

void
decide_groups(const struct job *job, struct groups *groups_r)
{
	const struct auth_check_conf *conf = job->conf;
	const struct envelope *e = job->envelope;
	struct group **last = &groups_r->first;
	struct auth_check_conf own;
	struct map *known;

	*groups_r = (struct groups){ .first = NULL };
	if (scope_count(conf->scopes) > 0 && e->nrecipients > 0) {
		groups_r->of = arena_array(job->arena, e->nrecipients,
		    sizeof(struct group *));
		known = map_new();
		for (size_t i = 0; i < e->nrecipients; i++) {
			const struct recipient *r = &e->recipients[i];

			if (slice_eq(r->mailer, SLICE("error")))
				continue;
			resolve(job, r->address, &own);
			groups_r->of[i] = group_for(job, known, &own, &last);
		}
		map_free(known);
	}
	if (groups_r->first == NULL)
		add_group(job, conf, &last);
}
