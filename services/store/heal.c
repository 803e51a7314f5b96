/* The index made right from the logs: after a kill, or anew. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log/log.h"
#include "services/store/adopt.h"
#include "services/store/vault.h"

enum { LOG_MAX = 64 << 20, BATCH = 500 };

static enum rc
index_fails(struct store_index *x, enum rc rc, struct slice *why_r)
{
	if (rc != RC_OK)
		*why_r = x->why;
	return rc;
}

/* --- one object ---------------------------------------------------------- */

/* The whole log. A line that a kill tore was never acted on: it is cut off. */
static enum rc
read_log(struct vault *v, struct slice id, struct arena *a,
    struct slice *text_r)
{
	char path[VAULT_PATH];
	struct stat st;
	char *text;
	size_t have = 0;
	ssize_t n = 1;
	int fd;

	vault_path(path, id, ".log");
	fd = openat(v->fd, path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return errno == ENOENT ? RC_BAD : RC_RETRY;
	if (fstat(fd, &st) != 0 || st.st_size > LOG_MAX) {
		close(fd);
		return RC_RETRY;
	}
	text = arena_alloc(a, (size_t)st.st_size + 1);
	while (have < (size_t)st.st_size && n > 0) {
		n = read(fd, text + have, (size_t)st.st_size - have);
		have += n > 0 ? (size_t)n : 0;
	}
	*text_r = slice_sub(slice_make(text, have), 0,
	    slice_find_last(slice_make(text, have), '\n') + 1);
	if (have > 0 && text_r->len > have)
		*text_r = SLICE("");	/* no line at all */
	if (n >= 0 && text_r->len < have) {
		log_warning("%s/%s: a line that was begun and not finished is "
		    "cut off", v->dir, path);
		n = ftruncate(fd, (off_t)text_r->len);
	}
	close(fd);
	return n < 0 ? RC_RETRY : RC_OK;
}

/* What the log makes of it, in an index in which nothing else stands: on the
 * way there a row may be in a state that is no more, and in the real one the
 * row of another object would then be in its way. */
static enum rc
replay(struct vault *v, struct slice id, struct slice text, struct arena *a)
{
	struct store_index *x = v->scratch;
	struct slice line;
	enum rc rc = RC_OK;

	for (unsigned n = 1; rc == RC_OK && slice_line(&text, &line); n++) {
		struct record r;
		bool done;

		if (record_read(line, id, a, &r) == RC_OK)
			rc = record_apply(x, &r, a, &done);
		else
			log_error("%s/objects/%.2s/%.32s.log: line %u is none "
			    "of ours and is passed over", v->dir, id.ptr,
			    id.ptr, n);
	}
	return rc;
}

struct copying {
	struct vault *v;
	struct store_index *to;
	enum rc rc;
};

static bool
copy_row(const struct store_row *row, void *arg)
{
	struct copying *c = arg;
	bool put;

	c->rc = c->to->does->row_put(c->to, row, &put);
	if (c->rc == RC_OK && !put)
		log_error("%s: the row of %.*s in object %.32s is held by "
		    "another object as well; it is left out", c->v->dir,
		    SLICE_ARG(log_safe(c->v->log_arena, row->recipient, 300)),
		    row->object.id.ptr);
	return c->rc == RC_OK;
}

static enum rc
copy_rows(struct vault *v, struct store_index *x, struct slice id,
    uint64_t size, struct arena *a)
{
	struct store_index *from = v->scratch;
	struct copying c = { v, x, RC_OK };
	struct store_object o;
	bool found;
	enum rc rc = from->does->object_get(from, id, a, &o, &found);

	if (rc != RC_OK || !found)
		return rc;
	o.log_size = size;
	rc = x->does->object_put(x, &o);
	if (rc == RC_OK)
		rc = from->does->rows_of(from, id, a, copy_row, &c);
	return rc == RC_OK ? c.rc : rc;
}

static enum rc
make_rows(struct vault *v, struct store_index *x, struct slice id,
    struct slice text, struct arena *a)
{
	struct store_index *s = v->scratch;
	enum rc rc = x->does->forget(x, id);

