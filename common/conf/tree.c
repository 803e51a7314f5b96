#include "conf/tree.h"

#include <string.h>

#include "conf/near.h"
#include "conf/source.h"
#include "conf/value.h"

struct tree {
	struct arena *arena;
	struct source *src;
	config_t config;
};

static void
destroy(void *arg)
{
	config_destroy(arg);
}

static enum rc
parse(struct tree *t, struct slice *why_r)
{
	struct slice where;

	config_init(&t->config);
	arena_defer(t->arena, destroy, &t->config);
	if (config_read_string(&t->config, source_text(t->src)))
		return RC_OK;
	where = source_where(t->src, (unsigned)config_error_line(&t->config));
	*why_r = arena_printf(t->arena, "%.*s: %s", SLICE_ARG(where),
	    source_syntax(config_error_text(&t->config)));
	return RC_BAD;
}

enum rc
tree_file(struct arena *a, const char *path, bool trusted, size_t file_max,
    struct tree **tree_r, struct slice *why_r)
{
	struct tree *t = arena_alloc(a, sizeof *t);

	t->arena = a;
	*tree_r = t;
	if (source_file(a, path, trusted, file_max, &t->src, why_r) != RC_OK)
		return RC_BAD;
	return parse(t, why_r);
}

enum rc
tree_memory(struct arena *a, const char *name, struct slice text,
    struct tree **tree_r, struct slice *why_r)
{
	struct tree *t = arena_alloc(a, sizeof *t);

	t->arena = a;
	*tree_r = t;
	if (source_memory(a, name, text, &t->src, why_r) != RC_OK)
		return RC_BAD;
	return parse(t, why_r);
}

const config_setting_t *
tree_root(const struct tree *t)
{
	return config_root_setting(&t->config);
}

struct slice
tree_where(const struct tree *t, const config_setting_t *s)
{
	return source_where(t->src, s->line);
}

static enum rc
told(const struct tree *t, unsigned line, struct slice what,
    struct slice *why_r)
{
	struct slice where = source_where(t->src, line);

	*why_r = arena_printf(t->arena, "%.*s: %.*s", SLICE_ARG(where),
	    SLICE_ARG(what));
	return RC_BAD;
}

enum rc
tree_bad(const struct tree *t, const config_setting_t *s,
    struct slice *why_r, const char *fmt, ...)
{
	struct slice what;
	va_list args;

	va_start(args, fmt);
	what = arena_vprintf(t->arena, fmt, args);
	va_end(args);
	return told(t, s->line, what, why_r);
}

enum rc
tree_value(const struct tree *t, const config_setting_t *s,
    const struct conf_option *o, void *field, struct slice *why_r)
{
	struct slice what;
	unsigned line;

	if (value_read(t->arena, o, s, field, &what, &line) == RC_OK)
		return RC_OK;
	return told(t, line, what, why_r);
}

enum rc
tree_unknown(const struct tree *t, const config_setting_t *s,
    const char *const *known, struct slice *why_r)
{
	struct near near = near_to(slice_of(s->name));
	struct buf all = buf_in(t->arena);

	for (; *known != NULL; known++) {
		near_try(&near, *known);
		buf_addf(&all, "%s%s", all.len > 0 ? ", " : "", *known);
	}
	if (near.best != NULL)
		return tree_bad(t, s, why_r, "unknown setting %.60s; did you "
		    "mean %s?", s->name, near.best);
	return tree_bad(t, s, why_r, "unknown setting %.60s; here may stand "
	    "%.*s", s->name, SLICE_ARG(buf_slice(&all)));
}
