#include "tools/policy-build.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "conf/trust.h"
#include "milters/all.h"
#include "policy/file.h"
#include "policy/policy.h"
#include "tools/verb.h"

enum { DIGEST = 32 };

/* ---- what there is ---- */

static int
told(enum rc rc, struct slice why)
{
	return rc == RC_OK ? EX_OK :
	    verb_fails(verb_status(rc), "%.*s", SLICE_ARG(why));
}

static bool
has_scopes(const struct conf_option *o)
{
	while (o->name != NULL && conf_kind_of(o) != CONF_SCOPES)
		o++;
	return o->name != NULL;
}

static const char *
file_below(const struct build *b, const char *dir, const char *name)
{
	const char *path = dir == NULL ? NULL :
	    arena_printf(b->arena, "%s/%s", dir, name).ptr;

	return path != NULL && access(path, F_OK) == 0 ? path : NULL;
}

/* A daemon's own options stand in the same file. */
static enum rc
add_table(struct build *b, const struct filter *f, struct slice *why_r)
{
	struct build_table *t = &b->tables[b->ntables];
	struct conf_section sections[] = {
		{ milter_options, arena_alloc(b->arena,
		    sizeof(struct milter_conf)) },
		{ f->options, arena_alloc(b->arena, f->conf_size + 1) },
		{ NULL, NULL },
	};

	if (b->ntables == BUILD_TABLES || !has_scopes(f->options))
		return RC_OK;
	*t = (struct build_table){ .name = f->name, .options = f->options,
	    .filter = f, .conf = sections[1].base, .size = f->conf_size,
	    .path = file_below(b, b->dir, arena_printf(b->arena, "%s.conf",
	    f->name).ptr) };
	b->ntables++;
	return conf_load_trusted(b->arena, t->path, sections, why_r);
}

static enum rc
load_tables(struct build *b, struct slice *why_r)
{
	enum rc rc = RC_OK;

	b->ntables = 0;
	for (const struct filter *const *f = all_filters;
	    rc == RC_OK && *f != NULL; f++)
		rc = add_table(b, *f, why_r);
	return rc;
}

enum rc
build_read(struct build *b, const char *dir, struct arena *a,
    struct slice *why_r)
{
	struct conf_section sections[] = { { house_options, &b->house },
	    { NULL, NULL } };
	enum rc rc;

	*b = (struct build){ .arena = a, .dir = verb_conf_dir(dir) };
	b->house_file = verb_house_file(b->dir, a);
	rc = conf_load_trusted(a, b->house_file, sections, why_r);
	if (rc == RC_OK)
		rc = house_finish(&b->house, a, why_r);
	if (rc == RC_OK)
		rc = load_tables(b, why_r);
	if (rc != RC_OK)
		return rc;
	b->sheet = file_below(b, b->dir, "policy.settings");
	b->lists = file_below(b, b->dir, "policy.lists");
	b->directory = file_below(b, b->house.state_directory,
	    "directory/current/directory");
	b->map = policy_path(&b->house, a);
	return RC_OK;
}

int
build_load(struct build *b, const char *dir, struct arena *a)
{
	struct slice why = SLICE("");
	enum rc rc = build_read(b, dir, a, &why);

	return told(rc, why);
}

struct scopes *
build_scopes(const struct build_table *t)
{
	const struct conf_option *o = t->options;

	while (conf_kind_of(o) != CONF_SCOPES)
		o++;
	return *(struct scopes **)((char *)t->conf + o->offset);
}

static const struct conf_option *
option_named(const struct build_table *t, struct slice name)
{
	for (const struct conf_option *o = t->options; o->name != NULL; o++)
		if (slice_eq(slice_of(o->name), name) &&
		    conf_kind_of(o) != CONF_SCOPES)
			return o;
	return NULL;
}

