/* The setting `scope` of a file becomes struct scopes. */
#include "conf/scope-read.h"

#include <string.h>

#include "conf/near.h"
#include "conf/value.h"
#include "text/address.h"

enum { NAME_MAX_LEN = 512, SCOPES_MAX = 100000 };

/* The words of a scope that are no options. */
static const char *const words[] = { "client", "domain", "profile", "user",
    "domains", "users", "final", NULL };

static void
map_drop(void *map)
{
	map_free(map);
}

struct scopes *
scopes_new(struct arena *a)
{
	struct scopes *scopes = arena_alloc(a, sizeof *scopes);

	scopes->last = &scopes->first;
	scopes->index = map_new();
	arena_defer(a, map_drop, scopes->index);
	return scopes;
}

static enum rc __attribute__((format(printf, 3, 4)))
bad(struct scope_reading *r, const config_setting_t *s, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	r->why = arena_vprintf(r->a, fmt, args);
	va_end(args);
	r->line = s->line;
	return RC_BAD;
}

static bool
has_scopes(const struct conf_section *x)
{
	for (const struct conf_option *o = x->options; o->name != NULL; o++)
		if (conf_kind_of(o) == CONF_SCOPES)
			return true;
	return false;
}

static const struct conf_option *
find(const struct conf_section *x, const char *name)
{
	for (const struct conf_option *o = x->options; o->name != NULL; o++)
		if (strcmp(o->name, name) == 0)
			return o;
	return NULL;
}

/* An option that no table lets stand in a scope. */
static enum rc
refuse(struct scope_reading *r, const config_setting_t *s, const char *name)
{
	struct near near = near_to(slice_of(name));
	bool known = false;

	for (const struct conf_section *x = r->sections; x->options != NULL;
	    x++) {
		known = known || find(x, name) != NULL;
		for (const struct conf_option *o = x->options;
		    has_scopes(x) && o->name != NULL; o++)
			if ((o->kind & CONF_SCOPED) != 0)
				near_try(&near, o->name);
	}
	if (known)
		return bad(r, s, "%.60s is the same for all; it has no place "
		    "in a scope", name);
	for (size_t i = 0; words[i] != NULL; i++)
		near_try(&near, words[i]);
	if (near.best != NULL)
		return bad(r, s, "unknown option %.60s in a scope; did you "
		    "mean %s?", name, near.best);
	return bad(r, s, "unknown option %.60s in a scope; --manual lists "
	    "those there are", name);
}

static const struct conf_option *
find_scoped(const struct conf_section *x, const char *name)
{
	const struct conf_option *o = has_scopes(x) ? find(x, name) : NULL;

	return o != NULL && (o->kind & CONF_SCOPED) != 0 ? o : NULL;
}

/* The option of our section; *option_r is NULL when it is another's. */
static enum rc
scoped_option(struct scope_reading *r, const config_setting_t *s,
    const char *name, const struct conf_option **option_r)
{
	const struct conf_section *x = r->sections;

	*option_r = find_scoped(r->section, name);
	while (*option_r == NULL && x->options != NULL &&
	    find_scoped(x, name) == NULL)
		x++;
	return *option_r == NULL && x->options == NULL ?
	    refuse(r, s, name) : RC_OK;
}

static struct scope_setting *
setting_for(struct scope_reading *r, struct scope *scope,
    const struct conf_option *o)
{
	struct scope_setting *s = scope->settings;

	while (s != NULL && s->option != o)
		s = s->next;
	if (s != NULL)
		return s;
	s = arena_alloc(r->a, sizeof *s);
	s->option = o;
	s->next = scope->settings;
	scope->settings = s;
	return s;
}

/* Item i of a text or of a list of texts; false behind the last one. */
static enum rc
text_item(struct scope_reading *r, const config_setting_t *s, int i,
    struct slice *text_r)
{
	const config_setting_t *item = s;

