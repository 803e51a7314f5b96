/* gatehouse postfix-config: Postfix, set up for the house. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "text/json.h"
#include "tools/diff.h"
#include "tools/postfix-apply.h"
#include "tools/postfix-conf.h"
#include "tools/verb.h"

enum what { PRINT, APPLY, REVERT, DIFF, SAMPLE, MANUAL };

enum { OPT_VERSION = 256 };

static const struct option longs[] = {
	{ "role", required_argument, NULL, 'r' },
	{ "postfix", required_argument, NULL, 'p' },
	{ "config", required_argument, NULL, 'c' },
	{ "print", no_argument, NULL, 'P' },
	{ "apply", no_argument, NULL, 'A' },
	{ "revert", no_argument, NULL, 'R' },
	{ "diff", no_argument, NULL, 'D' },
	{ "json", no_argument, NULL, 'j' },
	{ "postfix-version", required_argument, NULL, OPT_VERSION },
	{ "sample", no_argument, NULL, 'S' },
	{ "manual", no_argument, NULL, 'M' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static int
help(void)
{
	puts("usage: gatehouse postfix-config [--print|--diff|--apply|--revert]"
	    " [OPTION]...\n"
	    "\n"
	    "Postfix, set up for the house: main.cf, master.cf and small maps, "
	    "each line with\n"
	    "its reason. Without an option it prints them.\n"
	    "\n"
	    "  --print           the whole recipe\n"
	    "  --diff            what --apply would change\n"
	    "  --apply           change Postfix's files; what is there is kept "
	    "beside it\n"
	    "  --revert          take out exactly what --apply put in\n"
	    "  --role ROLE       inbound, outbound or both; else what "
	    "postfix.conf says\n"
	    "  --postfix DIR     instead of /etc/postfix\n"
	    "  --config DIR      instead of " SYSCONFDIR "/gatehouse\n"
	    "  --postfix-version VERSION\n"
	    "                    print for this version, whatever is here\n"
	    "  --json            one JSON object\n"
	    "\n"
	    "Postfix is not reloaded; the command for it is said.");
	return EX_OK;
}

struct options {
	enum what what;
	enum recipe_role role;
	const char *dir, *conf_dir, *version;
	bool json;
};

static bool
read_role(const char *name, enum recipe_role *role_r)
{
	for (int r = RECIPE_INBOUND; r <= RECIPE_BOTH; r++) {
		if (strcmp(name, recipe_role_name((enum recipe_role)r)) == 0) {
			*role_r = (enum recipe_role)r;
			return true;
		}
	}
	return false;
}

static int
table(enum what what)
{
	const struct conf_section sections[] = {
	    { postfix_conf_options, NULL }, { NULL, NULL } };

	return verb_options("gatehouse postfix-config", sections,
	    what != SAMPLE);
}

static int
trouble(enum rc rc, struct slice why)
{
	return verb_fails(verb_status(rc), "postfix-config: %.*s",
	    SLICE_ARG(why));
}

/* --- printing ---------------------------------------------------------- */

static void
print_notes(struct buf *out, const struct recipe *r)
{
	for (size_t i = 0; i < r->nnotes; i++)
		buf_addf(out, "%s: %s: %s\n",
		    recipe_severity_name(r->notes[i].severity),
		    r->notes[i].about, r->notes[i].text);
}

static void
print_main(struct buf *out, const struct recipe *r)
{
	buf_adds(out, "# --- main.cf ---\n");
	for (size_t i = 0; i < r->nentries; i++)
		if (r->entries[i].file == RECIPE_MAIN)
			cf_write_param(out, &r->entries[i], "\n");
}

static void
print_master(struct buf *out, const struct recipe *r)
{
	buf_adds(out, "\n# --- master.cf ---\n");
	for (size_t i = 0; i < r->nentries; i++) {
		const struct recipe_entry *e = &r->entries[i];
		struct slice service = slice_of(e->service);

		if (e->file != RECIPE_MASTER)
			continue;
		if (e->name != NULL) {
			cf_write_option(out, e, "\n");
			continue;
		}
		cf_write_comment(out, e->reason, "\n");
		buf_addf(out, "%.*s %s\n", (int)slice_find_last(service, '/'),
		    e->service, e->value);
	}
}

static void
print_maps(struct buf *out, const struct recipe *r)
{
	for (size_t i = 0; i < r->nentries; i++) {
		const struct recipe_entry *e = &r->entries[i];

		if (e->file != RECIPE_MAP)
			continue;
		buf_addf(out, "\n# --- gatehouse/%s ---\n", e->service);
		cf_write_comment(out, e->reason, "\n");
		buf_adds(out, e->value);
	}
}

