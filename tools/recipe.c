#include "tools/recipe.h"

#include <stdarg.h>
#include <string.h>

#include "tools/recipe-build.h"

const char *
recipe_severity_name(enum recipe_severity severity)
{
	static const char *const names[] = { "must", "should", "may" };

	return names[severity];
}

const char *
recipe_role_name(enum recipe_role role)
{
	static const char *const names[] = { "none", "inbound", "outbound",
	    "both" };

	return names[role];
}

/* --- versions ---------------------------------------------------------- */

static unsigned
read_part(struct slice *rest)
{
	unsigned value = 0;

	while (rest->len > 0 && ascii_digit(rest->ptr[0]) && value < 100000) {
		value = value * 10 + (unsigned)(rest->ptr[0] - '0');
		*rest = slice_after(*rest, 1);
	}
	return value;
}

static bool
skip_dot(struct slice *rest)
{
	if (rest->len < 2 || rest->ptr[0] != '.' ||
	    !ascii_digit(rest->ptr[1]))
		return false;
	*rest = slice_after(*rest, 1);
	return true;
}

static bool
version_slice(struct slice text, struct postfix_version *v_r)
{
	struct slice rest = slice_trim(text);

	*v_r = (struct postfix_version){ 0 };
	if (rest.len == 0 || !ascii_digit(rest.ptr[0]))
		return false;
	v_r->major = read_part(&rest);
	if (!skip_dot(&rest))
		return false;
	v_r->minor = read_part(&rest);
	if (skip_dot(&rest))
		v_r->patch = read_part(&rest);
	return true;
}

bool
postfix_version_read(const char *text, struct postfix_version *v_r)
{
	return version_slice(slice_of(text), v_r);
}

/* The first of the list is where it appeared, the others are the patches of
 * older series that brought it back. */
bool
postfix_version_has(const struct postfix_version *v, const char *since)
{
	struct slice rest = slice_of(since);
	bool first = true;

	while (rest.ptr != NULL) {
		struct postfix_version at;

		if (!version_slice(slice_cut(rest, ',', &rest), &at))
			continue;
		if (v->major == at.major && v->minor == at.minor)
			return v->patch >= at.patch;
		if (first && (v->major > at.major || (v->major == at.major &&
		    v->minor > at.minor)))
			return true;
		first = false;
	}
	return since == NULL;
}

/* --- services ---------------------------------------------------------- */

static struct slice
port_number(struct slice port)
{
	static const struct { const char *name, *number; } known[] = {
		{ "smtp", "25" }, { "mail", "25" }, { "submission", "587" },
		{ "submissions", "465" }, { "smtps", "465" },
		{ "urd", "465" }, { "ssmtp", "465" }, { "msa", "587" },
	};

	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (slice_eq(port, slice_of(known[i].name)))
			return slice_of(known[i].number);
	while (port.len > 1 && port.ptr[0] == '0' && ascii_digit(port.ptr[1]))
		port = slice_after(port, 1);
	return port;
}

struct endpoint {
	struct slice host, port, type;
};

static struct endpoint
endpoint_of(struct slice service)
{
	size_t slash = slice_find_last(service, '/');
	struct slice name = slice_sub(service, 0, slash);
	struct endpoint e = { SLICE(""), name, slice_after(service,
	    slash + 1) };
	size_t colon = slice_find_last(name, ':');

	if (!slice_eq(e.type, SLICE("inet")))
		return e;
	if (colon < name.len) {
		e.host = slice_sub(name, 0, colon);
		e.port = slice_after(name, colon + 1);
	}
	if (e.host.len > 1 && e.host.ptr[0] == '[' &&
	    e.host.ptr[e.host.len - 1] == ']')
		e.host = slice_sub(e.host, 1, e.host.len - 2);
	if (slice_eq(e.host, SLICE("localhost")))
		e.host = SLICE("127.0.0.1");
	e.port = port_number(e.port);
	return e;
}

bool
recipe_same_service(struct slice a, struct slice b)
{
	struct endpoint x = endpoint_of(a), y = endpoint_of(b);

	return slice_eq(x.type, y.type) && slice_eq(x.port, y.port) &&
	    slice_eq_nocase(x.host, y.host);
}

/* --- times ------------------------------------------------------------- */

const char *
recipe_time(int64_t ms, struct arena *a)
{
	static const struct { int64_t seconds; char unit; } units[] = {
		{ 86400, 'd' }, { 3600, 'h' }, { 60, 'm' },
	};
	int64_t s = (ms + 999) / 1000;

	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
		if (s > 0 && s % units[i].seconds == 0)
			return arena_printf(a, "%lld%c",
			    (long long)(s / units[i].seconds),
			    units[i].unit).ptr;
	return arena_printf(a, "%llds", (long long)s).ptr;
}

