/*
 * The tables that Postfix looks things up in: can it open them, are they what
 * their sources say, and do the recipients stand in them?
 *
 * A table that is not there makes Postfix answer 451, one that is empty 550:
 * of the two the second loses mail.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/map.h"
#include "tools/child.h"
#include "tools/doctor.h"

enum { TYPE, GONE, STALE, EMPTY, NO_RECIPIENTS };

static const struct doctor_kind kinds[] = {
	[TYPE] = { "type", DOCTOR_CRITICAL,
	    "Postfix answers 451 wherever it would look into that table." },
	[GONE] = { "gone", DOCTOR_CRITICAL,
	    "Postfix answers 451 wherever it would look into that table." },
	[STALE] = { "stale", DOCTOR_WARNING,
	    "Postfix still uses what stood in the file before it was "
	    "changed." },
	[EMPTY] = { "empty", DOCTOR_CRITICAL,
	    "Postfix refuses all recipients for good (550), and their senders "
	    "are told that they do not exist." },
	[NO_RECIPIENTS] = { "no-recipients", DOCTOR_WARNING,
	    "Mail for addresses that do not exist is taken and must be "
	    "returned, mostly to forged senders." },
	{ NULL, 0, NULL }
};

/* What a table of that type is compiled into; NULL: it is read as it is. */
static const struct table_type {
	const char *name, *suffix;
	bool file;			/* its name is a file */
} types[] = {
	{ "btree", ".db", true }, { "cdb", ".cdb", true },
	{ "cidr", NULL, true }, { "dbm", ".pag", true },
	{ "hash", ".db", true }, { "ldap", NULL, true },
	{ "lmdb", ".lmdb", true }, { "memcache", NULL, true },
	{ "mongodb", NULL, true }, { "mysql", NULL, true },
	{ "pcre", NULL, true }, { "pgsql", NULL, true },
	{ "regexp", NULL, true }, { "sdbm", ".pag", true },
	{ "socketmap", NULL, false }, { "sqlite", NULL, true },
	{ "texthash", NULL, true },
};

enum { NTYPES = sizeof types / sizeof types[0], TABLES = 500 };

struct table {
	const struct table_type *type;
	const char *path;
	struct slice parameter;		/* where it was named first */
};

struct tables {
	struct doctor_report *r;
	struct table list[TABLES];
	size_t count;
};

static const struct table_type *
type_named(struct slice name)
{
	for (size_t i = 0; i < NTYPES; i++)
		if (slice_eq(name, slice_of(types[i].name)))
			return &types[i];
	return NULL;
}

/* "hash:/etc/postfix/virtual", also behind "proxy:" and inside braces. */
static void
add_word(struct tables *t, struct slice parameter, struct slice word)
{
	const struct table_type *type;
	struct slice path;
	const char *file;

	if (slice_starts(word, SLICE("proxy:")))
		word = slice_after(word, 6);
	if (slice_find(word, ':') == word.len)
		return;
	type = type_named(slice_cut(word, ':', &path));
	if (type == NULL || path.len == 0 || t->count == TABLES ||
	    (type->file && path.ptr[0] != '/'))
		return;
	file = arena_str(t->r->arena, path);
	for (size_t i = 0; i < t->count; i++)
		if (t->list[i].type == type &&
		    strcmp(t->list[i].path, file) == 0)
			return;
	t->list[t->count++] = (struct table){ type, file, parameter };
}

/* Lists of tables that stand elsewhere; and caches, which Postfix makes. */
static bool
passed_over(struct slice name)
{
	return slice_starts(name, SLICE("proxy_")) ||
	    slice_search(name, SLICE("_cache_")) < name.len ||
	    slice_eq(name, SLICE("address_verify_map")) ||
	    slice_eq(name, SLICE("alias_database"));
}

static bool
add_value(struct slice name, void *value, void *arg)
{
	const struct slice *raw = value;
	struct tables *t = arg;
	const struct postconf *pc = t->r->doctor->postfix;
	struct slice rest, word;

	if (passed_over(name))
		return true;
	/* Nobody looks for an alias where nothing is delivered. */
	if (slice_eq(name, SLICE("alias_maps")) && postconf_value(pc, NULL,
	    "mydestination", t->r->arena).len == 0)
		return true;
	if (slice_find(*raw, ':') == raw->len)
		return true;
	rest = postconf_expand(pc, NULL, *raw, t->r->arena);
	for (size_t i = 0; i < rest.len; i++)
		if (slice_has(SLICE("{}"), rest.ptr[i]))
			((char *)(uintptr_t)rest.ptr)[i] = ' ';
	while (postconf_word(&rest, &word, NULL))
		add_word(t, name, word);
	return true;
}

static bool
has_type(const struct postconf *pc, const char *name)
{
	for (size_t i = 0; i < pc->ntypes; i++)
		if (slice_eq(pc->types[i], slice_of(name)))
			return true;
	return false;
}

static const char *
postmap(struct doctor_report *r, const struct table *t)
{
	return doctor_type(r, "postmap%s %s:%s", doctor_instance(r),
	    t->type->name, doctor_shell(r, slice_of(t->path)));
}