static void
json_entry(struct json *w, const struct recipe_entry *e)
{
	static const char *const files[] = { "main.cf", "master.cf", "map" };
	static const char *const modes[] = { "set", "first", "default" };

	json_begin_object(w);
	json_put(w, "file", slice_of(files[e->file]));
	if (e->service != NULL)
		json_put(w, e->file == RECIPE_MAP ? "map" : "service",
		    slice_of(e->service));
	if (e->name != NULL)
		json_put(w, "name", slice_of(e->name));
	json_put(w, "value", slice_of(e->value));
	json_put(w, "reason", slice_of(e->reason));
	json_put(w, "mode", slice_of(modes[e->mode]));
	json_put(w, "severity", slice_of(recipe_severity_name(e->severity)));
	json_put(w, "role", slice_of(recipe_role_name(e->role)));
	if (e->since != NULL)
		json_put(w, "since", slice_of(e->since));
	json_end(w);
}

static void
json_notes(struct json *w, const struct recipe *r)
{
	json_key(w, "notes");
	json_begin_array(w);
	for (size_t i = 0; i < r->nnotes; i++) {
		json_begin_object(w);
		json_put(w, "severity", slice_of(recipe_severity_name(
		    r->notes[i].severity)));
		json_put(w, "about", slice_of(r->notes[i].about));
		json_put(w, "text", slice_of(r->notes[i].text));
		json_end(w);
	}
	json_end(w);
}

static void
json_recipe(struct json *w, const struct recipe *r)
{
	json_key(w, "entries");
	json_begin_array(w);
	for (size_t i = 0; i < r->nentries; i++)
		json_entry(w, &r->entries[i]);
	json_end(w);
	json_notes(w, r);
}

static int
print_recipe(const struct options *o, const struct postfix_site *site,
    const struct recipe_input *in, struct arena *a)
{
	struct buf out = buf_in(a);
	struct recipe r;
	struct slice why = SLICE("");
	enum rc rc = recipe_build(in, &r, a, &why);
	struct json w;

	if (rc != RC_OK)
		return trouble(rc, why);
	json_init(&w, &out);
	if (o->json) {
		json_pretty(&w);
		json_begin_object(&w);
		json_put(&w, "postfix", slice_of(site->version_text));
		json_put(&w, "role", slice_of(recipe_role_name(in->role)));
		json_recipe(&w, &r);
		json_end(&w);
		buf_addc(&out, '\n');
		return verb_print(&out);
	}
	buf_addf(&out, "# Postfix %s, role %s\n", site->version_text,
	    recipe_role_name(in->role));
	print_main(&out, &r);
	print_master(&out, &r);
	print_maps(&out, &r);
	if (r.nnotes > 0)
		buf_adds(&out, "\n# --- to know ---\n");
	for (size_t i = 0; i < r.nnotes; i++)
		cf_write_comment(&out, arena_printf(a, "%s: %s: %s",
		    recipe_severity_name(r.notes[i].severity),
		    r.notes[i].about, r.notes[i].text).ptr, "\n");
	return verb_print(&out);
}

/* --- changing ---------------------------------------------------------- */

static bool
file_changes(const struct plan_file *f)
{
	return f->was_there != f->stays || !slice_eq(f->before, f->after);
}

static void
print_diff(struct buf *out, struct arena *a, const struct postfix_plan *p)
{
	for (size_t i = 0; i < p->nfiles; i++) {
		const struct plan_file *f = &p->files[i];

		if (!file_changes(f))
			continue;
		buf_addf(out, "--- %s%s\n+++ %s%s\n", f->path, f->was_there ?
		    "" : " (not there)", f->path, f->stays ? "" :
		    " (removed)");
		diff_lines(out, a, f->before, f->after);
	}
}

static void
json_files(struct json *w, const struct postfix_plan *p)
{
	json_key(w, "files");
	json_begin_array(w);
	for (size_t i = 0; i < p->nfiles; i++) {
		const struct plan_file *f = &p->files[i];

		if (!file_changes(f))
			continue;
		json_begin_object(w);
		json_put(w, "path", slice_of(f->path));
		json_put(w, "change", !f->was_there ? SLICE("new") :
		    !f->stays ? SLICE("removed") : SLICE("changed"));
		json_end(w);
	}
	json_end(w);
}

static void
json_changes(struct json *w, const struct postfix_plan *p)
{
	json_key(w, "changes");
	json_begin_array(w);
	for (size_t i = 0; i < cf_changes_count(&p->changes); i++) {
		const struct cf_change *c = cf_changes_at(&p->changes, i);

		json_begin_object(w);
		json_put(w, "file", slice_of(c->file));
		json_put(w, "name", slice_of(c->name));
		if (c->old != NULL)
			json_put(w, "old", slice_of(c->old));
		json_put(w, "new", slice_of(c->new));
		json_put(w, "reason", slice_of(c->reason));
		json_end(w);
	}
	json_end(w);
}

static void
print_changes(struct buf *out, const struct postfix_plan *p)
{
	for (size_t i = 0; i < cf_changes_count(&p->changes); i++) {
		const struct cf_change *c = cf_changes_at(&p->changes, i);

		if (c->old != NULL)
			buf_addf(out, "%s: %s: was \"%s\", is \"%s\"\n",
			    c->file, c->name, c->old, c->new);
	}
	for (size_t i = 0; i < p->nfiles; i++)
		if (file_changes(&p->files[i]))
			buf_addf(out, "%s: %s\n", p->files[i].path,
			    !p->files[i].was_there ? "new" :
			    !p->files[i].stays ? "removed" : "changed");
}

