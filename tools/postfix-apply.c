#include "tools/postfix-apply.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "text/json.h"
#include "tools/postfix-files.h"

static const char *
below(const struct postfix_plan *p, const char *name)
{
	return arena_printf(p->arena, "%s/%s", p->site->dir, name).ptr;
}

/* --- planning ---------------------------------------------------------- */

static struct plan_file *
add_file(struct postfix_plan *p, const char *name, const char *path)
{
	struct plan_file *f = &p->files[p->nfiles++];

	*f = (struct plan_file){ .name = name, .path = path };
	return f;
}

static struct plan_file *
add_cf(struct postfix_plan *p, const char *name,
    const struct postfix_file *is)
{
	struct plan_file *f = add_file(p, name, is->path);

	f->before = is->text;
	f->was_there = f->stays = true;
	return f;
}

static enum rc
add_map(struct postfix_plan *p, const char *name, struct plan_file **f_r,
    struct slice *why_r)
{
	struct plan_file *f;
	enum rc rc;

	if (p->nfiles >= PLAN_FILES_MAX) {
		*why_r = SLICE("too many files in the folder gatehouse");
		return RC_BAD;
	}
	f = add_file(p, arena_printf(p->arena, "gatehouse/%s", name).ptr,
	    below(p, arena_printf(p->arena, "gatehouse/%s", name).ptr));
	f->is_map = true;
	rc = file_read(p->arena, f->path, &f->before, &f->was_there, why_r);
	*f_r = f;
	if (rc != RC_OK || !f->was_there || cf_map_good(p->arena, f->before))
		return rc;
	*why_r = arena_printf(p->arena, "%s: it is not as Gatehouse wrote it; "
	    "what you changed belongs into gatehouse.conf or postfix.conf. "
	    "Remove the file, or move it, and try again", f->path);
	return RC_BAD;
}

static bool
planned(const struct postfix_plan *p, const char *name)
{
	for (size_t i = 0; i < p->nfiles; i++)
		if (p->files[i].is_map && strcmp(p->files[i].name + 10,
		    name) == 0)
			return true;
	return false;
}

/* Maps of ours that nobody names any more. */
static enum rc
add_stale(struct postfix_plan *p, struct slice *why_r)
{
	DIR *d = opendir(below(p, "gatehouse"));
	struct dirent *e;
	enum rc rc = RC_OK;

	while (d != NULL && rc == RC_OK && (e = readdir(d)) != NULL) {
		struct plan_file *f;

		if (e->d_type != DT_REG || e->d_name[0] == '.' ||
		    strcmp(e->d_name, "manifest") == 0 ||
		    planned(p, e->d_name))
			continue;
		rc = add_map(p, arena_str(p->arena, slice_of(e->d_name)), &f,
		    why_r);
	}
	if (d != NULL)
		closedir(d);
	return rc;
}

static void
begin(struct postfix_plan *p, const struct postfix_site *site,
    struct arena *a)
{
	struct slice manifest, none;
	bool there;

	*p = (struct postfix_plan){ .arena = a, .site = site,
	    .changes.items = buf_in(a) };
	p->main = add_cf(p, "main.cf", &site->main);
	p->master = add_cf(p, "master.cf", &site->master);
	p->interrupted = file_read(a, below(p, "gatehouse/manifest"),
	    &manifest, &there, &none) == RC_OK && there &&
	    slice_search(manifest, SLICE("\"ended\": true")) == manifest.len;
}

static enum rc
add_maps(struct postfix_plan *p, struct slice *why_r)
{
	for (size_t i = 0; i < p->recipe.nentries; i++) {
		const struct recipe_entry *e = &p->recipe.entries[i];
		struct plan_file *f;

		if (e->file != RECIPE_MAP)
			continue;
		if (add_map(p, e->service, &f, why_r) != RC_OK)
			return RC_BAD;
		f->after = cf_map_text(p->arena, e);
		f->stays = true;
	}
	return add_stale(p, why_r);
}

/* Does the old master.cf, or the new, need a chain that the new main.cf, or
 * the old, does not have? Then both are in main.cf for a while. */
static bool
chains_differ(const struct postfix_plan *p)
{
	static const char *const chains[] = { "\ngatehouse_inbound =",
	    "\ngatehouse_outbound =" };

	for (int i = 0; i < 2; i++) {
		struct slice chain = slice_of(chains[i]);

		if (slice_search(p->main->before, chain) <
		    p->main->before.len && slice_search(p->main->after,
		    chain) == p->main->after.len)
			return true;
	}
	return false;
}

enum rc
plan_apply(struct postfix_plan *p, const struct postfix_site *site,
    struct recipe_input *in, struct arena *a, struct slice *why_r)
{
	struct cf_changes ignored = { buf_in(a) };
	struct recipe both;
	enum rc rc;

