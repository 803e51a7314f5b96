#include "rules_do.h"

#include <string.h>

#include "shared.h"
#include "verdict/subject.h"
#include "text/address.h"
#include "trace.h"

/* ---- whose rules ---- */

static bool
counts(const struct recipient *r)
{
	return !slice_eq(r->mailer, SLICE("error"));
}

static enum rc
sets_of(const struct job *job, struct slice address,
    struct policy_who *who_r, const struct conf_list **sets_r,
    struct slice *why_r)
{
	const struct predelivery_conf *conf = job->conf;
	struct predelivery_conf *own = arena_alloc(job->arena, sizeof *own);
	enum rc rc = job_settings(job, address, predelivery_options,
	    conf->scopes, sizeof *own, own, who_r, why_r);

	*sets_r = &own->rule_sets;
	return rc;
}

static unsigned
direction_bit(enum direction direction)
{
	return direction == DIRECTION_IN ? RULE_IN :
	    direction == DIRECTION_OUT ? RULE_OUT : RULE_INTERNAL;
}

/* Inbound each recipient has rules of his own, outbound all have those of the
 * sender. */
enum rc
rules_whose(const struct job *job, struct rules_for *of, struct slice *why_r)
{
	const struct envelope *e = job->envelope;
	const struct conf_list *senders = NULL, *own;
	struct policy_who who;
	enum rc rc = RC_OK;

	if (job->direction != DIRECTION_IN)
		rc = sets_of(job, job_sender(job), &who, &senders, why_r);
	for (size_t i = 0; i < e->nrecipients && rc == RC_OK; i++) {
		if (!counts(&e->recipients[i]))
			continue;
		rc = sets_of(job, e->recipients[i].address, &who, &own,
		    why_r);
		of[i].sets = senders != NULL ? senders : own;
		of[i].direction = direction_bit(job_direction(job, &who));
	}
	return rc;
}

enum rc
rules_ask(struct job *job, struct predelivery_answers *seen,
    struct slice *why_r)
{
	const struct predelivery_shared *shared = job->shared;
	struct rules_for *of = arena_array(job->arena,
	    job->envelope->nrecipients + 1, sizeof *of);
	struct facts *f = arena_alloc(job->arena, sizeof *f);

	if (shared->rules->n == 0)
		return RC_OK;
	if (rules_whose(job, of, why_r) != RC_OK)
		return RC_RETRY;
	facts_init(f, job, shared->countries, job->deadline);
	rules_run(shared->rules, f, of, &seen->rules);
	if (!seen->rules.late)
		return RC_OK;
	*why_r = SLICE("the rules did not end in time");
	return RC_RETRY;
}

/* ---- verdicts ---- */

static struct verdict
undecided_verdict(struct arena *a, const struct rule *rule)
{
	struct verdict v = { .action = QUARANTINE, .rule = rule->verdict,
	    .cause = CAUSE_UNSCANNABLE };

	v.reason = arena_printf(a, "rule %.*s could not be decided: a limit "
	    "was hit", SLICE_ARG(rule->name));
	if (rule->undecided == UNDECIDED_TEMPFAIL) {
		v.action = TEMPFAIL;
		v.reply = SLICE("4.7.1 the message cannot be judged now; try "
		    "again later");
	}
	return v;
}

static struct verdict
verdict_of(struct arena *a, const struct outcome_of *of)
{
	const struct actions *then = &of->end->then;
	struct verdict v = { .action = ACCEPT, .rule = of->end->verdict,
	    .reply = then->reply.ptr != NULL ? then->reply : SLICE("") };

	if (of->undecided)
		return undecided_verdict(a, of->end);
	v.reason = arena_printf(a, "rule %.*s: %.*s",
	    SLICE_ARG(of->end->name),
	    SLICE_ARG(rules_actions_text(a, of->end)));
	if (then->ends) {
		v.action = then->action;
		v.cause = then->cause;
	}
	return v;
}

/* ---- one message's way to a plan ---- */

struct doing {
	struct work *w;
	const struct job *job;
	struct arena *a;
	struct plan *p;
	const struct rules_outcome *out;
	size_t n;			/* recipients */
	bool *gets;			/* by recipient: does he get it? */
	struct trace trace;
	struct buf matched, again;
};

static void
name_in(struct buf *list, const struct rule *rule)
{
	buf_addf(list, "%s%.*s", list->len > 0 ? "," : "",
	    SLICE_ARG(rule->name));
}

static void
set_verdict(struct doing *d, size_t i, const struct verdict *v)
{
	*plan_recipient(d->p, i) = *v;
	d->gets[i] = d->gets[i] && v->action == ACCEPT;
}