static void
check_type(struct doctor_report *r, const struct table *t)
{
	doctor_say(r, TYPE, doctor_type(r, "apt-get install postfix-%s",
	    t->type->name), "%.*s names %s:%s, but this Postfix has no tables "
	    "of type %s (postconf -m)", SLICE_ARG(t->parameter),
	    t->type->name, t->path, t->type->name);
}

static void
check_table(struct doctor_report *r, const struct table *t)
{
	const char *file = arena_printf(r->arena, "%s%s", t->path,
	    t->type->suffix != NULL ? t->type->suffix : "").ptr;
	struct stat made, source;

	if (!has_type(r->doctor->postfix, t->type->name)) {
		check_type(r, t);
		return;
	}
	if (!t->type->file)
		return;
	if (stat(file, &made) != 0 && errno != ENOENT) {
		doctor_unseen(r, "%s: %s", file, strerror(errno));
	} else if (stat(file, &made) != 0) {
		doctor_say(r, GONE, t->type->suffix != NULL ? postmap(r, t) :
		    doctor_type(r, "# make it, or take it out of %.*s",
		    SLICE_ARG(t->parameter)), "%.*s names %s:%s, but there "
		    "is no %s", SLICE_ARG(t->parameter), t->type->name,
		    t->path, file);
	} else if (t->type->suffix != NULL && stat(t->path, &source) == 0 &&
	    (source.st_mtim.tv_sec > made.st_mtim.tv_sec ||
	    (source.st_mtim.tv_sec == made.st_mtim.tv_sec &&
	    source.st_mtim.tv_nsec > made.st_mtim.tv_nsec))) {
		doctor_say(r, STALE, postmap(r, t), "%s is newer than %s",
		    t->path, file);
	} else {
		doctor_saw(r, "%s:%s", t->type->name, t->path);
	}
}

/* The first entry is enough. */
static bool
any(struct slice piece, void *arg)
{
	bool *some = arg;

	*some = piece.len > 0;
	return false;
}

/* A line that is no comment. */
static bool
file_has_any(const char *path, bool *known_r)
{
	FILE *f = fopen(path, "re");
	bool some = false, start = true, comment = false;
	int c;

	*known_r = f != NULL;
	while (f != NULL && !some && (c = getc(f)) != EOF) {
		if (start)
			comment = c == '#';
		start = c == '\n';
		some = !comment && !ascii_space((char)c);
	}
	if (f != NULL)
		fclose(f);
	return some;
}

/* What holds entries can be listed; patterns and servers cannot. */
static bool
has_any(struct doctor_report *r, const struct table *t, bool *known_r)
{
	const char *const argv[] = { "postmap", "-s", arena_printf(r->arena,
	    "%s:%s", t->type->name, t->path).ptr, NULL };
	bool some = false;
	struct child c = { .argv = argv, .take = any, .arg = &some };
	struct slice why;

	if (strcmp(t->type->name, "texthash") == 0)
		return file_has_any(t->path, known_r);
	*known_r = t->type->suffix != NULL &&
	    has_type(r->doctor->postfix, t->type->name) &&
	    child_run(&c, r->doctor->until, r->arena, &why) == RC_OK &&
	    c.status == 0;
	return some;
}

static void
check_empty(struct doctor_report *r, const struct table *t)
{
	bool known, some = has_any(r, t, &known);

	if (!known || some)
		return;
	doctor_say(r, EMPTY, t->type->suffix != NULL ? doctor_type(r,
	    "# fill %s, then type: %s", t->path, postmap(r, t)) :
	    doctor_type(r, "# fill %s", t->path),
	    "%.*s names %s:%s, and nothing is in it",
	    SLICE_ARG(t->parameter), t->type->name, t->path);
}

static void
check_recipients(struct tables *t)
{
	struct doctor_report *r = t->r;
	const struct postconf *pc = r->doctor->postfix;

	for (size_t i = 0; i < t->count; i++)
		if (slice_ends(t->list[i].parameter,
		    SLICE("_recipient_maps")) || slice_eq(t->list[i].parameter,
		    SLICE("virtual_mailbox_maps")))
			check_empty(r, &t->list[i]);
	if (postconf_value(pc, NULL, "relay_domains", r->arena).len > 0 &&
	    postconf_value(pc, NULL, "relay_recipient_maps",
	    r->arena).len == 0 && slice_search(postconf_value(pc, NULL,
	    "smtpd_recipient_restrictions", r->arena),
	    SLICE("reject_unverified_recipient")) == postconf_value(pc, NULL,
	    "smtpd_recipient_restrictions", r->arena).len)
		doctor_say(r, NO_RECIPIENTS, "# in postfix.conf, name a map: "
		    "recipient_maps = [ \"/etc/gatehouse/recipients\" ]; then "
		    "gatehouse postfix-config --apply",
		    "relay_domains is set, relay_recipient_maps is not");
}

static void
run(struct doctor_report *r)
{
	const struct postconf *pc = r->doctor->postfix;
	struct tables *t = arena_alloc(r->arena, sizeof *t);

	t->r = r;
	map_each(pc->parameters, add_value, t);
	map_each(pc->options, add_value, t);
	for (size_t i = 0; i < t->count; i++)
		check_table(r, &t->list[i]);
	check_recipients(t);
}

const struct doctor_check doctor_maps = {
	"maps", "opens the tables that Postfix names: types, files, whether "
	"they are stale, recipients", kinds, DOCTOR_POSTFIX, run,
};