	begin(p, site, a);
	rc = recipe_build(in, &p->recipe, a, why_r);
	if (rc != RC_OK)
		return rc;
	p->main->after = cf_edit_main(a, site->main.own, &p->recipe,
	    &p->changes);
	rc = cf_edit_master(a, site->master.own, &p->recipe, &p->changes,
	    &p->master->after, why_r);
	if (rc == RC_OK)
		rc = add_maps(p, why_r);
	if (rc != RC_OK || !chains_differ(p))
		return rc;
	in->both_chains = true;
	rc = recipe_build(in, &both, a, why_r);
	in->both_chains = false;
	if (rc == RC_OK)
		p->main_between = cf_edit_main(a, site->main.own, &both,
		    &ignored);
	return rc;
}

enum rc
plan_revert(struct postfix_plan *p, const struct postfix_site *site,
    struct arena *a, struct slice *why_r)
{
	begin(p, site, a);
	p->reverting = true;
	p->main->after = site->main.own;
	p->master->after = site->master.own;
	return add_stale(p, why_r);
}

static bool
changes(const struct plan_file *f)
{
	return f->was_there != f->stays || !slice_eq(f->before, f->after);
}

bool
plan_changes(const struct postfix_plan *p)
{
	for (size_t i = 0; i < p->nfiles; i++)
		if (changes(&p->files[i]))
			return true;
	return false;
}

/* --- doing ------------------------------------------------------------- */

static enum rc
do_file(struct postfix_plan *p, struct plan_file *f, struct slice *why_r)
{
	enum rc rc = RC_OK;

	if (!changes(f))
		return RC_OK;
	if (f->stays)
		rc = file_replace(p->arena, f->path, f->before, f->was_there,
		    f->after, why_r);
	else
		rc = file_remove(p->arena, f->path, why_r);
	if (rc == RC_OK) {
		f->before = f->after;
		f->was_there = f->stays;
	}
	return rc;
}

static enum rc
do_maps(struct postfix_plan *p, bool stays, struct slice *why_r)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < p->nfiles; i++)
		if (p->files[i].is_map && p->files[i].stays == stays)
			rc = do_file(p, &p->files[i], why_r);
	return rc;
}

static enum rc
write_new(struct postfix_plan *p, const char *path, struct slice text,
    struct slice *why_r)
{
	struct slice before;
	bool there;
	enum rc rc = file_read(p->arena, path, &before, &there, why_r);

	if (rc != RC_OK || (there && slice_eq(before, text)))
		return rc;
	return file_replace(p->arena, path, before, there, text, why_r);
}

static enum rc
manifest(struct postfix_plan *p, bool ended, struct slice *why_r)
{
	struct buf out = buf_in(p->arena);
	struct json w;

	json_init(&w, &out);
	json_pretty(&w);
	json_begin_object(&w);
	json_put(&w, "doing", p->reverting ? SLICE("revert") :
	    SLICE("apply"));
	json_put_bool(&w, "ended", ended);
	json_put(&w, "version", SLICE(VERSION));
	json_put(&w, "postfix", slice_of(p->site->version_text));
	json_key(&w, "files");
	json_begin_array(&w);
	for (size_t i = 0; i < p->nfiles; i++) {
		const struct plan_file *f = &p->files[i];

		if (!f->stays)
			continue;
		json_begin_object(&w);
		json_put(&w, "name", slice_of(f->name));
		json_put(&w, "hash", cf_hash(p->arena, f->after));
		json_end(&w);
	}
	json_end(&w);
	json_end(&w);
	buf_addc(&out, '\n');
	return write_new(p, below(p, "gatehouse/manifest"), buf_slice(&out),
	    why_r);
}

static int
backwards(const void *a, const void *b)
{
	return strcmp(*(const char *const *)b, *(const char *const *)a);
}

/* Their names end with the time, so they sort by it. */
static void
drop_old_backups(struct postfix_plan *p, const char *name)
{
	enum { MOST = 1000 };
	const char **names = arena_array(p->arena, MOST, sizeof *names);
	struct slice prefix = arena_printf(p->arena, "%s.", name), why;
	DIR *d = opendir(below(p, "gatehouse/backup"));
	struct dirent *e;
	size_t n = 0;

	while (d != NULL && n < MOST && (e = readdir(d)) != NULL)
		if (slice_starts(slice_of(e->d_name), prefix))
			names[n++] = arena_str(p->arena, slice_of(e->d_name));
	if (d != NULL)
		closedir(d);
	qsort(names, n, sizeof *names, backwards);
	for (size_t i = PLAN_BACKUPS; i < n; i++)
		file_remove(p->arena, below(p, arena_printf(p->arena,
		    "gatehouse/backup/%s", names[i]).ptr), &why);
}

