/*
 * Rules that cannot be meant so: two active ones with the same conditions and
 * different verdicts, one that no message can reach because an earlier one
 * ends the rules for all that it could match, and one whose own conditions
 * exclude each other. Shadow rules do nothing, so they are in nobody's way;
 * a new version of a rule is tried out beside the old one.
 */
#include <stdlib.h>
#include <string.h>

#include "rules_read.h"

/* What stands for a tree: the same text, the same conditions. */
static void key_of(struct buf *out, const struct node *n, struct arena *a);

static int
by_bytes(const void *a, const void *b)
{
	return slice_cmp(*(const struct slice *)a, *(const struct slice *)b);
}

/* Order does not count, nor does what stands there twice. */
static void
children(struct buf *out, const struct node *n, struct arena *a)
{
	struct slice keys[2 * RULES_CONDITIONS] = { SLICE_NONE };
	size_t count = 0;

	for (const struct node *c = n->first; c != NULL &&
	    count < sizeof keys / sizeof *keys; c = c->next) {
		struct buf one = buf_in(a);

		key_of(&one, c, a);
		keys[count++] = buf_slice(&one);
	}
	qsort(keys, count, sizeof *keys, by_bytes);
	for (size_t i = 0; i < count; i++)
		if (i == 0 || !slice_eq(keys[i], keys[i - 1]))
			buf_add(out, keys[i]);
}

static void
key_of(struct buf *out, const struct node *n, struct arena *a)
{
	static const char marks[] = { [NODE_ALL] = '&', [NODE_ANY] = '|',
	    [NODE_NOT] = '!' };

	if (n->kind == NODE_LEAF) {
		buf_addf(out, "%u;", n->leaf->id);
		return;
	}
	buf_addf(out, "%c(", marks[n->kind]);
	children(out, n, a);
	buf_addc(out, ')');
}

/* What has to hold, one by one: of an `all` its parts, else the whole. */
static size_t
needs_of(const struct rule *rule, struct arena *a, struct slice *needs_r)
{
	const struct node *n = rule->when;
	size_t count = 0;

	if (n == NULL)
		return 0;
	if (n->kind != NODE_ALL) {
		struct buf one = buf_in(a);

		key_of(&one, n, a);
		needs_r[0] = buf_slice(&one);
		return 1;
	}
	for (const struct node *c = n->first; c != NULL &&
	    count < 2 * RULES_CONDITIONS; c = c->next) {
		struct buf one = buf_in(a);

		key_of(&one, c, a);
		needs_r[count++] = buf_slice(&one);
	}
	return count;
}

/*
 * Earlier active rules of the set, by that of their needs which is rarest: one
 * that covers this rule has all its needs here too, so it is in the chain of
 * one of them, or needs nothing. So no rule is compared with all others.
 */
struct earlier {
	struct earlier *next;
	const struct rule *rule;
	const struct slice *needs;
	size_t n;
};

struct asked {
	unsigned count;			/* rules that have it */
	struct earlier *rules;
};

struct checking {
	struct rules_read *r;
	struct arena *a;
	struct map *needs;		/* struct asked */
	struct earlier *always;
};

/* Is its every need one of these? Then it matches all that they do. */
static bool
covers(const struct earlier *early, const struct slice *needs, size_t n)
{
	for (size_t i = 0; i < early->n; i++) {
		size_t k = 0;

		while (k < n && !slice_eq(early->needs[i], needs[k]))
			k++;
		if (k == n)
			return false;
	}
	return true;
}

static enum rc
contradict(struct rules_read *r, const struct rule *rule,
    const struct rule *early)
{
	r->why = arena_printf(r->a, "%.*s: rule %.*s says %s where rule %.*s "
	    "(%.*s) says %s, on the same conditions; take one of them out",
	    SLICE_ARG(rule->where), SLICE_ARG(rule->name),
	    action_name(rule->then.action), SLICE_ARG(early->name),
	    SLICE_ARG(early->where), action_name(early->then.action));
	return RC_BAD;
}

