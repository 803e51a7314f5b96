#include "conf/conf.h"

#include <libconfig.h>
#include <string.h>

#include "conf/near.h"
#include "conf/scope-read.h"
#include "conf/source.h"
#include "conf/value.h"

size_t
conf_field_size(enum conf_kind kind)
{
	switch (kind) {
	case CONF_BOOL:
		return sizeof(bool);
	case CONF_COUNT:
		return sizeof(unsigned);
	case CONF_SIZE:
		return sizeof(uint64_t);
	case CONF_TIME:
		return sizeof(int64_t);
	case CONF_ENUM:
		return sizeof(int);
	case CONF_LIST:
	case CONF_DOMAINS:
		return sizeof(struct conf_list);
	case CONF_NETWORKS:
		return sizeof(struct conf_nets);
	default:
		return sizeof(const char *);
	}
}

static void *
field_of(const struct conf_section *section, const struct conf_option *o)
{
	return (char *)section->base + o->offset;
}

static const struct conf_option *
option_named(const struct conf_option *options, const char *name)
{
	for (const struct conf_option *o = options; o->name != NULL; o++)
		if (strcmp(o->name, name) == 0)
			return o;
	return NULL;
}

static enum rc
unknown(struct arena *a, const char *name, const struct conf_section *sections,
    struct slice *why_r)
{
	struct near near = near_to(slice_of(name));

	for (; sections->options != NULL; sections++)
		for (const struct conf_option *o = sections->options;
		    o->name != NULL; o++)
			near_try(&near, o->name);
	if (near.best != NULL)
		*why_r = arena_printf(a, "unknown option %.60s; did you mean "
		    "%s?", name, near.best);
	else
		*why_r = arena_printf(a, "unknown option %.60s; --manual lists "
		    "those there are", name);
	return RC_BAD;
}

static const struct conf_option *
scopes_option(const struct conf_option *options)
{
	for (const struct conf_option *o = options; o->name != NULL; o++)
		if (conf_kind_of(o) == CONF_SCOPES)
			return o;
	return NULL;
}

/* `scope`, and `final` outside of it: they fill what the default made. */
static enum rc
apply_scopes(struct arena *a, const config_setting_t *s,
    const struct source *src, const struct conf_section *sections,
    const struct conf_section *x, const struct conf_option *o,
    struct slice *why_r, unsigned *line_r)
{
	struct scope_reading r = { .a = a, .src = src, .sections = sections,
	    .section = x, .scopes = *(struct scopes **)field_of(x, o) };
	enum rc rc = (strcmp(s->name, "final") == 0 ? scope_final :
	    scope_read)(&r, s);

	*why_r = r.why;
	*line_r = r.line;
	return rc;
}

/* Each section that has an option of this name gets the value. */
static enum rc
apply(struct arena *a, const config_setting_t *s, const struct source *src,
    const struct conf_section *sections, struct slice *why_r, unsigned *line_r)
{
	bool known = false;

	*line_r = s->line;
	for (const struct conf_section *x = sections; x->options != NULL; x++) {
		const struct conf_option *o = option_named(x->options, s->name);
		enum rc rc;

		if (o == NULL && strcmp(s->name, "final") == 0)
			o = scopes_option(x->options);
		if (o == NULL)
			continue;
		known = true;
		if (conf_kind_of(o) == CONF_SCOPES)
			rc = apply_scopes(a, s, src, sections, x, o, why_r,
			    line_r);
		else
			rc = value_read(a, o, s, field_of(x, o), why_r,
			    line_r);
		if (rc != RC_OK)
			return RC_BAD;
	}
	return known ? RC_OK : unknown(a, s->name, sections, why_r);
}

static enum rc
apply_all(struct arena *a, const config_t *config, const struct source *src,
    const struct conf_section *sections, struct slice *why_r, unsigned *line_r)
{
	const config_setting_t *root = config_root_setting(config);
	int count = config_setting_length(root);

	for (int i = 0; i < count; i++)
		if (apply(a, config_setting_get_elem(root, (unsigned)i), src,
		    sections, why_r, line_r) != RC_OK)
			return RC_BAD;
	return RC_OK;
}

static enum rc
apply_source(struct arena *a, struct source *src,
    const struct conf_section *sections, struct slice *why_r)
{
	struct slice where, what = SLICE("");
	unsigned line = 0;
	config_t config;
	enum rc rc = RC_BAD;

	config_init(&config);
	if (config_read_string(&config, source_text(src))) {
		rc = apply_all(a, &config, src, sections, &what, &line);
	} else {
		what = slice_of(source_syntax(config_error_text(&config)));
		line = (unsigned)config_error_line(&config);
	}
	config_destroy(&config);
	if (rc == RC_OK)
		return RC_OK;
	where = source_where(src, line);
	*why_r = arena_printf(a, "%.*s: %.*s", SLICE_ARG(where),
	    SLICE_ARG(what));
	return rc;
}