	if (rc == RC_OK)
		rc = replay(v, id, text, a);
	if (rc == RC_OK)
		rc = copy_rows(v, x, id, text.len, a);
	return s->does->forget(s, id) == RC_OK ? rc : RC_RETRY;
}

/* Inside a batch of the index. An object without a log is adopted where it
 * is; an index row without either is forgotten. */
static enum rc
heal_into(struct vault *v, struct store_index *x, struct slice id,
    struct slice *why_r)
{
	struct arena *a = arena_new();
	struct slice text = SLICE("");
	enum rc rc = read_log(v, id, a, &text);

	if (rc == RC_BAD || (rc == RC_OK && text.len == 0)) {
		rc = adopt_orphan(v, id, a, why_r);
		if (rc == RC_OK)
			rc = read_log(v, id, a, &text);
		if (rc == RC_BAD)
			rc = x->does->forget(x, id);
		else if (rc == RC_OK)
			rc = make_rows(v, x, id, text, a);
	} else if (rc == RC_OK) {
		rc = make_rows(v, x, id, text, a);
	}
	if (rc != RC_OK && x->why.len > 0)
		*why_r = x->why;
	else if (rc != RC_OK)
		*why_r = SLICE("an object's log cannot be read");
	arena_free(a);
	return rc;
}

enum rc
heal_object(struct vault *v, struct slice id, struct slice *why_r)
{
	struct store_index *x = v->index;
	enum rc rc = index_fails(x, x->does->begin(x), why_r);

	if (rc != RC_OK)
		return rc;
	rc = heal_into(v, x, id, why_r);
	if (rc == RC_OK)
		return index_fails(x, x->does->commit(x), why_r);
	x->does->rollback(x);
	return rc;
}

/* --- all of them --------------------------------------------------------- */

/* What is there of an object: in the folder, in the index. */
struct seen {
	char id[STORE_ID + 1];
	bool object, log, indexed, known_body;
	uint64_t size, known;
};

struct folder {
	struct seen *items;
	size_t count, room;
};

static struct seen *
add(struct folder *f, struct slice id)
{
	struct seen *s;

	if (f->count == f->room) {
		f->room = f->room == 0 ? 256 : f->room * 2;
		f->items = mem_grow(f->items, f->room * sizeof *f->items);
	}
	s = &f->items[f->count++];
	memset(s, 0, sizeof *s);
	memcpy(s->id, id.ptr, STORE_ID);
	return s;
}

static bool
add_known(struct slice id, uint64_t log_size, void *arg)
{
	struct seen *s;

	if (!vault_id_valid(id))
		return true;
	s = add(arg, id);
	s->indexed = true;
	s->known = log_size;
	return true;
}

static enum rc
add_files(struct vault *v, const char *name, struct folder *f)
{
	int fd = openat(v->fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *e;
	struct stat st;

	if (d == NULL) {
		if (fd >= 0)
			close(fd);
		return RC_RETRY;
	}
	while ((e = readdir(d)) != NULL) {
		struct slice file = slice_of(e->d_name);
		bool log = slice_ends(file, SLICE(".log"));
		struct slice id = slice_sub(file, 0, log ? file.len - 4 :
		    file.len);
		struct seen *s;

		if (!vault_id_valid(id) || fstatat(fd, e->d_name, &st,
		    AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode))
			continue;
		s = add(f, id);
		s->object = !log;
		s->log = log;
		s->size = log ? (uint64_t)st.st_size : 0;
	}
	closedir(d);
	return RC_OK;
}

static int
by_id(const void *a, const void *b)
{
	return strcmp(((const struct seen *)a)->id,
	    ((const struct seen *)b)->id);
}

/* What was seen in several places becomes one. */
static void
merge(struct folder *f)
{
	size_t n = 0;

	if (f->count > 0)
		qsort(f->items, f->count, sizeof *f->items, by_id);
	for (size_t i = 0; i < f->count; i++) {
		const struct seen *s = &f->items[i];

		if (n > 0 && strcmp(f->items[n - 1].id, s->id) == 0) {
			f->items[n - 1].object |= s->object;
			f->items[n - 1].log |= s->log;
			f->items[n - 1].indexed |= s->indexed;
			f->items[n - 1].size += s->size;
			f->items[n - 1].known += s->known;
		} else {
			f->items[n++] = *s;
		}
	}
	f->count = n;
}

static enum rc
heal_list(struct vault *v, struct store_index *x, const struct folder *f,
    uint64_t *healed_r, struct slice *why_r)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < f->count; i++) {
		const struct seen *s = &f->items[i];

		if (s->log && s->indexed && s->size == s->known)
			continue;
		rc = heal_into(v, x, slice_of(s->id), why_r);
		++*healed_r;
	}
	return rc;
}

