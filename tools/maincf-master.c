/* A recipe, put into master.cf. */
#include <string.h>

#include "tools/maincf-edit.h"

struct master {
	struct arena *a;
	struct slice own;
	const char *newline;
	struct cf_line *lines;		/* of services alone */
	struct cf_service *services;
	size_t n;
	const struct recipe *recipe;
	struct cf_changes *changes;
	struct buf block;		/* new services */
	struct buf out;
	size_t *fate;			/* by line: 1 + entry that changes it */
	struct slice why;
};

enum { SERVICES_MAX = 10000 };

static void
read_services(struct master *m)
{
	struct cf_walk count = cf_walk(m->own, m->a), w = count;
	struct cf_line line;
	size_t n = 0;

	while (cf_next(&count, &line) && n < SERVICES_MAX)
		n++;
	m->lines = arena_array(m->a, n + 1, sizeof *m->lines);
	m->services = arena_array(m->a, n + 1, sizeof *m->services);
	m->fate = arena_array(m->a, n + 1, sizeof *m->fate);
	while (m->n < n && cf_next(&w, &line)) {
		m->lines[m->n] = line;
		if (cf_service(&line, m->a, &m->services[m->n]))
			m->n++;
	}
}

static struct slice
full_name(struct master *m, const struct cf_service *s)
{
	return arena_printf(m->a, "%.*s/%.*s", SLICE_ARG(s->name),
	    SLICE_ARG(s->type));
}

/* The last of that name counts, as for Postfix. */
static size_t
find(struct master *m, const char *service)
{
	for (size_t i = m->n; i > 0; i--)
		if (recipe_same_service(full_name(m, &m->services[i - 1]),
		    slice_of(service)))
			return i - 1;
	return m->n;
}

static struct slice
wanted_command(const struct recipe_entry *e)
{
	struct slice columns = slice_of(e->value);

	return slice_after(columns, slice_find_last(columns, ' ') + 1);
}

/* Without its address: what binds the same port. */
static struct slice
any_address(struct master *m, struct slice name)
{
	size_t colon = slice_find_last(name, ':');

	return colon == name.len ? name : arena_printf(m->a, "%.*s",
	    SLICE_ARG(slice_after(name, colon + 1)));
}

static bool
everywhere(struct slice name)
{
	size_t colon = slice_find_last(name, ':');
	struct slice host = slice_sub(name, 0, colon);

	return colon == name.len || slice_eq(host, SLICE("0.0.0.0")) ||
	    slice_eq(host, SLICE("[::]"));
}

/* Another listener on that port, where one of both takes all addresses. */
static bool
in_the_way(struct master *m, const struct recipe_entry *e)
{
	struct slice service = slice_of(e->service);
	struct slice name = slice_sub(service, 0,
	    slice_find_last(service, '/'));

	if (!slice_ends(service, SLICE("/inet")))
		return false;
	for (size_t i = 0; i < m->n; i++) {
		const struct cf_service *s = &m->services[i];
		struct slice a = arena_printf(m->a, "%.*s/inet",
		    SLICE_ARG(any_address(m, s->name)));
		struct slice b = arena_printf(m->a, "%.*s/inet",
		    SLICE_ARG(any_address(m, name)));

		if (!slice_eq(s->type, SLICE("inet")) ||
		    !recipe_same_service(a, b) ||
		    !(everywhere(s->name) || everywhere(name)))
			continue;
		m->why = arena_printf(m->a, "master.cf, line %u: %.*s listens "
		    "on the port of %.*s already; name another one, or the "
		    "same address, in postfix.conf", m->lines[i].number,
		    SLICE_ARG(s->name), SLICE_ARG(name));
		return true;
	}
	return false;
}

/* --- writing ----------------------------------------------------------- */