	if (config_setting_is_array(s) || config_setting_is_list(s))
		item = config_setting_get_elem(s, (unsigned)i);
	if (item == NULL || item->type != CONFIG_TYPE_STRING)
		return bad(r, item != NULL ? item : s, "%s wants text in "
		    "double quotes, or a list of such", s->name);
	*text_r = slice_of(config_setting_get_string(item));
	if (text_r->len == 0 || text_r->len > NAME_MAX_LEN)
		return bad(r, item, "%s holds a name of %zu bytes; it wants 1 "
		    "to %d", s->name, text_r->len, NAME_MAX_LEN);
	return RC_OK;
}

static int
items(const config_setting_t *s)
{
	if (config_setting_is_array(s) || config_setting_is_list(s))
		return config_setting_length(s);
	return 1;
}

static void
mark_final(struct scope_reading *r, struct scope *scope,
    const struct conf_option *o, unsigned line)
{
	struct scope_setting *s = setting_for(r, scope, o);

	s->final = true;
	if (s->where.ptr == NULL)
		s->where = source_where(r->src, line);
}

static enum rc
read_finals(struct scope_reading *r, struct scope *scope,
    const config_setting_t *s)
{
	const struct conf_option *o;
	struct slice name = SLICE("");

	for (int i = 0; i < items(s); i++) {
		if (text_item(r, s, i, &name) != RC_OK ||
		    scoped_option(r, s, name.ptr, &o) != RC_OK)
			return RC_BAD;
		if (o != NULL)
			mark_final(r, scope, o, s->line);
	}
	return RC_OK;
}

/* Domains and users are compared by their normal form. */
bool
scope_normal(struct arena *a, const char *kind, struct slice *name,
    struct slice *exact_r)
{
	static const struct scope_match match = { false, '\0' };
	struct scope_subject who;

	*exact_r = *name;
	if (strcmp(kind, "client") == 0 || strcmp(kind, "profile") == 0)
		return true;
	if (strcmp(kind, "domain") == 0 || strcmp(kind, "of-client") == 0)
		return domain_ascii(a, *name, name);
	scope_subject(a, *name, match, &who);
	*name = who.address;
	*exact_r = who.exact;
	return who.address.ptr != NULL;
}

static enum rc
normal(struct scope_reading *r, const config_setting_t *s, const char *kind,
    struct slice *name, struct slice *exact_r)
{
	const char *written = name->ptr;

	if (scope_normal(r->a, kind, name, exact_r))
		return RC_OK;
	if (strcmp(kind, "domain") == 0 || strcmp(kind, "of-client") == 0)
		return bad(r, s, "%s holds \"%.60s\", which is no domain; "
		    "write it as \"example.org\"", s->name, written);
	return bad(r, s, "%s holds \"%.60s\", which is no address; write it "
	    "as \"a@example.org\"", s->name, written);
}

static enum rc
add_member(struct scope_reading *r, struct scope *scope, const char *kind,
    const config_setting_t *s, struct slice name)
{
	struct scope_member *m = arena_alloc(r->a, sizeof *m), *old;
	struct slice written = name;

	if (normal(r, s, kind, &name, &m->exact) != RC_OK)
		return RC_BAD;
	m->exact = arena_copy(r->a, m->exact);
	m->scope = scope;
	m->where = source_where(r->src, s->line);
	if (scope->name.ptr == NULL)
		scope->name = arena_copy(r->a, name);
	if (!slice_starts(slice_of(kind), SLICE("of-")))
		scope->names++;
	old = map_put(r->scopes->index, scope_key(r->a, kind, name), m);
	if (old == NULL)
		return RC_OK;
	return bad(r, s, "%s names %.60s a second time; the first is in %.*s",
	    s->name, written.ptr, SLICE_ARG(old->where));
}

static enum rc
read_names(struct scope_reading *r, struct scope *scope, const char *kind,
    const config_setting_t *s)
{
	struct slice name = SLICE("");

	if (items(s) == 0)
		return bad(r, s, "%s names nobody; name one or remove it",
		    s->name);
	for (int i = 0; i < items(s); i++)
		if (text_item(r, s, i, &name) != RC_OK ||
		    add_member(r, scope, kind, s, name) != RC_OK)
			return RC_BAD;
	return RC_OK;
}

