#include "milter/owners.h"

#include "base/map.h"
#include "conf/scope.h"

static bool
refused(const struct recipient *r)
{
	return slice_eq(r->mailer, SLICE("error"));
}

static enum rc
resolve(const struct job *job, struct slice address,
    const struct conf_option *options, const struct scopes *scopes,
    size_t size, struct owner *owner, struct slice *why_r)
{
	void *conf = arena_alloc(job->arena, size);

	owner->conf = conf;
	return job_settings(job, address, options, scopes, size, conf,
	    &owner->who, why_r);
}

enum rc
owners_resolve(const struct job *job, const struct conf_option *options,
    const struct scopes *scopes, size_t size, bool sender,
    struct owners *owners_r, struct slice *why_r)
{
	const struct envelope *e = job->envelope;
	size_t n = sender ? 1 : e->nrecipients;
	enum rc rc = RC_OK;

	*owners_r = (struct owners){ .sender = sender };
	if (n == 0 || (scope_count(scopes) == 0 &&
	    !policy_has_map(job->policy)))
		return RC_OK;
	owners_r->each = arena_array(job->arena, n, sizeof *owners_r->each);
	owners_r->n = n;
	for (size_t i = 0; rc == RC_OK && i < n; i++)
		if (sender || !refused(&e->recipients[i]))
			rc = resolve(job, sender ? job_sender(job) :
			    e->recipients[i].address, options, scopes, size,
			    &owners_r->each[i], why_r);
	return rc;
}

const void *
owners_conf(const struct job *job, const struct owners *owners, size_t i)
{
	if (owners->each == NULL)
		return job->conf;
	return owners->each[owners->sender ? 0 : i].conf;
}

static void
one_group(const struct job *job, const void *conf, struct owner_groups *g)
{
	*g = (struct owner_groups){ .n = 1 };
	g->conf = arena_alloc(job->arena, sizeof *g->conf);
	g->conf[0] = conf;
}

/* The number of the group with these options; a new one at the end. The map
 * holds numbers from 1, since NULL is "not there". */
static unsigned
group_of(struct owner_groups *g, struct map *known, const void *conf,
    size_t size)
{
	struct slice key = slice_make(conf, size);
	uintptr_t at = (uintptr_t)map_get(known, key);

	if (at == 0) {
		g->conf[g->n++] = conf;
		at = g->n;
		map_put(known, key, (void *)at);
	}
	return (unsigned)at - 1;
}

void
owners_group(const struct job *job, const struct owners *owners, size_t size,
    struct owner_groups *groups_r)
{
	size_t n = owners->n;
	struct map *known;

	if (owners->each == NULL || owners->sender) {
		one_group(job, owners_conf(job, owners, 0), groups_r);
		return;
	}
	*groups_r = (struct owner_groups){ .n = 0 };
	groups_r->conf = arena_array(job->arena, n, sizeof *groups_r->conf);
	groups_r->of = arena_array(job->arena, n, sizeof *groups_r->of);
	known = map_new();
	for (size_t i = 0; i < n; i++)
		groups_r->of[i] = owners->each[i].conf == NULL ? OWNER_NONE :
		    group_of(groups_r, known, owners->each[i].conf, size);
	map_free(known);
	if (groups_r->n == 0)
		one_group(job, job->conf, groups_r);
}

struct slice
owners_level(const struct job *job, const struct owners *owners, size_t i,
    const char *option, const struct scopes *scopes)
{
	if (owners->each == NULL)
		return SLICE("");
	return job_decided(job, &owners->each[i].who, option, scopes);
}
