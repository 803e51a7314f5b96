#include "rules_read.h"

#include <stdlib.h>
#include <string.h>

#include "rules_find.h"

enum { NAME = 60, TEXTS = 10000, TEXT = 4096 };

static const char *const settings[] = { "name", "set", "mode", "when", "then",
    "continue", "undecided", NULL };
static const char *const modes[] = { "shadow", "active", "off", NULL };
static const char *const policies[] = { "quarantine", "tempfail", "match",
    "skip", NULL };

/* ---- texts ---- */

/* Room is made for what the rules keep; the file's own arena goes. */
static struct slice
keep(struct rules_read *r, struct slice s)
{
	return arena_copy(r->rules->arena, s);
}

enum rc
rules_read_text(struct rules_read *r, const config_setting_t *s,
    struct slice *text_r)
{
	static const struct conf_option text = { "text", CONF_STRING, 0, "",
	    0, TEXT, "", NULL };
	struct conf_option named = text;
	const char *value;

	named.name = s->name != NULL ? s->name : "this";
	if (tree_value(r->tree, s, &named, &value, &r->why) != RC_OK)
		return RC_BAD;
	*text_r = keep(r, slice_of(value));
	return RC_OK;
}

enum rc
rules_read_texts(struct rules_read *r, const config_setting_t *s,
    struct conf_list *list_r)
{
	bool many = config_setting_is_array(s) || config_setting_is_list(s);
	int n = many ? config_setting_length(s) : 1;
	struct slice *items;

	if (n == 0 || n > TEXTS)
		return tree_bad(r->tree, s, &r->why, "%s has %d items; it "
		    "wants 1 to %d", s->name, n, TEXTS);
	items = arena_array(r->rules->arena, (size_t)n, sizeof *items);
	for (int i = 0; i < n; i++) {
		const config_setting_t *item = many ?
		    config_setting_get_elem(s, (unsigned)i) : s;

		if (rules_read_text(r, item, &items[i]) != RC_OK)
			return RC_BAD;
	}
	*list_r = (struct conf_list){ items, (size_t)n };
	return RC_OK;
}

/* ---- a rule ---- */

static enum rc
read_word(struct rules_read *r, const config_setting_t *s,
    const char *const *choices, int *value_r)
{
	const struct conf_option o = { s->name, CONF_ENUM, 0, choices[0], 0, 0,
	    "", choices };

	return tree_value(r->tree, s, &o, value_r, &r->why);
}

static enum rc
read_name(struct rules_read *r, const config_setting_t *s,
    struct slice *name_r)
{
	if (rules_read_text(r, s, name_r) != RC_OK)
		return RC_BAD;
	if (name_r->len > 0 && name_r->len <= NAME &&
	    ascii_all_of(*name_r, "-_."))
		return RC_OK;
	return tree_bad(r->tree, s, &r->why, "%s is \"%.*s\"; it wants 1 to "
	    "%d letters, digits, '-', '_' and '.'", s->name,
	    SLICE_ARG(*name_r), NAME);
}

static enum rc
read_group(struct rules_read *r, const config_setting_t *s, bool when,
    struct rule *rule)
{
	if (!config_setting_is_group(s))
		return tree_bad(r->tree, s, &r->why, "%s wants a group: "
		    "{ ... }", s->name);
	return when ? rules_read_when(r, s, 0, &rule->when) :
	    rules_read_then(r, s, &rule->then);
}

static enum rc
read_setting(struct rules_read *r, const config_setting_t *s,
    struct rule *rule)
{
	static const struct conf_option yes = { "continue", CONF_BOOL, 0,
	    "false", 0, 0, "", NULL };
	int word;