static enum rc
heal_folder(struct vault *v, struct store_index *x, unsigned number,
    uint64_t *healed_r, struct slice *why_r)
{
	struct arena *a = arena_new();
	struct folder f = { 0 };
	char name[VAULT_PATH];
	enum rc rc;

	snprintf(name, sizeof name, "objects/%02x", number);
	rc = add_files(v, name, &f);
	if (rc != RC_OK)
		*why_r = SLICE("a folder of objects cannot be read");
	else
		rc = index_fails(x, x->does->ids(x,
		    slice_make(name + 8, 2), a, add_known, &f), why_r);
	merge(&f);
	if (rc == RC_OK)
		rc = index_fails(x, x->does->begin(x), why_r);
	if (rc == RC_OK) {
		rc = heal_list(v, x, &f, healed_r, why_r);
		if (rc == RC_OK)
			rc = index_fails(x, x->does->commit(x), why_r);
		else
			x->does->rollback(x);
	}
	free(f.items);
	arena_free(a);
	return rc;
}

enum rc
heal_all(struct vault *v, struct store_index *x, uint64_t *healed_r,
    struct slice *why_r)
{
	enum rc rc = RC_OK;

	*healed_r = 0;
	for (unsigned i = 0; rc == RC_OK && i < 256; i++)
		rc = heal_folder(v, x, i, healed_r, why_r);
	return rc;
}

/* --- anew ---------------------------------------------------------------- */

static void
remove_index(const struct vault *v, const char *name)
{
	static const char *const ends[] = { "", "-wal", "-shm", "-journal" };
	char path[VAULT_PATH];

	for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
		snprintf(path, sizeof path, "%s%s", name, ends[i]);
		unlinkat(v->fd, path, 0);
	}
}

static enum rc
fill(struct vault *v, uint64_t *objects_r, struct arena *a,
    struct slice *why_r)
{
	const char *path = arena_printf(a, "%s/index.db.new", v->dir).ptr;
	struct store_index *x;
	struct slice why = SLICE("");
	enum rc rc;

	remove_index(v, "index.db.new");
	rc = index_sqlite_open(path, STORE_WRITE, &x, a, why_r);
	if (rc != RC_OK)
		return rc;
	rc = heal_all(v, x, objects_r, &why);
	*why_r = arena_copy(a, why);
	x->does->close(x);		/* its -wal goes into it */
	return rc;
}

/* The old one is moved away whole, then the new one takes its name: a kill
 * between leaves none, which the next start makes from the logs. */
static enum rc
replace(struct vault *v, struct arena *a, struct slice *why_r)
{
	remove_index(v, "index.db");
	if (renameat(v->fd, "index.db.new", v->fd, "index.db") == 0 &&
	    fsync(v->fd) == 0)
		return RC_OK;
	*why_r = arena_printf(a, "%s/index.db: %s", v->dir, strerror(errno));
	return RC_RETRY;
}

static void
close_index(struct store_index **x)
{
	if (*x != NULL)
		(*x)->does->close(*x);
	*x = NULL;
}

enum rc
heal_rebuild(struct vault *v, uint64_t *objects_r, struct arena *a,
    struct slice *why_r)
{
	enum rc rc;

	vault_enter(v);
	rc = fill(v, objects_r, a, why_r);
	if (rc == RC_OK) {
		pthread_mutex_lock(&v->read_lock);
		close_index(&v->index);
		close_index(&v->reader);
		rc = replace(v, a, why_r);
		if (rc == RC_OK)
			rc = vault_open_indexes(v, a, why_r);
		if (rc != RC_OK) {
			log_panic("no index any more: %.*s",
			    SLICE_ARG(*why_r));
			abort();	/* the next start makes it */
		}
		pthread_mutex_unlock(&v->read_lock);
		v->nbehind = 0;
		v->all_behind = false;
	}
	vault_leave(v);
	return rc;
}

enum rc
heal_rebuild_alone(const struct vault_conf *conf, uint64_t *objects_r,
    struct arena *a, struct slice *why_r)
{
	struct vault v;
	enum rc rc = vault_open_folder(&v, conf, a, why_r);

	if (rc == RC_OK)
		rc = fill(&v, objects_r, a, why_r);
	if (rc == RC_OK)
		rc = replace(&v, a, why_r);
	vault_close(&v);
	return rc;
}
