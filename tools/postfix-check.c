/* What Postfix says of a plan, on a copy of its folder. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/map.h"
#include "tools/postfix-apply.h"
#include "tools/postfix-files.h"
#include "tools/run.h"

struct checking {
	const struct postfix_plan *plan;
	struct arena *a;
	const char *dir;		/* the copy */
	struct slice *why_r;
	struct buf said;
};

/* --- the copy ---------------------------------------------------------- */

static enum rc
fails(struct checking *c, const char *path)
{
	*c->why_r = arena_printf(c->a, "%s: %s", path, strerror(errno));
	return RC_RETRY;
}

/* All else that is in the folder may be named by main.cf. */
static enum rc
link_others(struct checking *c)
{
	DIR *d = opendir(c->plan->site->dir);
	struct dirent *e;
	char *real = realpath(c->plan->site->dir, NULL);
	enum rc rc = d == NULL || real == NULL ? fails(c,
	    c->plan->site->dir) : RC_OK;

	while (rc == RC_OK && (e = readdir(d)) != NULL) {
		const char *to = arena_printf(c->a, "%s/%s", c->dir,
		    e->d_name).ptr;

		if (e->d_name[0] != '.' && strcmp(e->d_name, "main.cf") != 0 &&
		    strcmp(e->d_name, "master.cf") != 0 &&
		    strcmp(e->d_name, "gatehouse") != 0 &&
		    symlink(arena_printf(c->a, "%s/%s", real,
		    e->d_name).ptr, to) != 0)
			rc = fails(c, to);
	}
	if (d != NULL)
		closedir(d);
	free(real);
	return rc;
}

/* Not synced: nobody needs it after us. And old: Postfix reads a file that is
 * younger than a second six times, for it might still be written. */
static enum rc
write_copy(struct checking *c, const struct plan_file *f)
{
	const char *path = arena_printf(c->a, "%s/%s", c->dir, f->name).ptr;
	const struct timespec old[2] = { { .tv_sec = 1000000000 },
	    { .tv_sec = 1000000000 } };
	FILE *out = fopen(path, "we");
	bool good = out != NULL && fwrite(f->after.ptr, 1, f->after.len,
	    out) == f->after.len;

	if (out != NULL && fclose(out) != 0)
		good = false;
	if (good && utimensat(AT_FDCWD, path, old, 0) != 0)
		good = false;
	return good ? RC_OK : fails(c, path);
}

static enum rc
copy(struct checking *c)
{
	enum rc rc = chmod(c->dir, 0755) == 0 ? RC_OK : fails(c, c->dir);

	if (rc == RC_OK)
		rc = link_others(c);
	if (rc == RC_OK)
		rc = folder_make(c->a, arena_printf(c->a, "%s/gatehouse",
		    c->dir).ptr, c->why_r);
	for (size_t i = 0; rc == RC_OK && i < c->plan->nfiles; i++)
		if (c->plan->files[i].stays)
			rc = write_copy(c, &c->plan->files[i]);
	return rc;
}

