#include "dlp_rules.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "conf/tree.h"
#include "detect/national.h"
#include "text/address.h"

enum { NAME = 60, TEXTS = 5000, TEXT = 4096, FILE_MAX = 4 << 20, VALUE = 64,
    COUNT_MAX = 100000, WITHIN_MAX = 10000 };

static const char *const settings[] = { "name", "set", "mode", "card", "iban",
    "bic", "address", "national", "words", "regex", "label", "document",
    "share", "context", "within", "at_least", "except", "direction", "then",
    NULL };
static const char *const modes[] = { "audit", "enforce", NULL };
static const char *const actions[] = { "none", "block", "hold", NULL };
static const char *const directions[] = { "in", "out", "internal", NULL };
static const char *const things[] = { "action", "notify", "notify_to",
    "notify_sender", "tag", "encrypt", NULL };

struct reading {
	struct arena *a;		/* of the file; goes */
	struct dlp_rules *rules;
	struct tree *tree;
	struct map *names;		/* rules */
	struct map *words;		/* number + 1 of a word */
	struct slice why;
};

/* ---- texts ---- */

static enum rc
read_text(struct reading *r, const config_setting_t *s, const char *name,
    struct slice *text_r)
{
	const struct conf_option text = { name, CONF_STRING, 0, "", 0, TEXT,
	    "", NULL };
	const char *value;

	if (tree_value(r->tree, s, &text, &value, &r->why) != RC_OK)
		return RC_BAD;
	*text_r = arena_copy(r->rules->arena, slice_of(value));
	if (text_r->len > 0)
		return RC_OK;
	return tree_bad(r->tree, s, &r->why, "%s is empty; leave it out, or "
	    "say what is meant", name);
}

/* One text, or a list of them. */
static enum rc
read_texts(struct reading *r, const config_setting_t *s,
    struct conf_list *list_r)
{
	bool many = config_setting_is_array(s) || config_setting_is_list(s);
	int n = many ? config_setting_length(s) : 1;
	struct slice *items;

	if (n < 1 || n > TEXTS)
		return tree_bad(r->tree, s, &r->why, "%s has %d items; it "
		    "wants 1 to %d", s->name, n, TEXTS);
	items = arena_array(r->rules->arena, (size_t)n, sizeof *items);
	for (int i = 0; i < n; i++)
		if (read_text(r, many ? config_setting_get_elem(s,
		    (unsigned)i) : s, s->name, &items[i]) != RC_OK)
			return RC_BAD;
	*list_r = (struct conf_list){ items, (size_t)n };
	return RC_OK;
}

static enum rc
read_enum(struct reading *r, const config_setting_t *s,
    const char *const *choices, int *value_r)
{
	const struct conf_option o = { s->name, CONF_ENUM, 0, choices[0], 0, 0,
	    "", choices };

	return tree_value(r->tree, s, &o, value_r, &r->why);
}

static enum rc
read_count(struct reading *r, const config_setting_t *s, int64_t max,
    unsigned *value_r)
{
	const struct conf_option o = { s->name, CONF_COUNT, 0, "1", 1, max, "",
	    NULL };

	return tree_value(r->tree, s, &o, value_r, &r->why);
}

static enum rc
read_name(struct reading *r, const config_setting_t *s, struct slice *name_r)
{
	if (read_text(r, s, s->name, name_r) != RC_OK)
		return RC_BAD;
	if (name_r->len <= NAME && ascii_all_of(*name_r, "-_."))
		return RC_OK;
	return tree_bad(r->tree, s, &r->why, "%s is \"%.*s\"; it wants 1 to "
	    "%d letters, digits, '-', '_' and '.'", s->name,
	    SLICE_ARG(*name_r), NAME);
}

/* ---- what it looks for ---- */