const struct build_table *
build_option(const struct build *b, const char *name,
    const struct conf_option **option_r)
{
	struct slice option, file = slice_cut(slice_of(name), '.', &option);
	const struct build_table *found = NULL;
	const struct conf_option *o;

	for (size_t i = 0; i < b->ntables; i++) {
		const struct build_table *t = &b->tables[i];

		if (option.ptr != NULL && !slice_eq(slice_of(t->name), file))
			continue;
		o = option_named(t, option.ptr != NULL ? option : file);
		if (o != NULL && found != NULL) {
			verb_fails(EX_USAGE, "%s.conf and %s.conf have an "
			    "option %s; write %s.%s", found->name, t->name,
			    name, t->name, name);
			return NULL;
		}
		if (o != NULL) {
			found = t;
			*option_r = o;
		}
	}
	if (found == NULL)
		verb_fails(EX_USAGE, "there is no option %s; those of "
		    "auth-check are listed by gatehouse-auth-check --manual",
		    name);
	return found;
}

/* ---- is it of today? ---- */

static struct slice
digest_of(const struct build *b, struct slice bytes)
{
	unsigned char digest[DIGEST];
	unsigned len = 0;

	if (EVP_Digest(bytes.ptr, bytes.len, digest, &len, EVP_sha256(),
	    NULL) != 1 || len != DIGEST)
		return SLICE("");
	return arena_copy(b->arena, slice_make(digest, DIGEST));
}

static void
unmap(void *arg)
{
	struct slice *s = arg;

	munmap((void *)(uintptr_t)s->ptr, s->len);
}

/* The directory belongs to whoever syncs it, and to nobody else. */
static enum rc
trust(const struct build *b, const char *path, int fd, const struct stat *st,
    struct slice *why_r)
{
	if (path != b->directory)
		return trust_file(b->arena, fd, path, why_r);
	*why_r = arena_printf(b->arena, "%s: others may write to it; type: "
	    "chmod go-w %s", path, path);
	return (st->st_mode & (S_IWGRP | S_IWOTH)) == 0 ? RC_OK : RC_BAD;
}

/* A file of any size. */
static enum rc
map_bytes(const struct build *b, const char *path, struct slice *bytes_r,
    struct slice *why_r)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct slice *kept = arena_alloc(b->arena, sizeof *kept);
	struct stat st;
	void *at = MAP_FAILED;

	*bytes_r = SLICE("");
	*why_r = arena_printf(b->arena, "%s: %s", path, strerror(errno));
	if (fd < 0)
		return RC_BAD;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		*why_r = arena_printf(b->arena, "%s: is no file", path);
	} else if (trust(b, path, fd, &st, why_r) == RC_OK) {
		if (st.st_size == 0) {
			close(fd);
			return RC_OK;
		}
		at = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE,
		    fd, 0);
	}
	close(fd);
	if (at == MAP_FAILED)
		return RC_BAD;
	*kept = *bytes_r = slice_make(at, (size_t)st.st_size);
	arena_defer(b->arena, unmap, kept);
	return RC_OK;
}

/* What counts of the tenants' files. */
static struct slice
tenants_digest(const struct build *b)
{
	uint64_t digest = house_digest(&b->house);

	return arena_copy(b->arena, slice_make(&digest, sizeof digest));
}

static enum rc
digest_file(const struct build *b, const char *path, bool conf,
    struct slice *digest_r, struct slice *why_r)
{
	struct slice bytes = SLICE("");
	enum rc rc = conf ? conf_text(b->arena, path, &bytes, why_r) :
	    map_bytes(b, path, &bytes, why_r);

	*digest_r = digest_of(b, bytes);
	return rc;
}

/* Calls visit with each file that is there and what is in it. */
static enum rc
each_source(const struct build *b, enum rc (*visit)(void *arg,
    struct slice path, struct slice digest, struct slice *why_r), void *arg,
    struct slice *why_r)
{
	const char *paths[BUILD_TABLES + 4];
	size_t n = 0, confs;
	struct slice digest;
	enum rc rc = RC_OK;

	paths[n++] = b->house_file;
	for (size_t i = 0; i < b->ntables; i++)
		paths[n++] = b->tables[i].path;
	confs = n;
	paths[n++] = b->sheet;
	paths[n++] = b->lists;
	paths[n++] = b->directory;
	for (size_t i = 0; rc == RC_OK && i < n; i++) {
		if (paths[i] == NULL)
			continue;
		rc = digest_file(b, paths[i], i < confs, &digest, why_r);
		if (rc == RC_OK)
			rc = visit(arg, slice_of(paths[i]), digest, why_r);
	}
	if (rc == RC_OK && b->house.tenant_list.count > 0)
		rc = visit(arg, slice_of(b->house.tenants), tenants_digest(b),
		    why_r);
	return rc;
}

