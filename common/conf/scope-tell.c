/* Scopes for who compiles them: all that they say, and more from elsewhere. */
#include <string.h>

#include "base/sip.h"
#include "conf/scope-read.h"

/* Two runs are to agree, and nobody chooses what is hashed but the admin. */
static const uint64_t digest_key[2] = { 0x6761746568, 0x6f7573652e };

/* ---- what they say ---- */

static const struct scope_setting *
setting_of(const struct scope *scope, const struct conf_option *o)
{
	const struct scope_setting *s = scope != NULL ? scope->settings : NULL;

	while (s != NULL && s->option != o)
		s = s->next;
	return s;
}

void
scope_words(const struct scopes *scopes, const struct scope_levels *levels,
    void (*visit)(void *arg, const struct scope_word *word, bool last),
    void *arg)
{
	const struct conf_option *o = scopes != NULL ? scopes->options : NULL;

	for (; o != NULL && o->name != NULL; o++) {
		struct scope_word words[SCOPE_LEVELS];
		size_t n = 0;

		for (int i = 0; i < SCOPE_LEVELS; i++) {
			const struct scope *x = levels->at[i];
			const struct scope_setting *s = setting_of(x, o);

			if (s != NULL)
				words[n++] = (struct scope_word){ o,
				    (enum scope_level)i,
				    x->name.ptr != NULL ? x->name : SLICE(""),
				    s->where, s->value != NULL ? s->raw :
				    SLICE_NONE, s->final };
		}
		for (size_t i = 0; i < n; i++)
			visit(arg, &words[i], i + 1 == n);
	}
}

struct slice
scope_belongs(const struct scopes *scopes, const struct scope_subject *who,
    enum scope_level level)
{
	struct scope_levels levels;

	scope_levels(scopes, who, &levels);
	return levels.at[level] != NULL ? levels.at[level]->name : SLICE_NONE;
}

struct naming {
	void (*visit)(void *arg, const struct scope_name *name);
	void *arg;
};

static bool
tell_name(struct slice key, void *value, void *arg)
{
	const struct naming *n = arg;
	const struct scope_member *m = value;
	struct slice name, kind = slice_cut(key, ' ', &name);
	struct scope_name told = { .name = name, .exact = m->exact,
	    .where = m->where, .member = slice_starts(kind, SLICE("of-")) };

	if (told.member)
		kind = slice_after(kind, 3);
	for (int i = SCOPE_CLIENT; i < SCOPE_LEVELS; i++)
		if (slice_eq(kind,
		    slice_of(scope_level_name((enum scope_level)i))))
			told.level = (enum scope_level)i;
	n->visit(n->arg, &told);
	return true;
}

void
scope_names(const struct scopes *scopes, void (*visit)(void *arg,
    const struct scope_name *name), void *arg)
{
	struct naming n = { visit, arg };

	if (scopes != NULL)
		map_each(scopes->index, tell_name, &n);
}

/* ---- digest ---- */

static uint64_t
hash_parts(const struct slice *parts, size_t n)
{
	struct buf b = { .ptr = NULL };
	uint64_t hash;

	for (size_t i = 0; i < n; i++) {
		buf_addf(&b, "%zu:", parts[i].len);
		buf_add(&b, parts[i]);
	}
	hash = sip_hash(digest_key, buf_slice(&b));
	buf_free(&b);
	return hash;
}

/* Sums, since the order in a file says nothing. */
static uint64_t
hash_settings(struct slice key, struct slice exact, const struct scope *scope)
{
	uint64_t sum = hash_parts((struct slice[]){ key, exact }, 2);

	for (const struct scope_setting *s = scope->settings; s != NULL;
	    s = s->next)
		sum += hash_parts((struct slice[]){ key,
		    slice_of(s->option->name), s->final ? SLICE("final") :
		    SLICE(""), s->value != NULL ? s->raw : SLICE_NONE,
		    s->value != NULL ? SLICE("value") : SLICE("") }, 5);
	return sum;
}

static bool
add_digest(struct slice key, void *value, void *sum_r)
{
	const struct scope_member *m = value;

	*(uint64_t *)sum_r += hash_settings(key, m->exact, m->scope);
	return true;
}

uint64_t
scope_digest(const struct scopes *scopes)
{
	uint64_t sum = 0;

	if (scopes == NULL)
		return 0;
	map_each(scopes->index, add_digest, &sum);
	if (scopes->base.settings != NULL)
		sum += hash_settings(SLICE("default"), SLICE(""),
		    &scopes->base);
	return sum;
}

/* ---- one more ---- */

static enum rc
find_option(const struct conf_option *options, const char *name,
    const struct conf_option **option_r, struct arena *a, struct slice *why_r)
{
	const struct conf_option *o = options;

	while (o->name != NULL && strcmp(o->name, name) != 0)
		o++;
	*option_r = o;
	if (o->name != NULL && (o->kind & CONF_SCOPED) != 0)
		return RC_OK;
	*why_r = o->name != NULL ? arena_printf(a, "%s is the same for all; it "
	    "has no place in a scope", name) :
	    arena_printf(a, "unknown option %.60s", name);
	return RC_BAD;
}