static bool
same_verdict(const struct verdict *a, const struct verdict *b)
{
	return a->action == b->action && a->cause == b->cause &&
	    strcmp(a->rule, b->rule) == 0 && slice_eq(a->reply, b->reply);
}

/* The verdict for all when it is the same for all; else one for each who
 * differs from the first accepted one, or the first. */
static void
judge(struct doing *d)
{
	struct verdict *each = arena_array(d->a, d->n + 1, sizeof *each);
	const struct verdict *all = NULL;

	for (size_t i = 0; i < d->n; i++) {
		if (!counts(&d->job->envelope->recipients[i]))
			continue;
		/* What an earlier step said against him stays. */
		each[i] = *plan_verdict(d->p, i);
		if (each[i].action == ACCEPT && d->out->of[i].end != NULL)
			each[i] = verdict_of(d->a, &d->out->of[i]);
		d->gets[i] = each[i].action == ACCEPT;
		if (all == NULL || (all->action != ACCEPT &&
		    each[i].action == ACCEPT))
			all = &each[i];
	}
	if (all == NULL)
		return;
	d->p->all = *all;
	for (size_t i = 0; i < d->n; i++)
		if (counts(&d->job->envelope->recipients[i]) &&
		    !same_verdict(&each[i], all))
			set_verdict(d, i, &each[i]);
}

/* Does the rule do what it says, for somebody who gets the message? */
static bool
acts(const struct doing *d, const struct hit *h)
{
	const struct rule *rule = h->rule;

	if (rule->mode != RULE_ACTIVE || rule->then.ends || h->undecided)
		return false;
	for (size_t i = 0; i < d->n; i++)
		if (h->of[i] && d->gets[i])
			return true;
	return false;
}

/* ---- which way: sender and route ---- */

struct way {
	struct slice sender, route;	/* SLICE_NONE: as it is */
	const struct rule *rule;	/* that said so first */
};

/* "*@new" with the local part of the old one. */
static struct slice
rewritten(struct doing *d, struct slice old, struct slice new)
{
	struct slice local, domain;

	if (!slice_starts(new, SLICE("*@")))
		return new;
	if (!address_split(old, &local, &domain))
		return old;
	return arena_printf(d->a, "%.*s%.*s", SLICE_ARG(local),
	    SLICE_ARG(slice_after(new, 1)));
}

static bool
sends_on(const struct actions *t)
{
	return t->add.count > 0 || t->sender.ptr != NULL ||
	    t->recipient.ptr != NULL || t->route.ptr != NULL;
}

/* May the rule change the envelope? Once a message. */
static bool
may_send_on(struct doing *d, const struct hit *h)
{
	return sends_on(&h->rule->then) &&
	    !trace_passed(&d->trace, h->rule->name);
}

static void
set_way(struct doing *d, struct way *way, const struct rule *rule)
{
	const struct actions *t = &rule->then;
	struct slice sender = d->job->envelope->sender;

	/* A bounce stays one: nobody answers to <>. */
	if (t->sender.ptr != NULL && way->sender.ptr == NULL &&
	    sender.len > 0) {
		way->sender = rewritten(d, sender, t->sender);
		way->rule = way->rule != NULL ? way->rule : rule;
	}
	if (t->route.ptr != NULL && way->route.ptr == NULL) {
		way->route = t->route;
		way->rule = way->rule != NULL ? way->rule : rule;
	}
}

static bool
same_way(const struct way *a, const struct way *b)
{
	return (a->sender.ptr == NULL) == (b->sender.ptr == NULL) &&
	    (a->route.ptr == NULL) == (b->route.ptr == NULL) &&
	    slice_eq(a->sender, b->sender) && slice_eq(a->route, b->route);
}

/* The way of the message: of those whom no rule sends elsewhere, where there
 * are such; with rules_mixed = all, the first that a rule named. */
static const struct way *
chosen(const struct doing *d, const struct way *ways)
{
	bool all = d->w->conf->rules_mixed == RULES_MIXED_ALL;
	const struct way *first = NULL;

	for (size_t i = 0; i < d->n; i++) {
		if (!d->gets[i])
			continue;
		if ((ways[i].rule != NULL) == all)
			return &ways[i];
		if (first == NULL)
			first = &ways[i];
	}
	return first;
}

static void
hold_the_others(struct doing *d, const struct way *ways,
    const struct way *way)
{
	for (size_t i = 0; i < d->n; i++) {
		struct verdict v = { .action = QUARANTINE,
		    .cause = CAUSE_POLICY };

		if (!d->gets[i] || same_way(&ways[i], way))
			continue;
		v.rule = ways[i].rule->verdict;
		v.reason = arena_printf(d->a, "rule %.*s sends it another way "
		    "than it goes for other recipients",
		    SLICE_ARG(ways[i].rule->name));
		set_verdict(d, i, &v);
	}
}

