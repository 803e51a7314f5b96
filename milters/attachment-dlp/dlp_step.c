#include "dlp_step.h"

#include <string.h>

#include "shared.h"

enum rc
dlp_ask(const struct job *job, const struct dlp_rules *rules,
    const struct items *items, deadline_t until, struct dlp_answers **seen_r,
    struct slice *why_r)
{
	struct dlp_answers *seen;

	if (rules == NULL || rules->n == 0)
		return RC_OK;
	seen = arena_alloc(job->arena, sizeof *seen);
	dlp_texts_read(job->msg, items, &seen->texts);
	dlp_look(rules, &seen->texts, job->arena, until, &seen->found);
	*seen_r = seen;
	if (!seen->found.late)
		return RC_OK;
	*why_r = SLICE("the rules for data loss did not end in time");
	return RC_RETRY;
}

/* ---- what the rules say ---- */

static bool
counts(const struct dlp_rule *rule, const struct attachment_conf *conf,
    enum direction direction)
{
	unsigned bit = direction == DIRECTION_IN ? DLP_IN :
	    direction == DIRECTION_OUT ? DLP_OUT : DLP_INTERNAL;

	return (rule->directions & bit) != 0 &&
	    conf_list_has(&conf->dlp_sets, rule->set);
}

bool
dlp_concerns(const struct dlp_rule *rule, const struct job *job,
    const struct attachment_answers *seen)
{
	const struct envelope *e = job->envelope;

	for (size_t i = 0; i < e->nrecipients; i++) {
		const struct attachment_conf *conf = job->direction !=
		    DIRECTION_IN ? &seen->sender.conf : &seen->of[i].conf;

		if (!slice_eq(e->recipients[i].mailer, SLICE("error")) &&
		    counts(rule, conf, seen->of[i].direction))
			return true;
	}
	return false;
}

/* Blocking is more than holding; the first of equals stays. */
static bool
stronger(enum dlp_action a, enum dlp_action b)
{
	return (a == DLP_BLOCK && b != DLP_BLOCK) ||
	    (a == DLP_HOLD && b == DLP_NOTHING);
}

static void
add_rule(struct dlp_decided *d, const struct dlp_result *r)
{
	const struct dlp_rule *rule = r->rule;

	if (!rule->enforce) {
		if (d->audit == NULL)
			d->audit = r;
		return;
	}
	if (d->by == NULL || stronger(rule->action, d->action)) {
		d->action = rule->action;
		d->by = r;
		d->notify = rule->notify;
	}
	d->tag = d->tag || rule->tag;
	d->encrypt = d->encrypt || rule->encrypt;
}

struct dlp_decided
dlp_decide(const struct dlp_answers *seen, const struct attachment_conf *conf,
    enum direction direction)
{
	static const enum dlp_action of[] = { DLP_NOTHING, DLP_HOLD,
	    DLP_BLOCK };
	struct dlp_decided d = { .action = DLP_NOTHING };
	bool enforced = false, undecided = seen->texts.nunread > 0;

	for (unsigned i = 0; i < seen->found.n; i++) {
		const struct dlp_result *r = &seen->found.of[i];

		if (!counts(r->rule, conf, direction))
			continue;
		enforced = enforced || r->rule->enforce;
		undecided = undecided || (r->undecided && !r->matched &&
		    r->rule->enforce);
		if (r->matched)
			add_rule(&d, r);
	}
	if (enforced && undecided && stronger(of[conf->dlp_unread],
	    d.action)) {
		d.action = of[conf->dlp_unread];
		d.by = NULL;
	}
	return d;
}

/* ---- a plan ---- */

struct doing {
	struct work *w;
	const struct dlp_answers *seen;
	struct arena *a;
	struct buf tagged, encrypted;
};

static struct slice
unread_why(const struct doing *d)
{
	const struct dlp_unread *u = d->seen->texts.unread;

	if (u == NULL)
		return SLICE("a rule could not be decided within its limits");
	return arena_printf(d->a, "%.*s could not be read: %s",
	    SLICE_ARG(slice_sub(u->path, 0, 200)), u->why);
}