/* --- the verb ---------------------------------------------------------- */

static int
report(const struct options *o, const struct postfix_plan *p,
    struct slice said, bool did, struct buf *out)
{
	struct json w;

	json_init(&w, out);
	if (o->json) {
		json_pretty(&w);
		json_begin_object(&w);
		json_put_bool(&w, "changed", did);
		json_put_bool(&w, "interrupted", p->interrupted);
		json_files(&w, p);
		json_changes(&w, p);
		json_put(&w, "postfix_says", slice_trim(said));
		json_notes(&w, &p->recipe);
		json_end(&w);
		buf_addc(out, '\n');
		return EX_OK;
	}
	if (p->interrupted)
		buf_adds(out, "an earlier run did not end; this one does\n");
	if (did)
		print_changes(out, p);
	buf_add(out, said);
	print_notes(out, &p->recipe);
	if (!did)
		buf_adds(out, "nothing to change\n");
	else
		buf_addf(out, "Postfix reads it after: postfix -c %s "
		    "reload\n", o->dir);
	return EX_OK;
}

static int
change(const struct options *o, struct postfix_plan *p, struct arena *a)
{
	struct buf out = buf_in(a);
	struct slice said = SLICE(""), why = SLICE("");
	bool did = plan_changes(p);
	enum rc rc = RC_OK;
	int status;

	/* A revert goes back to what was there before: were that wrong, it
	 * could not be undone at all. */
	if (did && o->what == APPLY)
		rc = plan_check(p, &said, &why);
	if (rc != RC_OK)
		return trouble(rc, why);
	if (o->what == DIFF) {
		if (o->json)
			report(o, p, said, did, &out);
		else
			print_diff(&out, a, p);
		status = verb_print(&out);
		return status == EX_OK && did ? EXIT_UNEXPECTED : status;
	}
	report(o, p, said, did, &out);
	rc = plan_do(p, &why);
	status = rc != RC_OK ? trouble(rc, why) : EX_OK;
	return status != EX_OK ? status : verb_print(&out);
}

static int
with_postfix(const struct options *o, struct postfix_site *site,
    struct recipe_input *in, struct arena *a)
{
	struct postfix_plan *p = arena_alloc(a, sizeof *p);
	struct slice why = SLICE("");
	enum rc rc = o->what == REVERT ? plan_revert(p, site, a, &why) :
	    plan_apply(p, site, in, a, &why);

	return rc != RC_OK ? trouble(rc, why) : change(o, p, a);
}

static int
run(const struct options *o, struct arena *a)
{
	struct postfix_site site;
	struct recipe_input in = { 0 };
	struct slice why = SLICE("");
	enum rc rc;

	if (o->version != NULL) {
		if (!postfix_site_assumed(&site, o->version, a))
			return verb_fails(EX_USAGE, "postfix-config: \"%s\" is "
			    "no version, as \"3.7.11\"", o->version);
	} else {
		rc = postfix_site_read(&site, o->dir, a, &why);
		if (rc != RC_OK)
			return trouble(rc, why);
	}
	if (o->what != REVERT) {
		rc = recipe_load(verb_conf_dir(o->conf_dir), o->role, &site,
		    &in, a, &why);
		if (rc != RC_OK)
			return trouble(rc, why);
	}
	return o->what == PRINT ? print_recipe(o, &site, &in, a) :
	    with_postfix(o, &site, &in, a);
}

/* 0, or the status to leave with; -1: help was printed. */
static int
read_options(int argc, char **argv, struct options *o)
{
	int c;

	optind = 1;
	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 'r':
			if (!read_role(optarg, &o->role))
				return verb_fails(EX_USAGE, "postfix-config: "
				    "--role is inbound, outbound or both");
			break;
		case 'p': o->dir = optarg; break;
		case 'c': o->conf_dir = optarg; break;
		case 'P': o->what = PRINT; break;
		case 'A': o->what = APPLY; break;
		case 'R': o->what = REVERT; break;
		case 'D': o->what = DIFF; break;
		case 'S': o->what = SAMPLE; break;
		case 'M': o->what = MANUAL; break;
		case 'j': o->json = true; break;
		case OPT_VERSION: o->version = optarg; break;
		case 'h': help(); return -1;
		default: return EX_USAGE;
		}
	}
	if (optind < argc)
		return verb_fails(EX_USAGE, "postfix-config: no such "
		    "argument: %s", argv[optind]);
	if (o->version != NULL && o->what != PRINT)
		return verb_fails(EX_USAGE, "postfix-config: "
		    "--postfix-version is for --print");
	return EX_OK;
}

int
verb_postfix_config(int argc, char **argv, struct arena *a)
{
	struct options o = { .what = PRINT, .dir = "/etc/postfix" };
	int status = read_options(argc, argv, &o);

	if (status != EX_OK)
		return status < 0 ? EX_OK : status;
	if (o.what == SAMPLE || o.what == MANUAL)
		return table(o.what);
	return run(&o, a);
}