static const struct recipe_entry *
wanted_option(struct master *m, size_t entry, struct slice name)
{
	for (size_t i = entry + 1; i < m->recipe->nentries; i++) {
		const struct recipe_entry *e = &m->recipe->entries[i];

		if (e->file != RECIPE_MASTER || e->name == NULL)
			break;
		if (slice_eq(name, slice_of(e->name)))
			return e;
	}
	return NULL;
}

/* The administrator's arguments, but for the options that are ours. */
static void
add_kept(struct master *m, struct buf *out, const struct cf_service *s,
    size_t entry)
{
	for (size_t i = 0; i < s->nargs; i++) {
		const struct cf_arg *arg = &s->args[i];

		if (arg->name.len > 0 &&
		    wanted_option(m, entry, arg->name) != NULL)
			continue;
		buf_adds(out, "  ");
		buf_add(out, arg->raw);
		buf_adds(out, m->newline);
	}
}

static const char *
old_option(struct master *m, const struct cf_service *s, const char *name)
{
	const char *value = NULL;

	for (size_t i = 0; s != NULL && i < s->nargs; i++)
		if (slice_eq(s->args[i].name, slice_of(name)))
			value = arena_str(m->a, s->args[i].value);
	return value;
}

static void
tell(struct master *m, const struct recipe_entry *e, const char *old)
{
	struct cf_change c = { "master.cf", e->name == NULL ? e->service :
	    arena_printf(m->a, "%s/%s", e->service, e->name).ptr, old,
	    e->value, e->reason };

	if (old == NULL || strcmp(old, e->value) != 0)
		buf_add(&m->changes->items, slice_make(&c, sizeof c));
}

static void
add_options(struct master *m, struct buf *out, const struct cf_service *old,
    size_t entry)
{
	for (size_t i = entry + 1; i < m->recipe->nentries; i++) {
		const struct recipe_entry *e = &m->recipe->entries[i];

		if (e->file != RECIPE_MASTER || e->name == NULL)
			break;
		cf_write_option(out, e, m->newline);
		tell(m, e, old_option(m, old, e->name));
	}
}

/* Does it say already all that the recipe wants? */
static bool
satisfied(struct master *m, const struct cf_service *s, size_t entry)
{
	for (size_t i = entry + 1; i < m->recipe->nentries; i++) {
		const struct recipe_entry *e = &m->recipe->entries[i];
		const char *is;

		if (e->file != RECIPE_MASTER || e->name == NULL)
			break;
		is = old_option(m, s, e->name);
		if (is == NULL || strcmp(is, e->value) != 0)
			return false;
	}
	return true;
}

/* A new service; from is the one whose arguments it takes over, or NULL. */
static void
add_service(struct master *m, size_t entry, const struct cf_service *from)
{
	const struct recipe_entry *e = &m->recipe->entries[entry];
	struct slice service = slice_of(e->service);

	cf_write_comment(&m->block, e->reason, m->newline);
	buf_add(&m->block, slice_sub(service, 0, slice_find_last(service,
	    '/')));
	buf_addf(&m->block, " %s%s", e->value, m->newline);
	tell(m, e, NULL);
	if (from != NULL)
		add_kept(m, &m->block, from, entry);
	add_options(m, &m->block, from, entry);
}

/* postscreen takes the place of smtpd, whose arguments go to smtpd/pass. */
static struct slice
swapped(struct master *m, const struct cf_service *s,
    const struct recipe_entry *e)
{
	return arena_printf(m->a, "%.*s %s", SLICE_ARG(s->name), e->value);
}

static struct slice
changed(struct master *m, size_t i, size_t entry)
{
	const struct recipe_entry *e = &m->recipe->entries[entry];
	const struct cf_service *s = &m->services[i];
	bool same = slice_eq(s->command, wanted_command(e));
	struct buf text = buf_in(m->a);

	cf_write_comment(&text, e->reason, m->newline);
	buf_add(&text, same ? s->columns : swapped(m, s, e));
	buf_adds(&text, m->newline);
	if (same)
		add_kept(m, &text, s, entry);
	else
		tell(m, e, arena_str(m->a, s->command));
	add_options(m, &text, s, entry);
	return cf_mark(m->a, full_name(m, s), slice_sub(m->own,
	    m->lines[i].from, m->lines[i].to - m->lines[i].from),
	    buf_slice(&text), m->newline, false);
}

