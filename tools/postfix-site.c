#include "tools/postfix-site.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "tools/maincf.h"
#include "tools/postfix-files.h"
#include "tools/run.h"

static enum rc
read_file(struct postfix_site *site, const char *name,
    struct postfix_file *f, struct slice *why_r)
{
	struct arena *a = site->arena;
	const char *path = arena_printf(a, "%s/%s", site->dir, name).ptr;
	char *real = realpath(path, NULL);
	struct slice none;
	bool there;
	enum rc rc;

	if (real == NULL) {
		*why_r = arena_printf(a, "%s: %s", path, strerror(errno));
		return RC_RETRY;
	}
	f->path = arena_str(a, slice_of(real));
	free(real);
	if (file_read(a, arena_printf(a, "%s/gatehouse/applied/%s",
	    site->dir, name).ptr, &f->applied, &there, &none) != RC_OK)
		f->applied = SLICE("");
	rc = file_read(a, f->path, &f->text, &there, why_r);
	if (rc == RC_OK && slice_has(f->text, '\0')) {
		*why_r = arena_printf(a, "%s: it holds a NUL byte; Postfix "
		    "does not read on behind it", path);
		return RC_BAD;
	}
	return rc != RC_OK ? rc : cf_undo(a, path, f->text, f->applied,
	    &f->own, why_r);
}

/* --- postconf(1) ------------------------------------------------------- */

static enum rc
postconf(struct postfix_site *site, const char *option, struct slice *out_r,
    struct slice *why_r)
{
	const char *const argv[] = { "postconf", "-c", site->dir, option,
	    NULL };
	struct run_result r;
	enum rc rc = run_program(site->arena, argv, &r, why_r);

	if (rc != RC_OK)
		return rc;
	*out_r = r.out;
	if (r.status == 0)
		return RC_OK;
	*why_r = arena_printf(site->arena, "postconf -c %s %s: %.*s",
	    site->dir, option, SLICE_ARG(slice_trim(r.err)));
	return RC_RETRY;
}

/* "name = value" lines of postconf -d. */
static enum rc
read_known(struct postfix_site *site, struct slice *why_r)
{
	struct slice out, line;
	enum rc rc = postconf(site, "-d", &out, why_r);

	if (rc != RC_OK)
		return rc;
	site->known = map_new();
	arena_defer(site->arena, (void (*)(void *))map_free, site->known);
	while (slice_line(&out, &line)) {
		struct slice name = slice_trim(slice_cut(line, '=', &line));

		map_put(site->known, name, site->known);
		if (slice_eq(name, SLICE("mail_version")))
			site->version_text = arena_str(site->arena,
			    slice_trim(line));
	}
	if (site->version_text != NULL && postfix_version_read(
	    site->version_text, &site->version))
		return RC_OK;
	*why_r = SLICE("postconf says no mail_version that could be read");
	return RC_RETRY;
}

static enum rc
read_types(struct postfix_site *site, struct slice *why_r)
{
	struct slice out, line, *types;
	enum rc rc = postconf(site, "-m", &out, why_r);
	size_t n = 0;

	if (rc != RC_OK)
		return rc;
	types = arena_array(site->arena, out.len / 2 + 1, sizeof *types);
	while (slice_line(&out, &line))
		if (slice_trim(line).len > 0)
			types[n++] = arena_copy(site->arena, slice_trim(line));
	site->map_types = (struct conf_list){ types, n };
	return RC_OK;
}

enum rc
postfix_site_read(struct postfix_site *site, const char *dir,
    struct arena *a, struct slice *why_r)
{
	enum rc rc;

	*site = (struct postfix_site){ .dir = dir, .arena = a };
	rc = read_file(site, "main.cf", &site->main, why_r);
	if (rc == RC_OK)
		rc = read_file(site, "master.cf", &site->master, why_r);
	if (rc == RC_OK)
		rc = read_known(site, why_r);
	return rc != RC_OK ? rc : read_types(site, why_r);
}

bool
postfix_site_assumed(struct postfix_site *site, const char *version,
    struct arena *a)
{
	*site = (struct postfix_site){ .dir = "/etc/postfix", .arena = a,
	    .version_text = version };
	return postfix_version_read(version, &site->version);
}