int64_t
recipe_chain_time(const struct recipe_chain *chain,
    const struct postfix_conf *conf)
{
	int64_t sum = 0;

	(void)conf;
	for (size_t i = 0; i < chain->count; i++)
		sum += chain->items[i].content_timeout;
	return sum;
}

/* --- building ---------------------------------------------------------- */

const char *
b_printf(struct builder *b, const char *fmt, ...)
{
	va_list args;
	struct slice s;

	va_start(args, fmt);
	s = arena_vprintf(b->arena, fmt, args);
	va_end(args);
	return s.ptr;
}

void
b_fails(struct builder *b, const char *fmt, ...)
{
	va_list args;

	if (b->bad)
		return;
	b->bad = true;
	va_start(args, fmt);
	b->why = arena_vprintf(b->arena, fmt, args);
	va_end(args);
}

void
b_note(struct builder *b, enum recipe_severity severity, const char *about,
    const char *fmt, ...)
{
	struct recipe_note note = { severity, about, NULL };
	va_list args;

	va_start(args, fmt);
	note.text = arena_vprintf(b->arena, fmt, args).ptr;
	va_end(args);
	buf_add(&b->notes, slice_make(&note, sizeof note));
}

bool
b_knows(struct builder *b, const char *name, const char *since)
{
	/* Distributions bring changes back into older versions: what Postfix
	 * itself says counts more. */
	if (b->in->knows != NULL)
		return b->in->knows(b->in->arg, name);
	return postfix_version_has(&b->in->version, since);
}

const char *
b_existing(struct builder *b, const char *name)
{
	const char *is = b->in->existing == NULL ? NULL :
	    b->in->existing(b->in->arg, name);

	return is != NULL ? is : "";
}

const char *
b_first(struct builder *b, const char *name, const char *ours)
{
	const char *is = b_existing(b, name);

	if (is[0] == '\0' || strcmp(is, ours) == 0)
		return ours;
	return slice_starts(slice_of(is), slice_of(b_printf(b, "%s,", ours))) ?
	    is : b_printf(b, "%s, %s", ours, is);
}

static void
add(struct builder *b, const struct recipe_entry *entry)
{
	const struct postfix_version *v = &b->in->version;

	if (entry->since != NULL && !b_knows(b, entry->name, entry->since)) {
		b_note(b, entry->severity, entry->name, "Postfix %u.%u.%u "
		    "cannot do \"%s = %s\" (since %s): %s", v->major, v->minor,
		    v->patch, entry->name, entry->value, entry->since,
		    entry->reason);
		return;
	}
	buf_add(&b->entries, slice_make(entry, sizeof *entry));
}

void
b_main(struct builder *b, struct want want, const char *name,
    const char *value, const char *reason)
{
	add(b, &(struct recipe_entry){ RECIPE_MAIN, NULL, name, value, reason,
	    want.mode, want.severity, want.since, b->role, false });
}

static void
add_service(struct builder *b, const char *service, const char *columns,
    const char *reason, bool own)
{
	const struct recipe_entry *e = (const void *)b->entries.ptr;

	for (size_t i = 0; i < b->entries.len / sizeof *e; i++)
		if (e[i].file == RECIPE_MASTER && e[i].name == NULL &&
		    recipe_same_service(slice_of(e[i].service),
		    slice_of(service)))
			b_fails(b, "postfix.conf has two listeners on %.*s",
			    SLICE_ARG(slice_of(service)));
	b->service = service;
	add(b, &(struct recipe_entry){ RECIPE_MASTER, service, NULL, columns,
	    reason, RECIPE_SET, RECIPE_MUST, NULL, b->role, own });
}

void
b_service(struct builder *b, const char *service, const char *columns,
    const char *reason)
{
	add_service(b, service, columns, reason, false);
}

void
b_own_service(struct builder *b, const char *service, const char *columns,
    const char *reason)
{
	add_service(b, service, columns, reason, true);
}

void
b_option(struct builder *b, struct want want, const char *name,
    const char *value, const char *reason)
{
	add(b, &(struct recipe_entry){ RECIPE_MASTER, b->service, name, value,
	    reason, want.mode, want.severity, want.since, b->role, false });
}

void
b_map(struct builder *b, const char *file, const char *text,
    const char *reason)
{
	add(b, &(struct recipe_entry){ RECIPE_MAP, file, NULL, text, reason,
	    RECIPE_SET, RECIPE_MUST, NULL, b->role, false });
}

const char *
b_columns(struct builder *b, const char *type, const char *priv,
    const char *maxproc, const char *command)
{
	return b_printf(b, "%s %s - %s - %s %s", type, priv,
	    b->in->chroot ? "y" : "n", maxproc, command);
}

/* Best first: what answers fast, survives its reader and is rewritten in one
 * go. texthash has no second file that could be older than the first. */