struct comparing {
	const struct build *b;
	const struct file_meta *meta;
	size_t n;
	const char *what;
};

static enum rc
compare(void *arg, struct slice path, struct slice digest,
    struct slice *why_r)
{
	struct comparing *c = arg;

	(void)why_r;
	c->n++;
	for (size_t i = 0; i < c->meta->nsources; i++)
		if (slice_eq(c->meta->sources[i].path, path)) {
			if (!slice_eq(c->meta->sources[i].digest, digest))
				c->what = arena_printf(c->b->arena, "%.*s has "
				    "changed since", SLICE_ARG(path)).ptr;
			return RC_OK;
		}
	c->what = arena_printf(c->b->arena, "%.*s was not there then",
	    SLICE_ARG(path)).ptr;
	return RC_OK;
}

static const char *
other_tables(const struct build *b, const struct file_meta *meta)
{
	bool same = meta->ntables == b->ntables;

	for (size_t i = 0; same && i < b->ntables; i++)
		same = slice_eq(meta->tables[i].name,
		    slice_of(b->tables[i].name)) &&
		    meta->tables[i].rows == table_digest(b->tables[i].options);
	return same ? NULL : "another version of Gatehouse made it";
}

const char *
build_stale(struct build *b)
{
	struct comparing c = { .b = b };
	struct policy_file *file;
	struct slice why = SLICE("");

	if (access(b->map, F_OK) != 0)
		return b->sheet != NULL || b->lists != NULL ||
		    b->directory != NULL ? "there is none yet" : NULL;
	if (file_open(b->map, &file, b->arena, &why) != RC_OK)
		return arena_str(b->arena, why);
	c.meta = file_header(file);
	c.what = other_tables(b, c.meta);
	if (c.what == NULL && each_source(b, compare, &c, &why) != RC_OK)
		c.what = arena_str(b->arena, why);
	if (c.what == NULL && c.n != c.meta->nsources)
		c.what = "a file that it was made from is gone";
	file_close(file);
	return c.what;
}

/* ---- compile ---- */

static enum rc
add_source(void *arg, struct slice path, struct slice digest,
    struct slice *why_r)
{
	return compile_source(arg, path, digest, why_r);
}

static enum rc
add_directory(struct build *b, struct compile *c, struct slice *why_r)
{
	int fd = open(b->directory, O_RDONLY | O_CLOEXEC);
	enum rc rc;

	if (fd < 0) {
		*why_r = arena_printf(b->arena, "%s: %s", b->directory,
		    strerror(errno));
		return RC_RETRY;
	}
	rc = compile_directory(c, fd, b->directory, why_r);
	close(fd);
	return rc;
}

/* Options that are wrong together, with the place where they were set: the
 * filter looks at each scope, and the lines of the sheet are some by now. */
static enum rc
check_scopes(const struct build *b, struct slice *why_r)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < b->ntables; i++) {
		const struct build_table *t = &b->tables[i];

		if (t->filter != NULL && t->filter->check != NULL)
			rc = t->filter->check(t->conf, &b->house, b->arena,
			    why_r);
	}
	return rc;
}

static enum rc
fill(struct build *b, struct compile *c, struct slice *why_r)
{
	struct slice bytes = SLICE("");
	enum rc rc = each_source(b, add_source, c, why_r);

	for (size_t i = 0; rc == RC_OK && i < b->ntables; i++)
		rc = compile_table(c, b->tables[i].name, b->tables[i].options,
		    build_scopes(&b->tables[i]), why_r);
	if (rc == RC_OK && b->sheet != NULL)
		rc = map_bytes(b, b->sheet, &bytes, why_r);
	if (rc == RC_OK && b->sheet != NULL)
		rc = compile_sheet(c, b->sheet, bytes, why_r);
	if (rc == RC_OK)
		rc = check_scopes(b, why_r);
	if (rc == RC_OK && b->lists != NULL)
		rc = map_bytes(b, b->lists, &bytes, why_r);
	if (rc == RC_OK && b->lists != NULL)
		rc = compile_lists(c, b->lists, bytes, why_r);
	if (rc == RC_OK && b->directory != NULL)
		rc = add_directory(b, c, why_r);
	return rc;
}

