#include "texts.h"

#include "disclaimer.h"
#include "external.h"
#include "outbound_run.h"
#include "shared.h"

static bool
counts(const struct recipient *r)
{
	return !slice_eq(r->mailer, SLICE("error"));
}

static enum rc
settings(const struct job *job, struct slice address,
    const struct predelivery_conf **own_r, struct policy_who *who_r,
    struct slice *why_r)
{
	const struct predelivery_conf *conf = job->conf;
	struct predelivery_conf *own = arena_alloc(job->arena, sizeof *own);

	*own_r = own;
	return job_settings(job, address, predelivery_options, conf->scopes,
	    sizeof *own, own, who_r, why_r);
}

/* ---- outbound ---- */

/* Is anybody outside of the house among the recipients? */
static enum rc
leaves(const struct job *job, bool *leaves_r, struct slice *why_r)
{
	const struct envelope *e = job->envelope;
	enum rc rc = RC_OK;

	*leaves_r = false;
	for (size_t i = 0; i < e->nrecipients && rc == RC_OK && !*leaves_r;
	    i++) {
		struct policy_who who;

		if (!counts(&e->recipients[i]))
			continue;
		rc = policy_find(job->policy, job->arena,
		    e->recipients[i].address, &who);
		*leaves_r = rc == RC_OK && !who.ours;
	}
	if (rc != RC_OK)
		*why_r = SLICE("the policy cannot be read");
	return rc;
}

static enum rc
ask_sender(const struct job *job, struct texts *t, struct slice *why_r)
{
	const struct predelivery_answers *seen = job->answers;
	const struct predelivery_conf *own;
	struct slice address = job_sender(job);
	bool out = true;
	enum rc rc;

	/* login_domain counts here too. */
	if (seen->outbound != NULL &&
	    seen->outbound->sender.address.ptr != NULL)
		address = seen->outbound->sender.address;
	rc = settings(job, address, &own, &t->who, why_r);

	if (rc == RC_OK && own->disclaimers.count > 0 &&
	    !own->disclaimer_internal)
		rc = leaves(job, &out, why_r);
	t->sender = out ? own : NULL;
	return rc;
}

/* ---- inbound ---- */

struct domains {
	const struct job *job;
	bool *trouble;
};

static bool
is_ours(const void *arg, struct slice domain)
{
	const struct domains *d = arg;
	struct policy_who who;

	if (conf_list_has(&d->job->house->domains, domain))
		return true;
	if (policy_find(d->job->policy, d->job->arena,
	    arena_printf(d->job->arena, "postmaster@%.*s", SLICE_ARG(domain)),
	    &who) == RC_OK)
		return who.ours;
	*d->trouble = true;
	return false;
}

static void
first(struct slice *mine, const char *text)
{
	if (mine->ptr == NULL && text[0] != '\0')
		*mine = slice_of(text);
}

/* Postfix shows mail of the machine's own programs as from 127.0.0.1. */
static bool
from_outside(const struct ip *ip)
{
	struct ip own;

	if (ip->family == 0)
		return false;
	return !(ip_parse(SLICE("127.0.0.1"), &own) && ip_match(ip, &own, 8)) &&
	    !(ip_parse(SLICE("::1"), &own) && ip_match(ip, &own, 128));
}

static enum rc
ask_recipients(const struct job *job, struct texts *t, struct slice *why_r)
{
	const struct envelope *e = job->envelope;
	bool trouble = false;
	struct domains domains = { job, &trouble };
	struct external_ours o = { is_ours, &domains };
	bool ours;

	if (!from_outside(&job->client->ip))
		return RC_OK;
	ours = external_ours(job->arena, job->msg, &o);
	if (trouble) {
		*why_r = SLICE("the policy cannot be read");
		return RC_RETRY;
	}
	for (size_t i = 0; i < e->nrecipients; i++) {
		const struct predelivery_conf *own;
		struct policy_who who;

		if (!counts(&e->recipients[i]))
			continue;
		if (settings(job, e->recipients[i].address, &own, &who,
		    why_r) != RC_OK)
			return RC_RETRY;
		if (own->external_for == EXTERNAL_ALL || ours) {
			first(&t->mark, own->external_mark);
			first(&t->subject, own->external_subject);
			first(&t->banner, own->external_banner);
		}
	}
	return RC_OK;
}

enum rc
texts_ask(const struct job *job, struct texts *t, struct slice *why_r)
{
	return job->direction == DIRECTION_IN ?
	    ask_recipients(job, t, why_r) : ask_sender(job, t, why_r);
}

/* ---- when it is loaded ---- */

struct names {
	const struct disclaimers *list;
	const char *folder;
	struct arena *a;
	struct slice why;
};

static enum rc
exists(struct names *n, struct slice where, struct slice name)
{
	if (name.len == 0 || disclaimers_find(n->list, name) != NULL)
		return RC_OK;
	n->why = arena_printf(n->a, "%.*s%sthere is no disclaimer %.*s; write "
	    "%s/%.*s.txt", SLICE_ARG(where), where.len > 0 ? ": " : "",
	    SLICE_ARG(name), n->folder, SLICE_ARG(name));
	return RC_BAD;
}

static enum rc
check_one(struct slice where, const void *arg, void *names)
{
	const struct predelivery_conf *conf = arg;
	struct names *n = names;
	enum rc rc = exists(n, where, slice_of(conf->external_banner));

	for (size_t i = 0; rc == RC_OK && i < conf->disclaimers.count; i++)
		rc = exists(n, where, conf->disclaimers.items[i]);
	return rc;
}

enum rc
texts_check(const struct predelivery_conf *conf,
    const struct disclaimers *list, const struct rules *rules,
    struct arena *a, struct slice *why_r)
{
	struct names n = { .list = list, .folder = conf->disclaimer_folder,
	    .a = a };
	enum rc rc = check_one(SLICE(""), conf, &n);

	if (rc == RC_OK)
		rc = scope_each(conf->scopes, conf, sizeof *conf, check_one,
		    &n);
	for (unsigned i = 0; rc == RC_OK && i < rules->n; i++) {
		const struct conf_list *wants = &rules->all[i].then.disclaimers;

		for (size_t k = 0; rc == RC_OK && k < wants->count; k++)
			rc = exists(&n, rules->all[i].where, wants->items[k]);
	}
	*why_r = n.why;
	return rc;
}