static struct verdict
verdict_of(const struct doing *d, const struct dlp_decided *decided)
{
	struct verdict v = { .cause = CAUSE_DLP, .rule = "dlp-unread",
	    .reply = SLICE("5.7.1 message not sent: it has an attachment that "
	    "cannot be checked for what must not leave") };
	struct slice found;

	v.action = decided->action == DLP_BLOCK && !decided->notify ? REJECT :
	    QUARANTINE;
	if (decided->by == NULL) {
		v.reason = unread_why(d);
		return v;
	}
	found = dlp_told(d->a, decided->by);
	v.rule = decided->by->rule->verdict;
	v.reason = arena_printf(d->a, "rule %.*s: %.*s",
	    SLICE_ARG(decided->by->rule->name), SLICE_ARG(found));
	v.reply = arena_printf(d->a, "5.7.1 message not sent: it holds what "
	    "must not leave (rule %.*s)", SLICE_ARG(decided->by->rule->name));
	return v;
}

static struct verdict
accepted(const struct doing *d, const struct dlp_decided *decided,
    const struct verdict *old)
{
	const struct dlp_result *r = decided->by != NULL ? decided->by :
	    decided->audit;
	struct verdict v = *old;
	struct slice found;

	if (r == NULL)
		return v;
	found = dlp_told(d->a, r);
	v.rule = r->rule->verdict;
	v.reason = arena_printf(d->a, "rule %.*s%s: %.*s",
	    SLICE_ARG(r->rule->name), decided->by == NULL ? " (audit)" : "",
	    SLICE_ARG(found));
	return v;
}

static bool
same(const struct verdict *a, const struct verdict *b)
{
	return a->action == b->action && a->cause == b->cause &&
	    strcmp(a->rule, b->rule) == 0 && slice_eq(a->reply, b->reply);
}

static void
add_names(struct buf *list, const struct doing *d, unsigned want_tag,
    const struct attachment_conf *conf, enum direction direction)
{
	for (unsigned i = 0; i < d->seen->found.n; i++) {
		const struct dlp_result *r = &d->seen->found.of[i];

		if (!r->matched || !r->rule->enforce ||
		    !counts(r->rule, conf, direction) ||
		    !(want_tag ? r->rule->tag : r->rule->encrypt) ||
		    slice_search(buf_slice(list), r->rule->name) < list->len)
			continue;
		buf_addf(list, "%s%.*s", list->len > 0 ? ", " : "",
		    SLICE_ARG(r->rule->name));
	}
}

static const struct attachment_conf *
conf_of(const struct doing *d, size_t i)
{
	const struct attachment_answers *all = d->w->seen;

	return d->w->job->direction != DIRECTION_IN ? &all->sender.conf :
	    &all->of[i].conf;
}

static struct verdict
judge(struct doing *d, size_t i)
{
	const struct attachment_conf *conf = conf_of(d, i);
	enum direction direction = d->w->seen->of[i].direction;
	const struct verdict *old = plan_verdict(d->w->plan, i);
	struct dlp_decided decided = dlp_decide(d->seen, conf, direction);

	/* What an earlier step said against him stays. */
	if (old->action != ACCEPT)
		return *old;
	if (decided.action != DLP_NOTHING)
		return verdict_of(d, &decided);
	add_names(&d->tagged, d, true, conf, direction);
	add_names(&d->encrypted, d, false, conf, direction);
	return accepted(d, &decided, old);
}

/* All rules that matched, for the journal, whoever they are for. */
static void
add_facts(const struct doing *d)
{
	struct plan *p = d->w->plan;
	struct buf out = buf_in(d->a);

	for (unsigned i = 0; i < d->seen->found.n; i++) {
		const struct dlp_result *r = &d->seen->found.of[i];
		struct slice told;

		if (!r->matched)
			continue;
		told = dlp_told(d->a, r);
		buf_addf(&out, "%s%.*s %s: %.*s", out.len > 0 ? "; " : "",
		    SLICE_ARG(r->rule->name), r->rule->enforce ? "enforce" :
		    "audit", SLICE_ARG(told));
	}
	if (out.len > 0)
		plan_fact(p, "gatehouse.dlp.found",
		    slice_sub(buf_slice(&out), 0, 2000));
	if (d->seen->texts.nunread > 0)
		plan_fact(p, "gatehouse.dlp.unread", unread_why(d));
}