	if (strcmp(s->name, "name") == 0)
		return read_name(r, s, &rule->name);
	if (strcmp(s->name, "set") == 0)
		return read_name(r, s, &rule->set);
	if (strcmp(s->name, "when") == 0)
		return read_group(r, s, true, rule);
	if (strcmp(s->name, "then") == 0)
		return read_group(r, s, false, rule);
	if (strcmp(s->name, "continue") == 0)
		return tree_value(r->tree, s, &yes, &rule->goes_on, &r->why);
	if (strcmp(s->name, "mode") == 0) {
		if (read_word(r, s, modes, &word) != RC_OK)
			return RC_BAD;
		rule->mode = (enum rule_mode)word;
		return RC_OK;
	}
	if (strcmp(s->name, "undecided") == 0) {
		if (read_word(r, s, policies, &word) != RC_OK)
			return RC_BAD;
		rule->undecided = (enum rule_undecided)word;
		return RC_OK;
	}
	return tree_unknown(r->tree, s, settings, &r->why);
}

/* Directions that the rule's own `all` leaves. */
static unsigned
directions_of(const struct node *n)
{
	unsigned bits = RULE_ANYWHERE;

	if (n == NULL || (n->kind == NODE_LEAF &&
	    n->leaf->kind != LEAF_DIRECTION))
		return bits;
	if (n->kind == NODE_LEAF)
		return n->leaf->bits;
	if (n->kind == NODE_ALL)
		for (const struct node *c = n->first; c != NULL; c = c->next)
			bits &= directions_of(c);
	return bits;
}

static enum rc
complete(struct rules_read *r, const config_setting_t *s, struct rule *rule)
{
	struct rule *old;

	if (rule->name.ptr == NULL)
		return tree_bad(r->tree, s, &r->why, "this rule has no name; "
		    "give it one: name = \"...\";");
	if (config_setting_get_member(s, "then") == NULL)
		return tree_bad(r->tree, s, &r->why, "rule %.*s does nothing; "
		    "say what it does: then = { ... };",
		    SLICE_ARG(rule->name));
	if (rule->goes_on && rule->then.ends)
		return tree_bad(r->tree, s, &r->why, "rule %.*s says %s, and "
		    "continue; behind a verdict there is nothing to go on "
		    "for, take continue out", SLICE_ARG(rule->name),
		    action_name(rule->then.action));
	rule->where = keep(r, tree_where(r->tree, s));
	if (rule->set.ptr == NULL)
		rule->set = SLICE("default");
	old = map_put(r->names, rule->name, rule);
	if (old != NULL)
		return tree_bad(r->tree, s, &r->why, "a second rule %.*s; the "
		    "first is in %.*s", SLICE_ARG(rule->name),
		    SLICE_ARG(old->where));
	rule->verdict = arena_printf(r->rules->arena, "rule-%.*s",
	    SLICE_ARG(rule->name)).ptr;
	rule->directions = directions_of(rule->when);
	r->rules->discards = r->rules->discards || (rule->then.ends &&
	    rule->then.action == DISCARD && rule->mode == RULE_ACTIVE);
	return RC_OK;
}

static enum rc
read_rule(struct rules_read *r, const config_setting_t *s, struct rule *rule)
{
	int n = config_setting_length(s);

	if (!config_setting_is_group(s))
		return tree_bad(r->tree, s, &r->why, "a rule is a group: "
		    "{ name = \"...\"; when = { ... }; then = { ... }; }");
	r->conditions = 0;
	for (int i = 0; i < n; i++)
		if (read_setting(r, config_setting_get_elem(s, (unsigned)i),
		    rule) != RC_OK)
			return RC_BAD;
	return complete(r, s, rule);
}

/* ---- all of them ---- */

static int
by_set(const void *a, const void *b)
{
	const struct rule *x = a, *y = b;
	int order = slice_cmp(x->set, y->set);

	return order != 0 ? order : x->id < y->id ? -1 : x->id > y->id;
}