/* A default goes the way of a value that somebody wrote. */
static enum rc
apply_default(struct arena *a, const struct conf_section *section,
    const struct conf_option *o, struct slice *why_r)
{
	const struct conf_option only[] = { *o, { 0 } };
	const struct conf_section alone[] = { { only, section->base },
	    { NULL, NULL } };
	struct slice written = value_written(a, o);
	struct slice line = arena_printf(a, "%s = %.*s;\n", o->name,
	    SLICE_ARG(written));
	struct source *src;

	if (conf_kind_of(o) == CONF_SCOPES) {
		*(struct scopes **)field_of(section, o) = scopes_new(a);
		return RC_OK;
	}
	if (source_memory(a, "default", line, &src, why_r) != RC_OK)
		return RC_BAD;
	return apply_source(a, src, alone, why_r);
}

static enum rc
apply_defaults(struct arena *a, const struct conf_section *sections,
    struct slice *why_r)
{
	for (; sections->options != NULL; sections++)
		for (const struct conf_option *o = sections->options;
		    o->name != NULL; o++)
			if (apply_default(a, sections, o, why_r) != RC_OK)
				return RC_BAD;
	return RC_OK;
}

static enum rc
load_source(struct arena *a, struct source *src,
    const struct conf_section *sections, struct slice *why_r)
{
	struct slice ignored;
	enum rc rc = apply_source(a, src, sections, why_r);

	if (rc != RC_OK)
		apply_defaults(a, sections, &ignored);
	return rc;
}

static enum rc
load_file(struct arena *a, const char *path, bool trusted,
    const struct conf_section *sections, struct slice *why_r)
{
	struct source *src;

	if (apply_defaults(a, sections, why_r) != RC_OK)
		return RC_BAD;
	if (path == NULL)
		return RC_OK;
	if (source_file(a, path, trusted, SOURCE_FILE, &src, why_r) != RC_OK)
		return RC_BAD;
	return load_source(a, src, sections, why_r);
}

enum rc
conf_load(struct arena *a, const char *path,
    const struct conf_section *sections, struct slice *why_r)
{
	return load_file(a, path, false, sections, why_r);
}

enum rc
conf_load_trusted(struct arena *a, const char *path,
    const struct conf_section *sections, struct slice *why_r)
{
	return load_file(a, path, true, sections, why_r);
}

enum rc
conf_parse(struct arena *a, const char *name, struct slice text,
    const struct conf_section *sections, struct slice *why_r)
{
	struct source *src;

	if (apply_defaults(a, sections, why_r) != RC_OK ||
	    source_memory(a, name, text, &src, why_r) != RC_OK)
		return RC_BAD;
	return load_source(a, src, sections, why_r);
}

/* Exactly one setting: a text that ends it and begins another is none. */
static enum rc
take_value(struct arena *a, const struct conf_option *o, config_t *config,
    void *field, struct slice *why_r)
{
	const config_setting_t *root = config_root_setting(config);
	unsigned line;

	if (config_setting_length(root) == 1)
		return value_read(a, o, config_setting_get_elem(root, 0),
		    field, why_r, &line);
	*why_r = SLICE("more than one value");
	return RC_BAD;
}

enum rc
conf_value(struct arena *a, const struct conf_option *o, struct slice text,
    void *field, struct slice *why_r)
{
	struct slice line = arena_printf(a, "%s = ", o->name), rest;
	struct buf b = buf_in(a);
	struct source *src;
	config_t config;
	enum rc rc;

	buf_add(&b, line);
	buf_add(&b, text);
	buf_adds(&b, ";\n");
	rc = source_memory(a, "value", buf_slice(&b), &src, why_r);
	if (rc != RC_OK) {
		slice_cut(*why_r, ' ', &rest);
		*why_r = rest;
		return rc;
	}
	config_init(&config);
	if (config_read_string(&config, source_text(src))) {
		rc = take_value(a, o, &config, field, why_r);
	} else {
		*why_r = slice_of(source_syntax(config_error_text(&config)));
		rc = RC_BAD;
	}
	config_destroy(&config);
	return rc;
}

enum rc
conf_text(struct arena *a, const char *path, struct slice *text_r,
    struct slice *why_r)
{
	struct source *src;

	if (source_file(a, path, false, SOURCE_FILE, &src,
	    why_r) != RC_OK)
		return RC_BAD;
	*text_r = slice_of(source_text(src));
	return RC_OK;
}

bool
conf_list_same(const struct conf_list *a, const struct conf_list *b)
{
	for (size_t i = 0; a->count == b->count && i < a->count; i++)
		if (!slice_eq(a->items[i], b->items[i]))
			return false;
	return a->count == b->count;
}

bool
conf_list_has(const struct conf_list *list, struct slice item)
{
	for (size_t i = 0; i < list->count; i++)
		if (slice_eq(list->items[i], item))
			return true;
	return false;
}

bool
conf_list_has_nocase(const struct conf_list *list, struct slice item)
{
	for (size_t i = 0; i < list->count; i++)
		if (slice_eq_nocase(list->items[i], item))
			return true;
	return false;
}

bool
conf_nets_hold(const struct conf_nets *nets, const struct ip *ip)
{
	for (size_t i = 0; i < nets->count; i++)
		if (net_holds(&nets->items[i], ip))
			return true;
	return false;
}