/* What a run that was killed left half written. */
static void
sweep(struct postfix_plan *p, const char *folder)
{
	DIR *d = opendir(below(p, folder));
	struct dirent *e;

	while (d != NULL && (e = readdir(d)) != NULL)
		if (e->d_name[0] == '.' && slice_ends(slice_of(e->d_name),
		    SLICE(".gatehouse-new")))
			unlinkat(dirfd(d), e->d_name, 0);
	if (d != NULL)
		closedir(d);
}

static enum rc
back_up(struct postfix_plan *p, const struct plan_file *f,
    struct slice *why_r)
{
	time_t now = (time_t)clock_wall();
	char when[32];
	struct tm tm;
	enum rc rc;

	if (f->is_map || !changes(f))
		return RC_OK;
	strftime(when, sizeof when, "%Y%m%dT%H%M%SZ", gmtime_r(&now, &tm));
	rc = write_new(p, below(p, arena_printf(p->arena,
	    "gatehouse/backup/%s.%s", f->name, when).ptr), f->before, why_r);
	if (rc == RC_OK)
		drop_old_backups(p, f->name);
	return rc;
}

static enum rc
prepare(struct postfix_plan *p, struct slice *why_r)
{
	static const char *const folders[] = { "gatehouse",
	    "gatehouse/backup", "gatehouse/applied" };
	enum rc rc = RC_OK;

	for (int i = 0; rc == RC_OK && i < 3; i++) {
		rc = folder_make(p->arena, below(p, folders[i]), why_r);
		sweep(p, folders[i]);
	}
	for (size_t i = 0; i < p->nfiles; i++)
		file_tidy(p->arena, p->files[i].path);
	for (size_t i = 0; rc == RC_OK && i < p->nfiles; i++)
		rc = back_up(p, &p->files[i], why_r);
	if (rc == RC_OK)
		rc = manifest(p, false, why_r);
	if (rc == RC_OK && !p->reverting)
		rc = write_new(p, below(p, "gatehouse/applied/main.cf"),
		    p->main->after, why_r);
	if (rc == RC_OK && !p->reverting)
		rc = write_new(p, below(p, "gatehouse/applied/master.cf"),
		    p->master->after, why_r);
	return rc;
}

/* Both chains, while master.cf changes from one to the other. */
static enum rc
do_between(struct postfix_plan *p, struct slice *why_r)
{
	enum rc rc;

	if (p->main_between.ptr == NULL)
		return RC_OK;
	rc = file_replace(p->arena, p->main->path, p->main->before, true,
	    p->main_between, why_r);
	if (rc == RC_OK)
		p->main->before = p->main_between;
	return rc;
}

static enum rc
do_apply(struct postfix_plan *p, struct slice *why_r)
{
	enum rc rc = do_maps(p, true, why_r);

	if (rc == RC_OK)
		rc = do_between(p, why_r);
	if (rc == RC_OK && p->main_between.ptr == NULL)
		rc = do_file(p, p->main, why_r);
	if (rc == RC_OK)
		rc = do_file(p, p->master, why_r);
	if (rc == RC_OK)
		rc = do_file(p, p->main, why_r);
	return rc != RC_OK ? rc : do_maps(p, false, why_r);
}

static enum rc
do_revert(struct postfix_plan *p, struct slice *why_r)
{
	static const char *const left[] = { "gatehouse/applied/main.cf",
	    "gatehouse/applied/master.cf", "gatehouse/manifest" };
	enum rc rc = do_file(p, p->master, why_r);

	if (rc == RC_OK)
		rc = do_file(p, p->main, why_r);
	if (rc == RC_OK)
		rc = do_maps(p, false, why_r);
	for (int i = 0; rc == RC_OK && i < 3; i++)
		rc = file_remove(p->arena, below(p, left[i]), why_r);
	rmdir(below(p, "gatehouse/applied"));
	return rc;
}

enum rc
plan_do(struct postfix_plan *p, struct slice *why_r)
{
	int lock = open(p->site->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	enum rc rc = RC_OK;

	if (!plan_changes(p) && !p->interrupted) {
		if (lock >= 0)
			close(lock);
		return RC_OK;
	}
	if (lock < 0 || flock(lock, LOCK_EX | LOCK_NB) != 0) {
		*why_r = arena_printf(p->arena, "%s: %s", p->site->dir,
		    lock >= 0 && errno == EWOULDBLOCK ?
		    "another postfix-config is at work there" :
		    strerror(errno));
		rc = RC_RETRY;
	}
	if (rc == RC_OK)
		rc = prepare(p, why_r);
	if (rc == RC_OK)
		rc = p->reverting ? do_revert(p, why_r) : do_apply(p, why_r);
	if (rc == RC_OK && !p->reverting)
		rc = manifest(p, true, why_r);
	if (lock >= 0)
		close(lock);
	return rc;
}