/* Rules of one set stand together, in the order of the file. */
static void
sort_sets(struct rules *rules)
{
	if (rules->n > 0)
		qsort(rules->all, rules->n, sizeof *rules->all, by_set);
	rules->sets = arena_array(rules->arena, rules->n + 1u,
	    sizeof *rules->sets);
	for (unsigned i = 0; i < rules->n; i++) {
		struct rule_set *last = &rules->sets[rules->nsets];

		rules->all[i].id = i;
		if (rules->nsets == 0 ||
		    !slice_eq(last[-1].name, rules->all[i].set)) {
			*last = (struct rule_set){ rules->all[i].set, i, i };
			rules->nsets++;
		}
		rules->sets[rules->nsets - 1].end = i + 1;
	}
}

static enum rc
read_rules(struct rules_read *r)
{
	static const char *const known[] = { "rules", NULL };
	const config_setting_t *root = tree_root(r->tree), *s;
	struct rules *rules = r->rules;
	int n = 0;

	for (int i = 0; i < config_setting_length(root); i++) {
		s = config_setting_get_elem(root, (unsigned)i);
		if (strcmp(s->name, "rules") != 0)
			return tree_unknown(r->tree, s, known, &r->why);
		if (!config_setting_is_list(s))
			return tree_bad(r->tree, s, &r->why, "rules wants a "
			    "list of groups: rules = ( { ... }, { ... } );");
		n = config_setting_length(s);
		if (n > RULES)
			return tree_bad(r->tree, s, &r->why, "%d rules; there "
			    "may be %d", n, RULES);
		rules->all = arena_array(rules->arena, (size_t)n + 1,
		    sizeof *rules->all);
		for (int k = 0; k < n; k++) {
			rules->all[k].id = (unsigned)k;
			if (read_rule(r, config_setting_get_elem(s,
			    (unsigned)k), &rules->all[k]) != RC_OK)
				return RC_BAD;
		}
	}
	rules->n = (unsigned)n;
	sort_sets(rules);
	return rules_check(r);
}

static struct rules *
new_rules(void)
{
	struct arena *a = arena_new();
	struct rules *rules = arena_alloc(a, sizeof *rules);

	rules->arena = a;
	return rules;
}

static enum rc
read_tree(struct rules_read *r, struct slice *why_r)
{
	enum rc rc;

	r->leaves = map_new();
	r->names = map_new();
	rc = read_rules(r);
	map_free(r->leaves);
	map_free(r->names);
	if (rc == RC_OK)
		r->rules->find = find_new(r->rules);
	*why_r = r->why;
	return rc;
}

static enum rc
load(const char *name, const struct slice *text, bool trusted,
    struct rules **rules_r, struct arena *a, struct slice *why_r)
{
	struct rules_read r = { .a = arena_new(), .rules = new_rules() };
	struct slice why = SLICE("");
	enum rc rc = text != NULL ?
	    tree_memory(r.a, name, *text, &r.tree, &why) :
	    tree_file(r.a, name, trusted, RULES_FILE, &r.tree, &why);

	if (rc == RC_OK)
		rc = read_tree(&r, &why);
	if (rc != RC_OK) {
		*why_r = arena_copy(a, why);
		rules_free(r.rules);
		r.rules = NULL;
	}
	arena_free(r.a);
	*rules_r = r.rules;
	return rc;
}

enum rc
rules_load(const char *path, bool trusted, struct rules **rules_r,
    struct arena *a, struct slice *why_r)
{
	const struct slice none = SLICE("");

	if (path == NULL || path[0] == '\0')
		return load("none", &none, false, rules_r, a, why_r);
	return load(path, NULL, trusted, rules_r, a, why_r);
}

enum rc
rules_parse(const char *name, struct slice text, struct rules **rules_r,
    struct arena *a, struct slice *why_r)
{
	return load(name, &text, false, rules_r, a, why_r);
}

void
rules_free(struct rules *r)
{
	if (r != NULL)
		arena_free(r->arena);
}

const struct rule_set *
rules_set(const struct rules *r, struct slice name)
{
	unsigned low = 0, high = r->nsets;

	while (low < high) {
		unsigned mid = low + (high - low) / 2;
		int order = slice_cmp(name, r->sets[mid].name);

		if (order == 0)
			return &r->sets[mid];
		if (order < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}