/* Which level it is: exactly one of the four words. */
static enum rc
read_level(struct scope_reading *r, struct scope *scope,
    const config_setting_t *group)
{
	const config_setting_t *s, *found = NULL;

	for (int i = SCOPE_CLIENT; i < SCOPE_LEVELS; i++) {
		s = config_setting_get_member(group,
		    scope_level_name((enum scope_level)i));
		if (s != NULL && found != NULL)
			return bad(r, s, "a scope is for one of client, "
			    "domain, profile and user; this one has %s and %s",
			    found->name, s->name);
		if (s != NULL) {
			found = s;
			scope->level = (enum scope_level)i;
		}
	}
	if (found == NULL)
		return bad(r, group, "this scope is for nobody; begin it with "
		    "client, domain, profile or user");
	return read_names(r, scope, found->name, found);
}

static enum rc
read_value(struct scope_reading *r, struct scope *scope,
    const config_setting_t *s)
{
	const struct conf_option *o;
	struct scope_setting *setting;
	void *value;

	if (scoped_option(r, s, s->name, &o) != RC_OK)
		return RC_BAD;
	if (o == NULL)
		return RC_OK;
	value = arena_alloc(r->a, conf_field_size(conf_kind_of(o)));
	if (value_read(r->a, o, s, value, &r->why, &r->line) != RC_OK)
		return RC_BAD;
	setting = setting_for(r, scope, o);
	setting->value = value;
	setting->raw = value_text(r->a, s);
	setting->where = source_where(r->src, s->line);
	return RC_OK;
}

static enum rc
read_members(struct scope_reading *r, struct scope *scope,
    const config_setting_t *s)
{
	bool domains = strcmp(s->name, "domains") == 0;

	if (scope->level != (domains ? SCOPE_CLIENT : SCOPE_PROFILE))
		return bad(r, s, "%s says who belongs to a %s; this scope is "
		    "for a %s", s->name, domains ? "client" : "profile",
		    scope_level_name(scope->level));
	return read_names(r, scope, domains ? "of-client" : "of-profile", s);
}

static enum rc
read_word(struct scope_reading *r, struct scope *scope,
    const config_setting_t *s)
{
	for (int i = SCOPE_CLIENT; i < SCOPE_LEVELS; i++)
		if (strcmp(s->name, scope_level_name((enum scope_level)i)) == 0)
			return RC_OK;
	if (strcmp(s->name, "domains") == 0 || strcmp(s->name, "users") == 0)
		return read_members(r, scope, s);
	if (strcmp(s->name, "final") == 0)
		return read_finals(r, scope, s);
	return read_value(r, scope, s);
}

static enum rc
read_scope(struct scope_reading *r, const config_setting_t *group)
{
	struct scope *scope = arena_alloc(r->a, sizeof *scope);
	int count = config_setting_length(group);

	scope->where = source_where(r->src, group->line);
	if (read_level(r, scope, group) != RC_OK)
		return RC_BAD;
	for (int i = 0; i < count; i++)
		if (read_word(r, scope, config_setting_get_elem(group,
		    (unsigned)i)) != RC_OK)
			return RC_BAD;
	*r->scopes->last = scope;
	r->scopes->last = &scope->next;
	r->scopes->count++;
	return RC_OK;
}

enum rc
scope_read(struct scope_reading *r, const config_setting_t *s)
{
	int count = config_setting_length(s);

	r->scopes->options = r->section->options;
	if (!config_setting_is_list(s))
		return bad(r, s, "scope wants a list of groups as "
		    "( { domain = \"example.org\"; ... }, { ... } )");
	if (count > SCOPES_MAX)
		return bad(r, s, "scope has %d groups; it wants at most %d",
		    count, SCOPES_MAX);
	for (int i = 0; i < count; i++) {
		const config_setting_t *group = config_setting_get_elem(s,
		    (unsigned)i);

		if (!config_setting_is_group(group))
			return bad(r, group, "scope holds something else than "
			    "groups; it wants "
			    "( { domain = \"example.org\"; ... }, { ... } )");
		if (read_scope(r, group) != RC_OK)
			return RC_BAD;
	}
	return RC_OK;
}

enum rc
scope_final(struct scope_reading *r, const config_setting_t *s)
{
	r->scopes->options = r->section->options;
	return read_finals(r, &r->scopes->base, s);
}
