/* Conditions of a rule as a tree: all, any, not, and leaves that are shared. */
#include <string.h>

#include "rules_read.h"

/* ---- leaves that are the same ---- */

static void
key_match(struct buf *key, const struct match *m)
{
	buf_addf(key, "|%d", m->case_sensitive);
	for (size_t i = 0; i < m->n; i++) {
		buf_addf(key, "|%d:%zu:", m->patterns[i].kind,
		    m->patterns[i].text.len);
		buf_add(key, m->patterns[i].text);
	}
}

static struct slice
key_of(struct rules_read *r, const struct leaf *l)
{
	struct buf key = buf_in(r->a);

	buf_addf(&key, "%d|%u|%llu|%llu|%zu:%.*s|%zu:%.*s", l->kind, l->bits,
	    (unsigned long long)l->over, (unsigned long long)l->under,
	    l->name.len, SLICE_ARG(l->name), l->key.len, SLICE_ARG(l->key));
	key_match(&key, &l->match);
	key_match(&key, &l->type);
	for (size_t i = 0; i < l->networks.count; i++) {
		struct slice net = net_format(r->a, &l->networks.items[i]);

		buf_addf(&key, "|n%.*s", SLICE_ARG(net));
	}
	for (size_t i = 0; i < l->words.count; i++)
		buf_addf(&key, "|w%.*s", SLICE_ARG(l->words.items[i]));
	buf_addf(&key, "|%p|%u|%d|%d|%lld|%lld",
	    (const void *)l->schedule.zone, l->schedule.weekdays,
	    l->schedule.from, l->schedule.until, (long long)l->schedule.first,
	    (long long)l->schedule.last);
	return buf_slice(&key);
}

static const struct leaf *
add_leaf(struct rules_read *r, struct leaf *l)
{
	struct rules *rules = r->rules;
	struct slice key = key_of(r, l);
	struct leaf *old = map_get(r->leaves, key);

	if (old != NULL)
		return old;
	if (rules->nleaves == r->cap) {
		struct leaf **more;

		r->cap = r->cap * 2 + 64;
		more = arena_array(rules->arena, r->cap, sizeof(struct leaf *));
		if (rules->nleaves > 0)
			memcpy(more, rules->leaves, rules->nleaves *
			    sizeof(struct leaf *));
		rules->leaves = more;
	}
	l->id = rules->nleaves;
	rules->leaves[rules->nleaves++] = l;
	match_ready(&l->match, rules->arena);
	match_ready(&l->type, rules->arena);
	map_put(r->leaves, key, l);
	return l;
}

/* ---- the tree ---- */

static struct node *
new_node(struct rules_read *r, enum node_kind kind)
{
	struct node *n = arena_alloc(r->rules->arena, sizeof *n);

	n->kind = kind;
	return n;
}

/* "subject = { contains = "x"; }" as one line, for people. */
static void
show(struct buf *out, const config_setting_t *s)
{
	const char *text;

	if (s->name != NULL)
		buf_addf(out, "%s = ", s->name);
	if (config_setting_is_aggregate(s)) {
		bool group = config_setting_is_group(s);

		buf_adds(out, group ? "{ " : "[ ");
		for (int i = 0; i < config_setting_length(s); i++) {
			if (i > 0)
				buf_adds(out, group ? "; " : ", ");
			show(out, config_setting_get_elem(s, (unsigned)i));
		}
		buf_adds(out, group ? " }" : " ]");
		return;
	}
	text = config_setting_get_string(s);
	if (text != NULL)
		buf_addf(out, "\"%s\"", text);
	else if (s->type == CONFIG_TYPE_BOOL)
		buf_adds(out, config_setting_get_bool(s) ? "true" : "false");
	else
		buf_addf(out, "%lld", config_setting_get_int64(s));
}

static enum rc
read_leaf(struct rules_read *r, const config_setting_t *s,
    struct node **node_r)
{
	struct leaf *l = arena_alloc(r->rules->arena, sizeof *l);
	struct buf text = buf_in(r->a);

	if (++r->conditions > RULES_CONDITIONS)
		return tree_bad(r->tree, s, &r->why, "more than %d conditions "
		    "in one rule", RULES_CONDITIONS);
	if (rules_read_leaf(r, s, l) != RC_OK)
		return RC_BAD;
	show(&text, s);
	l->text = arena_copy(r->rules->arena, buf_slice(&text));
	*node_r = new_node(r, NODE_LEAF);
	(*node_r)->leaf = add_leaf(r, l);
	return RC_OK;
}

/* all = ( { ... }, ... ), any likewise. */
static enum rc
read_list(struct rules_read *r, const config_setting_t *s,
    enum node_kind kind, unsigned depth, struct node **node_r)
{
	struct node **last;
	int n = config_setting_length(s);

	if (!config_setting_is_list(s) || n == 0)
		return tree_bad(r->tree, s, &r->why, "%s wants a list of "
		    "groups: %s = ( { ... }, { ... } );", s->name, s->name);
	*node_r = new_node(r, kind);
	last = &(*node_r)->first;
	for (int i = 0; i < n; i++) {
		const config_setting_t *one =
		    config_setting_get_elem(s, (unsigned)i);

		if (!config_setting_is_group(one))
			return tree_bad(r->tree, one, &r->why, "%s holds what "
			    "is no group of conditions: { ... }", s->name);
		if (rules_read_when(r, one, depth + 1, last) != RC_OK)
			return RC_BAD;
		last = &(*last)->next;
	}
	return RC_OK;
}

static enum rc
read_not(struct rules_read *r, const config_setting_t *s, unsigned depth,
    struct node **node_r)
{
	if (rules_want_group(r, s) != RC_OK)
		return RC_BAD;
	*node_r = new_node(r, NODE_NOT);
	return rules_read_when(r, s, depth + 1, &(*node_r)->first);
}

static enum rc
read_condition(struct rules_read *r, const config_setting_t *s,
    unsigned depth, struct node **node_r)
{
	if (strcmp(s->name, "all") == 0)
		return read_list(r, s, NODE_ALL, depth, node_r);
	if (strcmp(s->name, "any") == 0)
		return read_list(r, s, NODE_ANY, depth, node_r);
	if (strcmp(s->name, "not") == 0)
		return read_not(r, s, depth, node_r);
	return read_leaf(r, s, node_r);
}

enum rc
rules_read_when(struct rules_read *r, const config_setting_t *group,
    unsigned depth, struct node **node_r)
{
	struct node *all = new_node(r, NODE_ALL);
	struct node **last = &all->first;
	int n = config_setting_length(group);

	if (depth > RULES_DEPTH)
		return tree_bad(r->tree, group, &r->why, "all, any and not "
		    "inside each other, more than %d deep", RULES_DEPTH);
	if (n == 0)
		return tree_bad(r->tree, group, &r->why, "a group without a "
		    "condition; name one, or leave `when` out for a rule that "
		    "holds always");
	for (int i = 0; i < n; i++) {
		if (read_condition(r, config_setting_get_elem(group,
		    (unsigned)i), depth, last) != RC_OK)
			return RC_BAD;
		last = &(*last)->next;
	}
	*node_r = n == 1 ? all->first : all;
	return RC_OK;
}