static const char *
best_type(struct builder *b)
{
	static const char *const order[] = { "lmdb", "cdb", "hash", "btree",
	    "texthash" };

	for (size_t i = 0; i < sizeof order / sizeof order[0]; i++)
		if (conf_list_has(&b->in->map_types, slice_of(order[i])))
			return order[i];
	return "texthash";
}

static void
check_type(struct builder *b, struct slice map, const char *option)
{
	struct slice type = slice_sub(map, 0, slice_find(map, ':'));

	if (slice_eq(type, SLICE("proxy")))
		type = slice_sub(slice_after(map, 6), 0,
		    slice_find(slice_after(map, 6), ':'));
	if (b->in->map_types.count > 0 &&
	    !conf_list_has(&b->in->map_types, type))
		b_fails(b, "%s has \"%.*s\", but this Postfix has no maps of "
		    "type %.*s (postconf -m); on Debian the package "
		    "postfix-%.*s may bring it", option, SLICE_ARG(map),
		    SLICE_ARG(type), SLICE_ARG(type));
}

const char *
b_maps(struct builder *b, const struct conf_list *maps, const char *option)
{
	struct buf out = buf_in(b->arena);

	for (size_t i = 0; i < maps->count; i++) {
		struct slice map = maps->items[i];

		if (i > 0)
			buf_adds(&out, ", ");
		if (map.len > 0 && map.ptr[0] == '/')
			buf_addf(&out, "%s:", best_type(b));
		else
			check_type(b, map, option);
		buf_add(&out, map);
	}
	return arena_str(b->arena, buf_slice(&out));
}

/* What stands as one word in master.cf and in maps. */
static void
check_words(struct builder *b)
{
	const struct postfix_conf *c = b->conf;
	const struct { const char *option, *text; } words[] = {
		{ "inbound_listener", c->inbound_listener },
		{ "submission_listener", c->submission_listener },
		{ "submissions_listener", c->submissions_listener },
		{ "relay_listener", c->relay_listener },
		{ "reinject_listener", c->reinject_listener },
		{ "notice_listener", c->notice_listener },
		{ "split_listener", c->split_listener },
		{ "inner_server", c->inner_server },
		{ "smart_host", c->smart_host },
	};

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		for (const char *p = words[i].text; *p != '\0'; p++)
			if (!ascii_alnum(*p) && strchr(".:[]-_", *p) == NULL)
				b_fails(b, "%s is \"%s\"; it wants a port, or "
				    "a host and a port, as \"[192.0.2.1]:25\"",
				    words[i].option, words[i].text);
}

static void
check(struct builder *b)
{
	const struct postfix_conf *c = b->conf;
	enum { LONGEST = 600 * 1000 };
	const struct { const char *name; const struct recipe_chain *chain; }
	    chains[] = { { "inbound", &b->in->inbound },
	    { "outbound", &b->in->outbound } };

	for (int i = 0; i < 2; i++) {
		int64_t sum = recipe_chain_time(chains[i].chain, c);

		if (sum >= LONGEST)
			b_fails(b, "the deadlines of the %s filters, with "
			    "timeout_margin for each, are %llds together; an "
			    "SMTP client waits %ds, then it sends the message "
			    "again: make them shorter", chains[i].name,
			    (long long)(sum / 1000), LONGEST / 1000);
	}
	check_words(b);
	if (c->minimal_backoff > c->maximal_backoff)
		b_fails(b, "minimal_backoff is longer than maximal_backoff");
	if (c->soft_errors > c->hard_errors)
		b_fails(b, "soft_errors is more than hard_errors");
	if (c->site_start > c->site_concurrency)
		b_fails(b, "site_start is more than site_concurrency");
}

enum rc
recipe_build(const struct recipe_input *in, struct recipe *r, struct arena *a,
    struct slice *why_r)
{
	struct builder b = { .in = in, .conf = in->conf, .arena = a,
	    .entries = buf_in(a), .notes = buf_in(a), .role = in->role };

	check(&b);
	recipe_queue(&b);
	recipe_milters(&b);
	if (in->role & RECIPE_INBOUND)
		recipe_inbound(&b);
	if (in->role & RECIPE_OUTBOUND)
		recipe_outbound(&b);
	b.role = in->role;
	recipe_own(&b);
	recipe_split(&b);
	recipe_spamcheck(&b);
	recipe_routes(&b);
	if (b.bad) {
		*why_r = b.why;
		return RC_BAD;
	}
	r->entries = (struct recipe_entry *)(void *)b.entries.ptr;
	r->nentries = b.entries.len / sizeof *r->entries;
	r->notes = (struct recipe_note *)(void *)b.notes.ptr;
	r->nnotes = b.notes.len / sizeof *r->notes;
	return RC_OK;
}