static int
remove_one(const char *path, const struct stat *st, int type,
    struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

/* --- the questions ----------------------------------------------------- */

/* Postfix's scripts say the same many times; and it is about the copy. */
static void
keep_said(struct checking *c, struct slice line)
{
	struct slice copy = slice_of(c->dir);
	struct buf out = buf_in(c->a);
	size_t at;

	if (slice_starts(line, SLICE("/usr/sbin/")))
		line = slice_after(line, 10);
	while ((at = slice_search(line, copy)) < line.len) {
		buf_add(&out, slice_sub(line, 0, at));
		buf_adds(&out, c->plan->site->dir);
		line = slice_after(line, at + copy.len);
	}
	buf_add(&out, line);
	buf_addc(&out, '\n');
	if (slice_search(buf_slice(&c->said), buf_slice(&out)) ==
	    c->said.len)
		buf_add(&c->said, buf_slice(&out));
}

static enum rc
ask(struct checking *c, const char *const argv[], struct slice *out_r)
{
	struct run_result r;
	struct slice line;
	enum rc rc = run_program(c->a, argv, &r, c->why_r);

	if (rc != RC_OK)
		return rc;
	*out_r = r.out;
	if (r.status != 0) {
		*c->why_r = arena_printf(c->a, "%s does not like what would "
		    "be written; nothing was changed:\n%.*s", argv[0],
		    SLICE_ARG(slice_trim(r.err.len > 0 ? r.err : r.out)));
		return RC_BAD;
	}
	while (slice_line(&r.err, &line))
		keep_said(c, line);
	return RC_OK;
}

static struct slice
squeezed(struct arena *a, struct slice s)
{
	struct buf out = buf_in(a);

	s = slice_trim(s);
	for (size_t i = 0; i < s.len; i++) {
		if (!ascii_space(s.ptr[i]))
			buf_addc(&out, s.ptr[i]);
		else if (!ascii_space(s.ptr[i - 1]))
			buf_addc(&out, ' ');
	}
	return buf_slice(&out);
}

/* "name = value" lines, into a map of strings. */
static struct map *
read_values(struct checking *c, struct slice out)
{
	struct map *m = map_new();
	struct slice line;

	arena_defer(c->a, (void (*)(void *))map_free, m);
	while (slice_line(&out, &line)) {
		struct slice name = slice_trim(slice_cut(line, '=', &line));

		if (line.ptr != NULL)
			map_put(m, name, arena_str(c->a, squeezed(c->a,
			    line)));
	}
	return m;
}

static enum rc
compare(struct checking *c, struct map *is, struct slice name,
    const struct recipe_entry *e)
{
	const char *value = map_get(is, name);

	if (value != NULL && slice_eq(slice_of(value), squeezed(c->a,
	    slice_of(e->value))))
		return RC_OK;
	*c->why_r = arena_printf(c->a, "Postfix would read %.*s as \"%s\", "
	    "not as \"%s\"; nothing was changed. Is there something odd in the "
	    "file at that place?", SLICE_ARG(name), value != NULL ? value : "",
	    e->value);
	return RC_BAD;
}

static enum rc
check_main(struct checking *c)
{
	const char *const argv[] = { "postconf", "-c", c->dir, "-n", NULL };
	const struct recipe *r = &c->plan->recipe;
	struct slice out;
	struct map *is;
	enum rc rc = ask(c, argv, &out);

	if (rc != RC_OK)
		return rc;
	is = read_values(c, out);
	for (size_t i = 0; rc == RC_OK && i < r->nentries; i++)
		if (r->entries[i].file == RECIPE_MAIN &&
		    r->entries[i].mode != RECIPE_DEFAULT)
			rc = compare(c, is, slice_of(r->entries[i].name),
			    &r->entries[i]);
	return rc;
}

/* The administrator's name for it: "25/inet" may be "smtp/inet". */
static struct slice
their_name(struct checking *c, struct slice services, const char *ours)
{
	struct slice line;

	while (slice_line(&services, &line)) {
		size_t slash = slice_find(line, '/');
		struct slice type = slice_after(line, slash + 1);
		struct slice name = slice_sub(line, 0, slash + 1 +
		    slice_find(type, '/'));

		if (recipe_same_service(name, slice_of(ours)))
			return name;
	}
	(void)c;
	return slice_of(ours);
}

static enum rc
check_master(struct checking *c)
{
	const char *const options[] = { "postconf", "-c", c->dir, "-P", NULL };
	const struct recipe *r = &c->plan->recipe;
	struct slice out;
	struct map *is;
	enum rc rc = ask(c, options, &out);

	if (rc != RC_OK)
		return rc;
	is = read_values(c, out);
	for (size_t i = 0; rc == RC_OK && i < r->nentries; i++) {
		const struct recipe_entry *e = &r->entries[i];

		if (e->file == RECIPE_MASTER && e->name != NULL)
			rc = compare(c, is, arena_printf(c->a, "%.*s/%s",
			    SLICE_ARG(their_name(c, out, e->service)),
			    e->name), e);
	}
	return rc;
}

static const char *
table_type(const char *name)
{
	if (strcmp(name, "strip") == 0 || strcmp(name, "scrub") == 0 ||
	    strcmp(name, "route") == 0)
		return "regexp";
	return strcmp(name, "clients") == 0 ? "cidr" : "texthash";
}

/* A table that cannot be read is 451 for all mail. */
static enum rc
check_map(struct checking *c, const struct recipe_entry *e)
{
	const char *map = arena_printf(c->a, "%s:%s/gatehouse/%s",
	    table_type(e->service), c->dir, e->service).ptr;
	const char *const argv[] = { "postmap", "-c", c->dir, "-q",
	    "192.0.2.1", map, NULL };
	struct run_result r;
	enum rc rc = run_program(c->a, argv, &r, c->why_r);

	/* Its warnings about main.cf are not about the map. */
	if (rc != RC_OK || (r.status <= 1 && slice_search(r.err, slice_of(
	    map + strlen(table_type(e->service)) + 1)) == r.err.len))
		return rc;
	*c->why_r = arena_printf(c->a, "postmap cannot read gatehouse/%s as it "
	    "would be written; nothing was changed:\n%.*s", e->service,
	    SLICE_ARG(slice_trim(r.err)));
	return RC_BAD;
}

/* A map of the administrator's that cannot be opened is 451 for all mail. */
static enum rc
open_map(struct checking *c, const char *parameter, struct slice map)
{
	const char *name = arena_str(c->a, map);
	const char *const argv[] = { "postmap", "-c", c->dir, "-q",
	    "nobody@example.invalid", name, NULL };
	struct run_result r;
	enum rc rc = run_program(c->a, argv, &r, c->why_r);
	size_t path = slice_find(map, '/');

	if (rc != RC_OK || (r.status <= 1 && slice_search(r.err,
	    slice_after(map, path)) == r.err.len))
		return rc;
	*c->why_r = arena_printf(c->a, "%s would be %s, which cannot be "
	    "opened; nothing was changed. Make the map first%s:\n%.*s",
	    parameter, name, slice_search(map, SLICE("/directory/current/")) <
	    map.len ? " (gatehouse directory sync)" : "",
	    SLICE_ARG(slice_trim(r.err)));
	return RC_BAD;
}

static enum rc
check_maps(struct checking *c, const struct recipe_entry *e)
{
	struct slice rest = slice_of(e->value);
	enum rc rc = RC_OK;

	while (rc == RC_OK && rest.ptr != NULL) {
		struct slice map = slice_trim(slice_cut(rest, ',', &rest));

		/* Those in a file; others need a server that may be away. */
		if (slice_search(map, SLICE(":/")) < map.len &&
		    !slice_starts(map, SLICE("proxy:")) &&
		    !slice_has(map, ' '))
			rc = open_map(c, e->name, map);
	}
	return rc;
}

static bool
names_maps(const struct recipe_entry *e)
{
	return e->file == RECIPE_MAIN &&
	    (strcmp(e->name, "relay_recipient_maps") == 0 ||
	    strcmp(e->name, "transport_maps") == 0 ||
	    strcmp(e->name, "virtual_alias_maps") == 0);
}

/* It looks at owners and folders too, which only root may mend. What it said
 * before us as well is not our fault. */
static enum rc
check_all(struct checking *c)
{
	const char *const after[] = { "postfix", "-c", c->dir, "check", NULL };
	const char *const before[] = { "postfix", "-c", c->plan->site->dir,
	    "check", NULL };
	struct slice out, why = SLICE("");
	struct run_result r;
	enum rc rc;

	if (geteuid() != 0)
		return RC_OK;
	rc = ask(c, after, &out);
	if (rc != RC_BAD || run_program(c->a, before, &r, &why) != RC_OK ||
	    r.status == 0)
		return rc;
	keep_said(c, SLICE("\"postfix check\" fails, as it did before:"));
	while (slice_line(&r.err, &out))
		keep_said(c, out);
	return RC_OK;
}

static enum rc
questions(struct checking *c)
{
	const struct recipe *r = &c->plan->recipe;
	enum rc rc = check_main(c);

	if (rc == RC_OK)
		rc = check_master(c);
	for (size_t i = 0; rc == RC_OK && i < r->nentries; i++)
		if (r->entries[i].file == RECIPE_MAP)
			rc = check_map(c, &r->entries[i]);
		else if (names_maps(&r->entries[i]))
			rc = check_maps(c, &r->entries[i]);
	return rc != RC_OK ? rc : check_all(c);
}

enum rc
plan_check(const struct postfix_plan *plan, struct slice *said_r,
    struct slice *why_r)
{
	const char *tmp = getenv("TMPDIR");
	char *dir = arena_str(plan->arena, arena_printf(plan->arena,
	    "%s/gatehouse-postfix.XXXXXX", tmp != NULL && tmp[0] == '/' ?
	    tmp : "/tmp"));
	struct checking c = { .plan = plan, .a = plan->arena, .dir = dir,
	    .why_r = why_r, .said = buf_in(plan->arena) };
	enum rc rc;

	*said_r = SLICE("");
	if (mkdtemp(dir) == NULL)
		return fails(&c, dir);
	rc = copy(&c);
	if (rc == RC_OK)
		rc = questions(&c);
	nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	*said_r = buf_slice(&c.said);
	return rc;
}