static enum rc
unreachable(struct rules_read *r, const struct rule *rule,
    const struct rule *early)
{
	r->why = arena_printf(r->a, "%.*s: rule %.*s can never be reached: "
	    "rule %.*s (%.*s) ends the rules for all that it could match; put "
	    "it first, or let that one continue", SLICE_ARG(rule->where),
	    SLICE_ARG(rule->name), SLICE_ARG(early->name),
	    SLICE_ARG(early->where));
	return RC_BAD;
}

static enum rc
against(struct checking *c, const struct earlier *list,
    const struct earlier *one)
{
	for (; list != NULL; list = list->next) {
		const struct rule *early = list->rule, *rule = one->rule;

		if (!covers(list, one->needs, one->n))
			continue;
		if (covers(one, list->needs, list->n) && early->then.ends &&
		    rule->then.ends &&
		    early->then.action != rule->then.action)
			return contradict(c->r, rule, early);
		if (!early->goes_on)
			return unreachable(c->r, rule, early);
	}
	return RC_OK;
}

static void
remember(struct checking *c, struct earlier *one)
{
	struct asked *rarest = NULL;

	for (size_t i = 0; i < one->n; i++) {
		struct asked *need = map_get(c->needs, one->needs[i]);

		if (rarest == NULL || need->count < rarest->count)
			rarest = need;
	}
	one->next = rarest != NULL ? rarest->rules : c->always;
	*(rarest != NULL ? &rarest->rules : &c->always) = one;
}

static enum rc
check_rule(struct checking *c, struct earlier *one)
{
	const struct rule *rule = one->rule;

	if (rule->directions == 0) {
		c->r->why = arena_printf(c->r->a, "%.*s: rule %.*s can never "
		    "match: its directions exclude each other",
		    SLICE_ARG(rule->where), SLICE_ARG(rule->name));
		return RC_BAD;
	}
	if (rule->mode != RULE_ACTIVE)
		return RC_OK;
	if (against(c, c->always, one) != RC_OK)
		return RC_BAD;
	for (size_t i = 0; i < one->n; i++) {
		const struct asked *need = map_get(c->needs, one->needs[i]);

		if (against(c, need->rules, one) != RC_OK)
			return RC_BAD;
	}
	remember(c, one);
	return RC_OK;
}

/* Its needs, and one more of each for the count. */
static void
prepare(struct checking *c, const struct rule *rule, struct earlier *one)
{
	struct slice needs[2 * RULES_CONDITIONS], *own;

	one->rule = rule;
	one->n = needs_of(rule, c->a, needs);
	own = arena_array(c->a, one->n, sizeof *own);
	if (one->n > 0)
		memcpy(own, needs, one->n * sizeof *own);
	one->needs = own;
	for (size_t i = 0; i < one->n; i++) {
		struct asked *need = map_get(c->needs, own[i]);

		if (need == NULL) {
			need = arena_alloc(c->a, sizeof *need);
			map_put(c->needs, own[i], need);
		}
		need->count++;
	}
}

static enum rc
check_set(struct rules_read *r, const struct rule_set *set)
{
	struct checking c = { .r = r, .a = arena_new(), .needs = map_new() };
	unsigned n = set->end - set->first;
	struct earlier *all = arena_array(c.a, n, sizeof *all);
	enum rc rc = RC_OK;

	for (unsigned i = 0; i < n; i++)
		prepare(&c, &r->rules->all[set->first + i], &all[i]);
	for (unsigned i = 0; i < n && rc == RC_OK; i++)
		rc = check_rule(&c, &all[i]);
	map_free(c.needs);
	arena_free(c.a);
	return rc;
}

enum rc
rules_check(struct rules_read *r)
{
	enum rc rc = RC_OK;

	for (unsigned s = 0; s < r->rules->nsets && rc == RC_OK; s++)
		rc = check_set(r, &r->rules->sets[s]);
	return rc;
}