static enum rc
read_flag(struct reading *r, const config_setting_t *s, unsigned bit,
    struct dlp_rule *rule)
{
	if (s->type != CONFIG_TYPE_BOOL || !config_setting_get_bool(s))
		return tree_bad(r->tree, s, &r->why, "%s wants true; what a "
		    "rule does not look for is left out", s->name);
	rule->find |= bit;
	return RC_OK;
}

static bool
kind_known(struct slice name)
{
	const struct national *kind;

	for (size_t i = 0; (kind = national_at(i)) != NULL; i++)
		if (slice_eq(slice_of(national_name(kind)), name))
			return true;
	return false;
}

static struct slice
all_kinds(struct arena *a)
{
	const struct national *kind;
	struct buf out = buf_in(a);

	for (size_t i = 0; (kind = national_at(i)) != NULL; i++) {
		struct slice name = slice_of(national_name(kind));

		if (!slice_ends(buf_slice(&out), name))
			buf_addf(&out, "%s%.*s", out.len > 0 ? ", " : "",
			    SLICE_ARG(name));
	}
	return buf_slice(&out);
}

static enum rc
read_national(struct reading *r, const config_setting_t *s,
    struct dlp_rule *rule)
{
	struct slice all;

	rule->find |= FIND_NATIONAL;
	if (s->type == CONFIG_TYPE_BOOL)
		return read_flag(r, s, FIND_NATIONAL, rule);
	if (read_texts(r, s, &rule->national) != RC_OK)
		return RC_BAD;
	for (size_t i = 0; i < rule->national.count; i++) {
		if (kind_known(rule->national.items[i]))
			continue;
		all = all_kinds(r->a);
		return tree_bad(r->tree, s, &r->why, "no number is called "
		    "\"%.*s\"; it wants true for all, or some of %.*s",
		    SLICE_ARG(rule->national.items[i]), SLICE_ARG(all));
	}
	return RC_OK;
}

/* The number of a word in the one set of all rules. */
static enum rc
number_of(struct reading *r, const config_setting_t *s, struct slice word,
    unsigned *number_r)
{
	struct dlp_rules *rules = r->rules;
	void *known = map_get(r->words, word);

	if (known != NULL) {
		*number_r = (unsigned)((uintptr_t)known - 1);
		return RC_OK;
	}
	if (rules->words == NULL)
		rules->words = words_new();
	if (rules->nwords == DLP_WORDS ||
	    !words_add(rules->words, word, rules->nwords))
		return tree_bad(r->tree, s, &r->why, "\"%.*s\" is no word, or "
		    "the words of all rules are over %d or %d bytes; use "
		    "fewer", SLICE_ARG(slice_sub(word, 0, VALUE)), DLP_WORDS,
		    WORDS_BYTES);
	rules->word_texts[rules->nwords] = word;
	map_put(r->words, word, (void *)(uintptr_t)(rules->nwords + 1));
	*number_r = rules->nwords++;
	return RC_OK;
}