/* --- the whole --------------------------------------------------------- */

static enum rc
refuse(struct master *m, size_t i, const char *text)
{
	m->why = arena_printf(m->a, "master.cf, line %u: %.*s %s",
	    m->lines[i].number, SLICE_ARG(full_name(m, &m->services[i])),
	    text);
	return RC_BAD;
}

static bool
becomes_postscreen(const struct cf_service *s, const struct recipe_entry *e)
{
	return slice_eq(s->command, SLICE("smtpd")) &&
	    slice_eq(wanted_command(e), SLICE("postscreen"));
}

static enum rc
plan_service(struct master *m, size_t entry, const struct cf_service **from)
{
	const struct recipe_entry *e = &m->recipe->entries[entry];
	size_t i = find(m, e->service);
	bool pass = strcmp(e->service, "smtpd/pass") == 0;

	if (i == m->n) {
		if (in_the_way(m, e))
			return RC_BAD;
		add_service(m, entry, pass ? *from : NULL);
		return RC_OK;
	}
	if (e->own)
		return refuse(m, i, "is not ours, and the recipe needs a "
		    "service of its own there; name another one in "
		    "postfix.conf");
	if (becomes_postscreen(&m->services[i], e))
		*from = &m->services[i];
	else if (!slice_eq(m->services[i].command, wanted_command(e)))
		return refuse(m, i, arena_printf(m->a, "runs %.*s, and the "
		    "recipe wants %.*s there",
		    SLICE_ARG(m->services[i].command),
		    SLICE_ARG(wanted_command(e))).ptr);
	else if (satisfied(m, &m->services[i], entry))
		return RC_OK;
	m->fate[i] = entry + 1;
	return RC_OK;
}

static void
write_file(struct master *m)
{
	size_t at = 0;

	for (size_t i = 0; i < m->n; i++) {
		if (m->fate[i] == 0)
			continue;
		buf_add(&m->out, slice_sub(m->own, at, m->lines[i].from - at));
		buf_add(&m->out, changed(m, i, m->fate[i] - 1));
		at = m->lines[i].to;
	}
	buf_add(&m->out, slice_after(m->own, at));
}

static void
append_block(struct master *m)
{
	struct buf text = buf_in(m->a);
	bool open = m->out.len > 0 && m->out.ptr[m->out.len - 1] != '\n';

	if (m->block.len == 0)
		return;
	cf_write_comment(&text, "Written by \"gatehouse postfix-config "
	    "--apply\"; \"--revert\" takes it out again.", m->newline);
	buf_add(&text, buf_slice(&m->block));
	if (open)
		buf_adds(&m->out, m->newline);
	buf_add(&m->out, cf_mark(m->a, SLICE("end-of-file"), SLICE(""),
	    buf_slice(&text), m->newline, open));
}

enum rc
cf_edit_master(struct arena *a, struct slice own, const struct recipe *r,
    struct cf_changes *changes, struct slice *new_r, struct slice *why_r)
{
	struct master m = { .a = a, .own = own, .newline = cf_newline(own),
	    .recipe = r, .changes = changes, .block = buf_in(a),
	    .out = buf_in(a) };
	const struct cf_service *from = NULL;

	read_services(&m);
	for (size_t i = 0; i < r->nentries; i++) {
		const struct recipe_entry *e = &r->entries[i];

		if (e->file != RECIPE_MASTER || e->name != NULL)
			continue;
		if (plan_service(&m, i, &from) != RC_OK) {
			*why_r = m.why;
			return RC_BAD;
		}
	}
	write_file(&m);
	append_block(&m);
	*new_r = buf_slice(&m.out);
	return RC_OK;
}
