/* Whose options count, and who has the same. */
#include "decide_part.h"

#include <string.h>

#include "base/map.h"
#include "conf/scope.h"

/* Theirs, in place: byte for byte, since the bytes are the key of a group. */
static void
resolve(const struct job *job, struct slice address,
    struct antivirus_conf *conf_r)
{
	struct scope_subject who;

	memcpy(conf_r, job->conf, sizeof *conf_r);
	scope_subject(job->arena, address, house_match(job->house), &who);
	scope_resolve(conf_r->scopes, &who, conf_r);
}

static bool
refused(const struct recipient *r)
{
	return slice_eq(r->mailer, SLICE("error"));
}

/* An inbound message is its recipients', an outbound one is whose login it
 * came by; one that came without is its sender's. */
static struct slice
sender_of(const struct job *job)
{
	struct slice user = job->client->user;

	return slice_has(user, '@') ? user : job->envelope->sender;
}

void
antivirus_resolve(struct job *job)
{
	const struct antivirus_conf *conf = job->conf;
	const struct envelope *e = job->envelope;
	struct antivirus_answers *seen = job->answers;
	bool out = job->direction == DIRECTION_OUT;

	seen->own = NULL;
	seen->nown = 0;
	if (scope_count(conf->scopes) == 0 || (!out && e->nrecipients == 0))
		return;
	seen->nown = out ? 1 : e->nrecipients;
	seen->own = arena_array(job->arena, seen->nown, sizeof *seen->own);
	for (size_t i = 0; i < seen->nown; i++)
		if (out)
			resolve(job, sender_of(job), &seen->own[i]);
		else if (!refused(&e->recipients[i]))
			resolve(job, e->recipients[i].address, &seen->own[i]);
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