static void
go(struct doing *d)
{
	struct way *ways = arena_array(d->a, d->n + 1, sizeof *ways);
	const struct way *way;
	bool any = false;

	/* Each form will go its own way, in the second pass. */
	if (d->job->split && d->job->pass == 1)
		return;
	for (const struct hit *h = d->out->hits; h != NULL; h = h->next) {
		if (!acts(d, h) || !may_send_on(d, h))
			continue;
		for (size_t i = 0; i < d->n; i++)
			if (h->of[i] && d->gets[i])
				set_way(d, &ways[i], h->rule);
		any = true;
	}
	way = any ? chosen(d, ways) : NULL;
	if (way == NULL)
		return;
	if (d->w->conf->rules_mixed == RULES_MIXED_QUARANTINE)
		hold_the_others(d, ways, way);
	if (way->sender.ptr != NULL)
		plan_sender(d->p, way->sender);
	if (way->route.ptr != NULL)
		plan_route(d->p, way->route);
}

/* ---- recipients ---- */

/* Gets that address the message anyhow, once all are rewritten? */
static bool
is_recipient(const struct doing *d, const bool *moved,
    struct slice address)
{
	for (size_t i = 0; i < d->n; i++)
		if (!moved[i] && slice_eq_nocase(
		    d->job->envelope->recipients[i].address, address))
			return true;
	for (const struct plan_address *p = d->p->addresses; p != NULL;
	    p = p->next)
		if (slice_eq_nocase(p->added, address))
			return true;
	return false;
}

static void
rewrite_recipients(struct doing *d, const struct hit *h, bool *done)
{
	for (size_t i = 0; i < d->n; i++) {
		struct slice old = d->job->envelope->recipients[i].address;
		struct slice new;

		if (!h->of[i] || !d->gets[i] || done[i])
			continue;
		new = rewritten(d, old, h->rule->then.recipient);
		done[i] = true;
		if (!slice_eq_nocase(old, new))
			plan_rewrite_recipient(d->p, old, new);
	}
}

/* False: more of them than any message may get. */
static bool
add_recipients(struct doing *d, const struct hit *h, const bool *moved,
    unsigned *added)
{
	const struct conf_list *add = &h->rule->then.add;

	/* Each form would add him once more. */
	if (d->job->pass == 2)
		return true;
	for (size_t i = 0; i < add->count; i++) {
		if (is_recipient(d, moved, add->items[i]))
			continue;
		if (++*added > RULES_ADDED_ALL)
			return false;
		plan_add_quietly(d->p, add->items[i]);
	}
	return true;
}

static bool
change_envelope(struct doing *d)
{
	bool *done = arena_array(d->a, d->n + 1, sizeof *done);
	unsigned added = 0;

	for (const struct hit *h = d->out->hits; h != NULL; h = h->next)
		if (acts(d, h) && h->rule->then.recipient.ptr != NULL &&
		    may_send_on(d, h))
			rewrite_recipients(d, h, done);
	for (const struct hit *h = d->out->hits; h != NULL; h = h->next) {
		if (!acts(d, h) || !sends_on(&h->rule->then))
			continue;
		if (!may_send_on(d, h)) {
			name_in(&d->again, h->rule);
			continue;
		}
		if (!add_recipients(d, h, done, &added))
			return false;
		trace_add(&d->trace, h->rule->name);
	}
	trace_end(&d->trace, d->p);
	return true;
}

/* ---- header fields ---- */

static bool
has_field(const struct message *msg, const struct rule_header *h,
    struct arena *a)
{
	for (size_t i = 0; i < msg->nfields; i++)
		if (slice_eq_nocase(msg->fields[i].name, h->name) &&
		    slice_eq(field_value(a, &msg->fields[i]),
		    slice_trim(h->body)))
			return true;
	return false;
}

/* All of that name, but for one that the same rule would add again. */
static void
remove_fields(struct doing *d, struct slice name,
    const struct rule_header *adds)
{
	for (size_t i = d->job->msg->nfields; i-- > 0;) {
		const struct field *f = &d->job->msg->fields[i];
		const struct rule_header *h = adds;

		if (!slice_eq_nocase(f->name, name))
			continue;
		while (h != NULL && (h->body.ptr == NULL ||
		    !slice_eq_nocase(h->name, name) ||
		    !slice_eq(field_value(d->a, f), slice_trim(h->body))))
			h = h->next;
		if (h == NULL)
			patch_delete(&d->p->edits, i);
	}
}

