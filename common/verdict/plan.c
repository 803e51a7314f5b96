#include "verdict/plan.h"

static const char *const names[] = {
	[TEMPFAIL] = "tempfail", [ACCEPT] = "accept", [REJECT] = "reject",
	[DISCARD] = "discard", [QUARANTINE] = "quarantine",
};

enum { NACTIONS = sizeof names / sizeof names[0] };

static const char *const causes[CAUSES] = {
	[CAUSE_NONE] = "none", [CAUSE_VIRUS] = "virus",
	[CAUSE_SPAM] = "spam", [CAUSE_PHISHING] = "phishing",
	[CAUSE_GRAYMAIL] = "graymail", [CAUSE_FRAUD] = "fraud",
	[CAUSE_ATTACHMENT] = "attachment", [CAUSE_DLP] = "dlp",
	[CAUSE_POLICY] = "policy", [CAUSE_SPAM_NDR] = "spam-ndr",
	[CAUSE_POISON] = "poison", [CAUSE_UNSCANNABLE] = "unscannable",
	[CAUSE_DEFERRED] = "deferred", [CAUSE_SANDBOX] = "sandbox",
	[CAUSE_ACCOUNT] = "account",
};

const char *
action_name(enum action action)
{
	return names[action];
}

bool
action_parse(struct slice name, enum action *action_r)
{
	for (int i = 0; i < NACTIONS; i++) {
		if (slice_eq(name, slice_of(names[i]))) {
			*action_r = (enum action)i;
			return true;
		}
	}
	return false;
}

const char *
cause_name(enum cause cause)
{
	return (unsigned)cause < CAUSES ? causes[cause] : causes[CAUSE_NONE];
}

bool
cause_waits(enum cause cause)
{
	return cause == CAUSE_DEFERRED || cause == CAUSE_SANDBOX;
}

bool
cause_parse(struct slice name, enum cause *cause_r)
{
	for (int i = CAUSE_NONE + 1; i < CAUSES; i++) {
		if (slice_eq(name, slice_of(causes[i]))) {
			*cause_r = (enum cause)i;
			return true;
		}
	}
	return false;
}

struct plan *
plan_new(struct arena *a, const struct message *msg)
{
	struct plan *p = arena_alloc(a, sizeof *p);

	p->arena = a;
	p->all.action = ACCEPT;
	p->all.rule = "default";
	p->all.reason = SLICE("nothing against it");
	p->sender = SLICE_NONE;
	patches_init(&p->edits, a, msg);
	return p;
}

static struct plan *
decide_all(struct plan *p, enum action action, const char *rule,
    struct slice reason, struct slice reply)
{
	p->all = (struct verdict){ .action = action, .rule = rule,
	    .reason = reason, .reply = reply };
	return p;
}

struct plan *
plan_accept(struct plan *p, const char *rule, struct slice reason)
{
	return decide_all(p, ACCEPT, rule, reason, SLICE(""));
}

struct plan *
plan_reject(struct plan *p, const char *rule, struct slice reason,
    struct slice reply)
{
	return decide_all(p, REJECT, rule, reason, reply);
}

struct plan *
plan_tempfail(struct plan *p, const char *rule, struct slice reason,
    struct slice reply)
{
	return decide_all(p, TEMPFAIL, rule, reason, reply);
}

struct plan *
plan_discard(struct plan *p, const char *rule, struct slice reason)
{
	return decide_all(p, DISCARD, rule, reason, SLICE(""));
}

struct plan *
plan_quarantine(struct plan *p, const char *rule, struct slice reason)
{
	return plan_hold(p, CAUSE_POLICY, rule, reason);
}

struct plan *
plan_hold(struct plan *p, enum cause cause, const char *rule,
    struct slice reason)
{
	decide_all(p, QUARANTINE, rule, reason, SLICE(""));
	p->all.cause = cause;
	return p;
}

struct verdict *
plan_recipient(struct plan *p, size_t index)
{
	struct plan_recipient *r;

	for (r = p->recipients; r != NULL; r = r->next)
		if (r->index == index)
			return &r->verdict;
	r = arena_alloc(p->arena, sizeof *r);
	r->index = index;
	r->verdict = p->all;
	r->next = p->recipients;
	p->recipients = r;
	return &r->verdict;
}

const struct verdict *
plan_verdict(const struct plan *p, size_t index)
{
	for (const struct plan_recipient *r = p->recipients; r != NULL;
	    r = r->next)
		if (r->index == index)
			return &r->verdict;
	return &p->all;
}

/* Keeps the order in which pairs were added. */
static void
add_pair(struct plan *p, struct plan_pair **list, const char *key,
    struct slice value)
{
	struct plan_pair *pair = arena_alloc(p->arena, sizeof *pair);

	while (*list != NULL)
		list = &(*list)->next;
	pair->key = key;
	pair->value = arena_copy(p->arena, value);
	*list = pair;
}

void
verdict_level(struct verdict *v, struct slice level, bool first)
{
	v->scope = first || slice_eq(v->scope, level) ? level :
	    SLICE("several levels");
}

void
plan_finding(struct plan *p, const char *key, struct slice value)
{
	add_pair(p, &p->findings, key, value);
}

void
plan_fact(struct plan *p, const char *key, struct slice value)
{
	add_pair(p, &p->facts, key, value);
}

void
plan_coverage(struct plan *p, struct slice text)
{
	p->coverage = arena_copy(p->arena, text);
}

void
plan_sender(struct plan *p, struct slice address)
{
	p->sender = arena_copy(p->arena, address);
}

void
plan_route(struct plan *p, struct slice to)
{
	p->route = arena_copy(p->arena, to);
}

static struct plan_address *
add_address(struct plan *p, struct slice removed, struct slice added)
{
	struct plan_address **last = &p->addresses;

	while (*last != NULL)
		last = &(*last)->next;
	*last = arena_alloc(p->arena, sizeof **last);
	(*last)->removed = arena_copy(p->arena, removed);
	(*last)->added = arena_copy(p->arena, added);
	return *last;
}

void
plan_add_recipient(struct plan *p, struct slice address)
{
	add_address(p, SLICE_NONE, address);
}

void
plan_add_quietly(struct plan *p, struct slice address)
{
	add_address(p, SLICE_NONE, address)->quiet = true;
}

void
plan_rewrite_recipient(struct plan *p, struct slice old, struct slice address)
{
	add_address(p, old, address);
}

void
plan_file(struct plan *p, const struct plan_file *file)
{
	struct plan_file **last = &p->files;

	while (*last != NULL)
		last = &(*last)->next;
	*last = arena_alloc(p->arena, sizeof **last);
	**last = *file;
	(*last)->next = NULL;
}

bool
plan_edits(const struct plan *p)
{
	return p->edits.count > 0 || p->sender.ptr != NULL ||
	    p->addresses != NULL || p->route.ptr != NULL;
}

struct plan *
plan_for_trouble(struct arena *a, const struct message *msg, struct slice why)
{
	struct plan *p = plan_new(a, msg);

	return plan_tempfail(p, "trouble", arena_copy(a, why),
	    SLICE("4.7.1 Service unavailable - try again later"));
}