struct checking {
	const struct build *b;
	const struct build_table *t;
	struct slice why;
};

/* What levels have set together is taken by the filter, too. */
static enum rc
check_block(struct slice where, const void *conf, void *arg)
{
	struct checking *c = arg;
	struct slice why = SLICE("");
	enum rc rc;

	(void)where;
	if (c->t->filter == NULL || c->t->filter->check == NULL)
		return RC_OK;
	rc = c->t->filter->check(conf, &c->b->house, c->b->arena, &why);
	if (rc != RC_OK)
		c->why = arena_printf(c->b->arena, "what several levels set "
		    "for somebody does not fit together: %.*s",
		    SLICE_ARG(why));
	return rc;
}

/* Before it counts it is read as a daemon would. */
static enum rc
read_back(struct build *b, const char *path, struct slice *why_r)
{
	struct policy *p;
	enum rc rc = policy_open(path, &b->house, &p, b->arena, why_r);

	if (rc != RC_OK)
		return rc;
	for (size_t i = 0; rc == RC_OK && i < b->ntables; i++) {
		const struct build_table *t = &b->tables[i];
		struct checking c = { b, t, SLICE("") };
		void *alone = arena_alloc(b->arena, t->size + 1);
		const struct conf_option *o = t->options;

		while (conf_kind_of(o) != CONF_SCOPES)
			o++;
		memcpy(alone, t->conf, t->size);
		*(struct scopes **)((char *)alone + o->offset) = NULL;
		rc = policy_each(p, t->name, t->options, NULL, alone, t->size,
		    check_block, &c, why_r);
		if (rc != RC_OK && c.why.len > 0)
			*why_r = c.why;
	}
	policy_drop(p);
	return rc;
}

int
build_map(struct build *b, const char *path)
{
	struct compile *c = compile_new(&b->house);
	struct slice why = SLICE("");
	enum rc rc = fill(b, c, &why);

	if (rc == RC_OK)
		rc = compile_resolve(c, &why);
	if (rc == RC_OK)
		rc = compile_write(c, path, &why);
	why = arena_copy(b->arena, why);
	b->count = compile_counted(c);
	/* The tables as their files have them: what was added goes. */
	if (rc == RC_OK)
		rc = load_tables(b, &why);
	compile_free(c);
	if (rc == RC_OK)
		rc = read_back(b, path, &why);
	return told(rc, why);
}

int
build_install(struct build *b, const char *path)
{
	const char *dir = arena_printf(b->arena, "%s/policy",
	    b->house.state_directory).ptr;
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), status = EX_OK;

	if (fd < 0 || rename(path, b->map) != 0 || fsync(fd) != 0)
		status = verb_fails(EX_TEMPFAIL, "%s: %s", b->map,
		    strerror(errno));
	if (fd >= 0)
		close(fd);
	return status;
}

/* As tmpfiles of the packages has it: what is made in it belongs to the group
 * that milters are in, where there is one. */
static bool
make_folder(const char *dir)
{
	const struct group *group;

	if (mkdir(dir, 0750) != 0)
		return errno == EEXIST;
	group = getgrnam("gatehouse");
	return group == NULL || (chown(dir, (uid_t)-1, group->gr_gid) == 0 &&
	    chmod(dir, 02750) == 0) || errno == EPERM;
}

int
build_lock(struct build *b, int *lock_r)
{
	const char *dir = arena_printf(b->arena, "%s/policy",
	    b->house.state_directory).ptr;
	const char *path = arena_printf(b->arena, "%s/lock", dir).ptr;

	if (!make_folder(dir))
		return verb_fails(EX_CANTCREAT, "%s: %s", dir,
		    strerror(errno));
	*lock_r = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (*lock_r < 0 || flock(*lock_r, LOCK_EX) != 0)
		return verb_fails(EX_CANTCREAT, "%s: %s", path,
		    strerror(errno));
	return EX_OK;
}