static void
wish(struct doing *d, struct wish **list, struct slice what)
{
	while (*list != NULL && !slice_eq((*list)->name, what))
		list = &(*list)->next;
	if (*list != NULL)
		return;
	*list = arena_alloc(d->a, sizeof **list);
	(*list)->name = what;
}

static void
change_header(struct doing *d, const struct actions *t)
{
	for (const struct rule_header *h = t->headers; h != NULL;
	    h = h->next) {
		if (h->body.ptr == NULL)
			remove_fields(d, h->name, t->headers);
		else if (!has_field(d->job->msg, h, d->a))
			patch_append(&d->p->edits, h->name, h->body);
	}
	if (t->tag.ptr != NULL)
		wish(d, &d->w->tags, t->tag);
	for (size_t i = 0; i < t->disclaimers.count; i++)
		wish(d, &d->w->disclaimers, t->disclaimers.items[i]);
}

/* ---- what is told ---- */

static void
tell(struct doing *d)
{
	struct buf shadow = buf_in(d->a), words = buf_in(d->a);
	struct buf undecided = buf_in(d->a);

	for (const struct hit *h = d->out->hits; h != NULL; h = h->next) {
		if (h->undecided || h->assumed)
			name_in(&undecided, h->rule);
		if (h->undecided)
			continue;
		if (h->rule->mode == RULE_ACTIVE) {
			name_in(&d->matched, h->rule);
			continue;
		}
		name_in(&shadow, h->rule);
		buf_addf(&words, "; shadow rule %.*s: would %.*s",
		    SLICE_ARG(h->rule->name),
		    SLICE_ARG(rules_actions_text(d->a, h->rule)));
	}
	if (d->matched.len > 0) {
		plan_fact(d->p, "gatehouse.rules.matched",
		    buf_slice(&d->matched));
		plan_finding(d->p, "rules", buf_slice(&d->matched));
	}
	if (shadow.len > 0) {
		plan_fact(d->p, "gatehouse.rules.shadow", buf_slice(&shadow));
		plan_finding(d->p, "shadow", buf_slice(&shadow));
	}
	/* The reason of what is held is shown to people whom further
	 * recipients are no business of. */
	if (shadow.len > 0 && d->p->all.action == ACCEPT)
		d->p->all.reason = arena_printf(d->a, "%.*s%.*s",
		    SLICE_ARG(d->p->all.reason), SLICE_ARG(slice_after(
		    buf_slice(&words), d->p->all.reason.len > 0 ? 0 : 2)));
	if (undecided.len > 0)
		plan_fact(d->p, "gatehouse.rules.undecided",
		    buf_slice(&undecided));
	if (d->again.len > 0)
		plan_fact(d->p, "gatehouse.rules.again",
		    buf_slice(&d->again));
}

/* ---- the step ---- */

static bool
anybody(const struct doing *d)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->gets[i])
			return true;
	return false;
}

static enum step
too_many(struct doing *d)
{
	d->p->addresses = NULL;
	d->p->recipients = NULL;
	plan_hold(d->p, CAUSE_POLICY, "rules-added", SLICE("rules add more "
	    "recipients than a message may get"));
	tell(d);
	return STEP_DONE;
}

enum step
rules_step(struct work *w)
{
	const struct job *job = w->job;
	const struct predelivery_shared *shared = job->shared;
	struct doing d = { .w = w, .job = job, .a = job->arena,
	    .p = w->plan, .out = &w->seen->rules,
	    .n = job->envelope->nrecipients,
	    .matched = buf_in(job->arena), .again = buf_in(job->arena) };

	remove_fields(&d, SLICE(ROUTE_FIELD), NULL);
	if (d.out->hits == NULL)
		return STEP_ON;
	d.gets = arena_array(d.a, d.n + 1, sizeof *d.gets);
	trace_begin(&d.trace, job->msg, shared->trace_key, d.a);
	judge(&d);
	go(&d);
	if (!change_envelope(&d))
		return too_many(&d);
	for (const struct hit *h = d.out->hits; h != NULL; h = h->next)
		if (acts(&d, h))
			change_header(&d, &h->rule->then);
	tell(&d);
	return anybody(&d) ? STEP_ON : STEP_DONE;
}

enum step
subject_step(struct work *w)
{
	struct slice tags[SUBJECT_TAGS];
	size_t n = 0;

	for (const struct wish *t = w->tags; t != NULL && n < SUBJECT_TAGS;
	    t = t->next)
		tags[n++] = t->name;
	if (n > 0)
		subject_tags(w->plan, w->job->msg, tags, n);
	return STEP_ON;
}