static void
add_edits(struct doing *d)
{
	struct plan *p = d->w->plan;

	if (d->tagged.len > 0)
		patch_insert(&p->edits, SLICE("X-Gatehouse-DLP"),
		    arena_printf(d->a, " %.*s", SLICE_ARG(slice_sub(
		    buf_slice(&d->tagged), 0, 900))));
	if (d->encrypted.len > 0)
		plan_finding(p, "encrypt", buf_slice(&d->encrypted));
}

static enum step
settle(struct doing *d, const struct verdict *each, size_t n)
{
	struct plan *p = d->w->plan;
	size_t all = n, why = n;
	bool gets = false;

	for (size_t i = 0; i < n; i++) {
		if (each[i].rule == NULL)
			continue;
		gets = gets || each[i].action == ACCEPT;
		if (all == n || (each[all].action != ACCEPT &&
		    each[i].action == ACCEPT))
			all = i;
	}
	if (all == n)
		return STEP_ON;
	p->all = each[all];
	for (size_t i = 0; i < n; i++)
		if (each[i].rule != NULL && !same(&each[i], &each[all])) {
			*plan_recipient(p, i) = each[i];
			why = why < n ? why : i;
		}
	/* The line of the log is that of all; it says what was found. */
	if (why < n && p->all.action == ACCEPT) {
		p->all.rule = each[why].rule;
		p->all.reason = each[why].reason;
	}
	return gets ? STEP_ON : STEP_DONE;
}

enum step
dlp_step(struct work *w)
{
	const struct envelope *e = w->job->envelope;
	struct doing d = { .w = w, .seen = w->seen->dlp, .a = w->job->arena,
	    .tagged = buf_in(w->job->arena),
	    .encrypted = buf_in(w->job->arena) };
	struct verdict *each;

	if (d.seen == NULL)
		return STEP_ON;
	each = arena_array(d.a, e->nrecipients + 1, sizeof *each);
	for (size_t i = 0; i < e->nrecipients; i++)
		if (!slice_eq(e->recipients[i].mailer, SLICE("error")))
			each[i] = judge(&d, i);
	add_facts(&d);
	add_edits(&d);
	return settle(&d, each, e->nrecipients);
}

/* ---- once a load ---- */

struct checking {
	const struct dlp_rules *rules;
	struct arena *arena;
	struct slice why;
};

static enum rc
check_sets(struct slice where, const void *arg, void *to)
{
	const struct attachment_conf *conf = arg;
	struct checking *c = to;

	for (size_t i = 0; i < conf->dlp_sets.count; i++) {
		struct slice name = conf->dlp_sets.items[i];

		if (slice_eq(name, SLICE("default")) ||
		    dlp_has_set(c->rules, name))
			continue;
		c->why = arena_printf(c->arena, "%.*s%sdlp_sets names "
		    "\"%.*s\", and no rule is in that set; write a rule with "
		    "set = \"%.*s\", or take it out", SLICE_ARG(where),
		    where.len > 0 ? ": " : "", SLICE_ARG(name),
		    SLICE_ARG(name));
		return RC_BAD;
	}
	return RC_OK;
}

enum rc
dlp_survey(const struct attachment_conf *conf, const struct dlp_rules *rules,
    const struct policy *policy, struct survey *s)
{
	struct checking c = { .rules = rules, .arena = s->arena };
	enum rc rc = policy_each(policy, "attachment-dlp",
	    attachment_options, conf->scopes, conf, sizeof *conf, check_sets,
	    &c, &s->why);

	if (c.why.ptr != NULL)
		s->why = c.why;
	return rc;
}