/* What a file says for several is copied for one of them. */
static struct scope *
copy_of(struct scopes *scopes, struct arena *a, struct scope *from,
    struct slice name)
{
	struct scope *scope = arena_alloc(a, sizeof *scope);
	struct scope_setting **last = &scope->settings;

	*scope = *from;
	scope->name = name;
	scope->names = 1;
	scope->settings = NULL;
	for (const struct scope_setting *s = from->settings; s != NULL;
	    s = s->next) {
		*last = arena_alloc(a, sizeof **last);
		**last = *s;
		(*last)->next = NULL;
		last = &(*last)->next;
	}
	if (scopes->last == &from->next)
		scopes->last = &scope->next;
	from->next = scope;
	scopes->count++;
	return scope;
}

static struct scope *
new_scope(struct scopes *scopes, struct arena *a,
    const struct scope_word *word, struct slice name)
{
	struct scope *scope = arena_alloc(a, sizeof *scope);

	*scope = (struct scope){ .level = word->level, .name = name,
	    .names = 1, .where = word->where };
	*scopes->last = scope;
	scopes->last = &scope->next;
	scopes->count++;
	return scope;
}

/* A scope for this name alone; NULL where there can be none: who belongs to
 * several clients of one scope is of which? */
static struct scope *
own_scope(struct scopes *scopes, struct arena *a, struct slice name,
    struct slice exact, const struct scope_word *word)
{
	struct slice key = scope_key(a, scope_level_name(word->level), name);
	struct scope_member *m = map_get(scopes->index, key);

	if (m == NULL) {
		m = arena_alloc(a, sizeof *m);
		m->scope = new_scope(scopes, a, word, name);
		m->exact = exact;
		m->where = word->where;
		map_put(scopes->index, key, m);
	} else if (m->scope->names > 1) {
		if (word->level == SCOPE_CLIENT || word->level == SCOPE_PROFILE)
			return NULL;
		m->scope = copy_of(scopes, a, m->scope, name);
	}
	return m->scope;
}

static void
map_drop(void *map)
{
	map_free(map);
}

/* The same text of the same option is read once. */
static enum rc
value_of(struct scopes *scopes, struct arena *a, const struct conf_option *o,
    struct slice raw, const void **value_r, struct slice *why_r)
{
	struct slice key = scope_key(a, o->name, raw);
	void *value;

	if (scopes->values == NULL) {
		scopes->values = map_new();
		arena_defer(a, map_drop, scopes->values);
	}
	*value_r = map_get(scopes->values, key);
	if (*value_r != NULL)
		return RC_OK;
	value = arena_alloc(a, conf_field_size(conf_kind_of(o)));
	*value_r = value;
	if (conf_value(a, o, raw, value, why_r) != RC_OK)
		return RC_BAD;
	map_put(scopes->values, key, value);
	return RC_OK;
}

static enum rc
add_to(struct scope *scope, struct arena *a, const struct conf_option *o,
    const struct scope_word *word, const void *value, struct slice *why_r)
{
	const struct scope_setting *before = setting_of(scope, o);
	struct scope_setting *s;

	if (before != NULL) {
		*why_r = arena_printf(a, "%s is set for %s %.*s a second time; "
		    "the first is in %.*s", o->name,
		    scope_level_name(word->level), SLICE_ARG(scope->name),
		    SLICE_ARG(before->where));
		return RC_BAD;
	}
	s = arena_alloc(a, sizeof *s);
	*s = (struct scope_setting){ .next = scope->settings, .option = o,
	    .value = value, .final = word->final, .raw = word->raw,
	    .where = word->where };
	scope->settings = s;
	return RC_OK;
}

enum rc
scope_add(struct scopes *scopes, struct arena *a,
    const struct conf_option *options, const char *option,
    const struct scope_word *word, struct slice *why_r)
{
	const char *kind = scope_level_name(word->level);
	struct slice name = word->name, exact = SLICE("");
	const struct conf_option *o;
	const void *value = NULL;
	struct scope *scope;

	if (find_option(options, option, &o, a, why_r) != RC_OK)
		return RC_BAD;
	if (!scope_normal(a, kind, &name, &exact)) {
		*why_r = arena_printf(a, "\"%.*s\" is no %s",
		    SLICE_ARG(slice_sub(word->name, 0, 60)),
		    word->level == SCOPE_USER ? "address" : "domain");
		return RC_BAD;
	}
	if (word->raw.ptr != NULL &&
	    value_of(scopes, a, o, word->raw, &value, why_r) != RC_OK)
		return RC_BAD;
	scopes->options = options;
	scope = own_scope(scopes, a, name, exact, word);
	if (scope != NULL)
		return add_to(scope, a, o, word, value, why_r);
	*why_r = arena_printf(a, "%s %.*s shares its scope with others; give "
	    "it one of its own", kind, SLICE_ARG(name));
	return RC_BAD;
}