static int
by_number(const void *a, const void *b)
{
	const unsigned *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static enum rc
read_words(struct reading *r, const config_setting_t *s,
    struct dlp_words *words_r)
{
	struct conf_list list;

	if (read_texts(r, s, &list) != RC_OK)
		return RC_BAD;
	words_r->numbers = arena_array(r->rules->arena, list.count,
	    sizeof *words_r->numbers);
	words_r->n = list.count;
	for (size_t i = 0; i < list.count; i++)
		if (number_of(r, s, list.items[i], &words_r->numbers[i]) !=
		    RC_OK)
			return RC_BAD;
	qsort(words_r->numbers, words_r->n, sizeof *words_r->numbers,
	    by_number);
	return RC_OK;
}

static enum rc
read_regex(struct reading *r, const config_setting_t *s, struct dlp_rule *rule)
{
	struct conf_list list;
	struct slice why;

	rule->find |= DLP_REGEX;
	if (read_texts(r, s, &list) != RC_OK)
		return RC_BAD;
	if (list.count > DLP_REGEXES)
		return tree_bad(r->tree, s, &r->why, "%zu regular expressions "
		    "in one rule; there may be %d", list.count, DLP_REGEXES);
	rule->regexes = arena_array(r->rules->arena, list.count,
	    sizeof *rule->regexes);
	rule->nregexes = list.count;
	for (size_t i = 0; i < list.count; i++) {
		rule->regexes[i].text = list.items[i];
		if (regex_compile(r->rules->arena, list.items[i],
		    &rule->regexes[i].regex, &why) != RC_OK)
			return tree_bad(r->tree, s, &r->why, "%.*s; mend it, "
			    "pcre2pattern(3) says how they are written",
			    SLICE_ARG(why));
	}
	return RC_OK;
}

static enum rc
read_document(struct reading *r, const config_setting_t *s,
    struct dlp_rule *rule)
{
	struct dlp_rules *rules = r->rules;
	struct slice path, why;
	size_t i = 0;

	rule->find |= DLP_DOCUMENT;
	if (read_text(r, s, s->name, &path) != RC_OK)
		return RC_BAD;
	if (path.ptr[0] != '/')
		return tree_bad(r->tree, s, &r->why, "document is \"%.*s\"; it "
		    "wants the absolute path of a set of fingerprints",
		    SLICE_ARG(path));
	while (i < rules->nprints && !slice_eq(rules->prints_paths[i], path))
		i++;
	if (i == DLP_SETS)
		return tree_bad(r->tree, s, &r->why, "over %d sets of "
		    "fingerprints; put documents of some into one", DLP_SETS);
	if (i == rules->nprints) {
		if (prints_open(path.ptr, &rules->prints[i], rules->arena,
		    &why) != RC_OK)
			return tree_bad(r->tree, s, &r->why, "%.*s",
			    SLICE_ARG(why));
		rules->prints_paths[rules->nprints++] = path;
	}
	rule->prints = rules->prints[i];
	rule->prints_number = i;
	return RC_OK;
}

static int
by_text(const void *a, const void *b)
{
	const struct slice *x = a, *y = b;

	return slice_cmp(*x, *y);
}

/* Values as they are compared: no separators, capitals; addresses small. */
static enum rc
read_except(struct reading *r, const config_setting_t *s,
    struct dlp_rule *rule)
{
	if (read_texts(r, s, &rule->except) != RC_OK)
		return RC_BAD;
	for (size_t i = 0; i < rule->except.count; i++) {
		struct slice *item = (struct slice *)(uintptr_t)
		    &rule->except.items[i];
		char *to = arena_str(r->rules->arena, *item);
		bool address = slice_has(*item, '@');
		size_t n = 0;

		for (size_t k = 0; k < item->len; k++) {
			char c = item->ptr[k];

			if (address)
				to[n++] = ascii_lower(c);
			else if (ascii_alnum(c))
				to[n++] = c >= 'a' && c <= 'z' ?
				    (char)(c - 32) : c;
		}
		if (n == 0)
			return tree_bad(r->tree, s, &r->why, "\"%.*s\" in "
			    "except is no number; it wants values as they are "
			    "written", SLICE_ARG(*item));
		*item = slice_make(to, n);
	}
	qsort((void *)(uintptr_t)rule->except.items, rule->except.count,
	    sizeof *rule->except.items, by_text);
	return RC_OK;
}

static enum rc
read_directions(struct reading *r, const config_setting_t *s,
    struct dlp_rule *rule)
{
	struct conf_list list;

	if (read_texts(r, s, &list) != RC_OK)
		return RC_BAD;
	rule->directions = 0;
	for (size_t i = 0; i < list.count; i++) {
		unsigned d = 0;

		while (directions[d] != NULL &&
		    !slice_eq(list.items[i], slice_of(directions[d])))
			d++;
		if (directions[d] == NULL)
			return tree_bad(r->tree, s, &r->why, "direction is "
			    "\"%.*s\"; it wants some of \"out\" (to recipients "
			    "who are none of ours), \"internal\", \"in\"",
			    SLICE_ARG(list.items[i]));
		rule->directions |= 1u << d;
	}
	return RC_OK;
}

/* ---- what it does ---- */

static enum rc
read_mailboxes(struct reading *r, const config_setting_t *s,
    struct dlp_rule *rule)
{
	struct slice local, domain;

	if (read_texts(r, s, &rule->notify_to) != RC_OK)
		return RC_BAD;
	if (rule->notify_to.count > DLP_TOLD)
		return tree_bad(r->tree, s, &r->why, "notify_to has %zu "
		    "addresses; it wants at most %d, so name a list's",
		    rule->notify_to.count, DLP_TOLD);
	for (size_t i = 0; i < rule->notify_to.count; i++) {
		struct slice one = rule->notify_to.items[i];

		if (!address_split(one, &local, &domain) || local.len == 0 ||
		    domain.len == 0)
			return tree_bad(r->tree, s, &r->why, "notify_to has "
			    "\"%.*s\"; it wants addresses, as "
			    "\"officer@example.org\"", SLICE_ARG(one));
	}
	return RC_OK;
}

static enum rc
read_thing(struct reading *r, const config_setting_t *s,
    struct dlp_rule *rule)
{
	static const struct conf_option yes = { "this", CONF_BOOL, 0, "false",
	    0, 0, "", NULL };
	struct conf_option named = yes;
	int word;

	named.name = s->name;
	if (strcmp(s->name, "action") == 0) {
		if (read_enum(r, s, actions, &word) != RC_OK)
			return RC_BAD;
		rule->action = (enum dlp_action)word;
		return RC_OK;
	}
	if (strcmp(s->name, "notify") == 0)
		return tree_value(r->tree, s, &named, &rule->notify, &r->why);
	if (strcmp(s->name, "notify_to") == 0)
		return read_mailboxes(r, s, rule);
	if (strcmp(s->name, "notify_sender") == 0)
		return tree_value(r->tree, s, &named, &rule->notify_sender,
		    &r->why);
	if (strcmp(s->name, "tag") == 0)
		return tree_value(r->tree, s, &named, &rule->tag, &r->why);
	if (strcmp(s->name, "encrypt") == 0)
		return tree_value(r->tree, s, &named, &rule->encrypt, &r->why);
	return tree_unknown(r->tree, s, things, &r->why);
}

static enum rc
read_then(struct reading *r, const config_setting_t *s, struct dlp_rule *rule)
{
	if (!config_setting_is_group(s))
		return tree_bad(r->tree, s, &r->why, "then wants a group: "
		    "then = { action = \"block\"; };");
	for (int i = 0; i < config_setting_length(s); i++)
		if (read_thing(r, config_setting_get_elem(s, (unsigned)i),
		    rule) != RC_OK)
			return RC_BAD;
	if (rule->notify && rule->action == DLP_NOTHING)
		return tree_bad(r->tree, s, &r->why, "notify without an "
		    "action; officers are told of what is held, so it wants "
		    "action = \"block\" or \"hold\" beside it");
	return RC_OK;
}

/* ---- a rule ---- */

static enum rc
read_detector(struct reading *r, const config_setting_t *s,
    struct dlp_rule *rule, bool *mine_r)
{
	static const struct { const char *name; unsigned bit; } flags[] = {
	    { "card", FIND_CARD }, { "iban", FIND_IBAN }, { "bic", FIND_BIC },
	    { "address", FIND_ADDRESS } };

	*mine_r = true;
	for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
		if (strcmp(s->name, flags[i].name) == 0)
			return read_flag(r, s, flags[i].bit, rule);
	if (strcmp(s->name, "national") == 0)
		return read_national(r, s, rule);
	if (strcmp(s->name, "regex") == 0)
		return read_regex(r, s, rule);
	if (strcmp(s->name, "document") == 0)
		return read_document(r, s, rule);
	if (strcmp(s->name, "words") == 0) {
		rule->find |= DLP_WORD;
		return read_words(r, s, &rule->words);
	}
	if (strcmp(s->name, "label") == 0) {
		rule->find |= DLP_LABEL;
		return read_words(r, s, &rule->labels);
	}
	*mine_r = false;
	return RC_OK;
}

static enum rc
read_setting(struct reading *r, const config_setting_t *s,
    struct dlp_rule *rule)
{
	bool mine;
	int word;

	if (read_detector(r, s, rule, &mine) != RC_OK)
		return RC_BAD;
	if (mine)
		return RC_OK;
	if (strcmp(s->name, "name") == 0)
		return read_name(r, s, &rule->name);
	if (strcmp(s->name, "set") == 0)
		return read_name(r, s, &rule->set);
	if (strcmp(s->name, "context") == 0)
		return read_words(r, s, &rule->context);
	if (strcmp(s->name, "within") == 0)
		return read_count(r, s, WITHIN_MAX, &rule->within);
	if (strcmp(s->name, "at_least") == 0)
		return read_count(r, s, COUNT_MAX, &rule->at_least);
	if (strcmp(s->name, "share") == 0)
		return read_count(r, s, 100, &rule->share);
	if (strcmp(s->name, "except") == 0)
		return read_except(r, s, rule);
	if (strcmp(s->name, "direction") == 0)
		return read_directions(r, s, rule);
	if (strcmp(s->name, "then") == 0)
		return read_then(r, s, rule);
	if (strcmp(s->name, "mode") != 0)
		return tree_unknown(r->tree, s, settings, &r->why);
	if (read_enum(r, s, modes, &word) != RC_OK)
		return RC_BAD;
	rule->enforce = word == 1;
	return RC_OK;
}

static enum rc
complete(struct reading *r, const config_setting_t *s, struct dlp_rule *rule)
{
	struct dlp_rule *old;

	if (rule->name.ptr == NULL)
		return tree_bad(r->tree, s, &r->why, "this rule has no name; "
		    "give it one: name = \"...\";");
	if (rule->find == 0)
		return tree_bad(r->tree, s, &r->why, "rule %.*s looks for "
		    "nothing; say what: card, iban, bic, national, address, "
		    "words, regex, label, document", SLICE_ARG(rule->name));
	if (rule->within != 0 && rule->context.n == 0)
		return tree_bad(r->tree, s, &r->why, "rule %.*s has within, "
		    "and no context that it could be near to; add context, or "
		    "take it out", SLICE_ARG(rule->name));
	if (rule->share != 0 && rule->prints == NULL)
		return tree_bad(r->tree, s, &r->why, "rule %.*s has share, and "
		    "no document; add document, or take it out",
		    SLICE_ARG(rule->name));
	rule->where = arena_copy(r->rules->arena, tree_where(r->tree, s));
	if (rule->set.ptr == NULL)
		rule->set = SLICE("default");
	if (rule->within == 0)
		rule->within = 200;
	if (rule->share == 0)
		rule->share = 30;
	if (rule->at_least == 0)
		rule->at_least = 1;
	old = map_put(r->names, rule->name, rule);
	if (old != NULL)
		return tree_bad(r->tree, s, &r->why, "a second rule %.*s; the "
		    "first is in %.*s", SLICE_ARG(rule->name),
		    SLICE_ARG(old->where));
	rule->verdict = arena_printf(r->rules->arena, "dlp-%.*s",
	    SLICE_ARG(rule->name)).ptr;
	r->rules->find |= rule->find;
	return RC_OK;
}

static enum rc
read_rule(struct reading *r, const config_setting_t *s, struct dlp_rule *rule)
{
	if (!config_setting_is_group(s))
		return tree_bad(r->tree, s, &r->why, "a rule is a group: "
		    "{ name = \"...\"; card = true; then = { ... }; }");
	rule->directions = DLP_OUT;
	for (int i = 0; i < config_setting_length(s); i++)
		if (read_setting(r, config_setting_get_elem(s, (unsigned)i),
		    rule) != RC_OK)
			return RC_BAD;
	return complete(r, s, rule);
}

static enum rc
read_rules(struct reading *r)
{
	static const char *const known[] = { "rules", NULL };
	const config_setting_t *root = tree_root(r->tree), *s;
	struct dlp_rules *rules = r->rules;

	for (int i = 0; i < config_setting_length(root); i++) {
		int n;

		s = config_setting_get_elem(root, (unsigned)i);
		if (strcmp(s->name, "rules") != 0)
			return tree_unknown(r->tree, s, known, &r->why);
		if (!config_setting_is_list(s))
			return tree_bad(r->tree, s, &r->why, "rules wants a "
			    "list of groups: rules = ( { ... }, { ... } );");
		n = config_setting_length(s);
		if (n > DLP_RULES)
			return tree_bad(r->tree, s, &r->why, "%d rules; there "
			    "may be %d", n, DLP_RULES);
		rules->all = arena_array(rules->arena, (size_t)n + 1,
		    sizeof *rules->all);
		for (int k = 0; k < n; k++) {
			rules->all[k].id = (unsigned)k;
			if (read_rule(r, config_setting_get_elem(s,
			    (unsigned)k), &rules->all[k]) != RC_OK)
				return RC_BAD;
		}
		rules->n = (unsigned)n;
	}
	if (rules->words != NULL)
		words_ready(rules->words);
	return RC_OK;
}

static enum rc
load(const char *name, const struct slice *text, bool trusted,
    struct dlp_rules **rules_r, struct arena *a, struct slice *why_r)
{
	struct reading r = { .a = arena_new(), .names = map_new(),
	    .words = map_new() };
	struct arena *own = arena_new();
	enum rc rc;

	r.rules = arena_alloc(own, sizeof *r.rules);
	r.rules->arena = own;
	r.rules->word_texts = arena_array(own, DLP_WORDS,
	    sizeof *r.rules->word_texts);
	rc = text != NULL ? tree_memory(r.a, name, *text, &r.tree, &r.why) :
	    tree_file(r.a, name, trusted, FILE_MAX, &r.tree, &r.why);
	if (rc == RC_OK)
		rc = read_rules(&r);
	map_free(r.names);
	map_free(r.words);
	if (rc != RC_OK) {
		*why_r = arena_copy(a, r.why);
		dlp_free(r.rules);
		r.rules = NULL;
	}
	arena_free(r.a);
	*rules_r = r.rules;
	return rc;
}

enum rc
dlp_load(const char *path, bool trusted, struct dlp_rules **rules_r,
    struct arena *a, struct slice *why_r)
{
	const struct slice none = SLICE("");

	if (path == NULL || path[0] == '\0')
		return load("none", &none, false, rules_r, a, why_r);
	return load(path, NULL, trusted, rules_r, a, why_r);
}

enum rc
dlp_parse(const char *name, struct slice text, struct dlp_rules **rules_r,
    struct arena *a, struct slice *why_r)
{
	return load(name, &text, false, rules_r, a, why_r);
}

void
dlp_free(struct dlp_rules *r)
{
	if (r == NULL)
		return;
	if (r->words != NULL)
		words_free(r->words);
	arena_free(r->arena);
}

bool
dlp_has_set(const struct dlp_rules *r, struct slice set)
{
	for (unsigned i = 0; i < r->n; i++)
		if (slice_eq(r->all[i].set, set))
			return true;
	return false;
}

const char *
dlp_action_name(enum dlp_action action)
{
	return actions[action];
}
