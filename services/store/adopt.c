#include "services/store/adopt.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "log/log.h"

enum { ORPHAN_KEEP = 30 * 24 * 3600 };

/* --- facts --------------------------------------------------------------- */

/* Slices of the object's arena. */
static void
facts_of(const struct object_meta *m, struct arena *a, struct store_object *o)
{
	*o = (struct store_object){ .id = slice_of(m->id),
	    .content = slice_of(m->content), .body = m->kind == OBJECT_HELD,
	    .time = m->time, .size = m->size, .sender = m->sender,
	    .queue_id = m->queue_id, .identity = slice_of(m->identity),
	    .direction = m->outbound ? SLICE("out") : SLICE("in"),
	    .client_ip = m->client_ip.family != 0 ?
		ip_format(a, &m->client_ip) : SLICE(""),
	    .client_name = m->client_name, .helo = m->helo, .user = m->user,
	    .filter = m->filter, .rule = m->rule,
	    .cause = slice_of(cause_name(m->cause)), .reason = m->reason,
	    .from = m->from, .subject = m->subject,
	    .message_id = m->message_id };
}

static void
start_record(struct record *r, const struct object_meta *m, int64_t now,
    struct arena *a)
{
	*r = (struct record){ .kind = RECORD_ADOPTED, .time = now,
	    .actor = SLICE("") };
	facts_of(m, a, &r->object);
	r->rows = arena_array(a, m->nrecipients, sizeof *r->rows);
}

static void
add_row(struct record *r, const struct object_meta *m, struct slice recipient,
    int64_t expires)
{
	r->rows[r->nrows++] = (struct record_row){ .recipient = recipient,
	    .state = m->kind == OBJECT_HELD ? STORE_HELD : STORE_DELETED,
	    .expires = expires };
}

/* --- who is new? --------------------------------------------------------- */

enum kin { KIN_NONE, KIN_SAME, KIN_WAIT };

static enum kin
judge_row(const struct store_row *row, int64_t now)
{
	int64_t age = now - row->changed;

	switch (row->state) {
	case STORE_HELD:
		return KIN_SAME;
	case STORE_RELEASING:
		return KIN_WAIT;
	case STORE_DELETED:
		return age >= 0 && age < ADOPT_AGAIN ? KIN_SAME : KIN_NONE;
	default:
		return KIN_NONE;
	}
}

/* Is there this mail for him already? */
static enum rc
find_kin(struct vault *v, const struct adopt *how, const struct record *r,
    struct slice recipient, struct arena *a, enum kin *kin_r)
{
	struct store_index *x = v->index;
	struct store_row row;
	bool found;
	enum rc rc = x->does->row_get(x, r->object.id, recipient, a, &row,
	    &found);

	*kin_r = rc == RC_OK && found ? judge_row(&row, how->now) : KIN_NONE;
	if (rc != RC_OK || *kin_r != KIN_NONE)
		return rc;
	rc = x->does->row_same(x, &r->object, recipient, a, &row, &found);
	if (rc == RC_OK && found)
		*kin_r = judge_row(&row, how->now);
	return rc;
}

/* *wait_r: not now. */
static enum rc
find_rows(struct vault *v, const struct adopt *how,
    const struct object_meta *m, struct record *r, struct arena *a,
    bool *wait_r)
{
	*wait_r = false;
	for (size_t i = 0; i < m->nrecipients; i++) {
		enum kin kin;
		enum rc rc = find_kin(v, how, r, m->recipients[i], a, &kin);

		if (rc != RC_OK)
			return rc;
		if (kin == KIN_WAIT)
			*wait_r = true;
		if (kin == KIN_NONE)
			add_row(r, m, m->recipients[i], how->now +
			    how->retention(how->arg, m, m->recipients[i]));
	}
	return RC_OK;
}

/* --- one object ---------------------------------------------------------- */

static void
set_aside(struct vault *v, const char *name, const char *why)
{
	char to[sizeof "aside/" + 255 + 24];
	struct arena *a = arena_new();

	snprintf(to, sizeof to, "aside/%s", name);
	for (unsigned n = 1; faccessat(v->fd, to, F_OK, AT_SYMLINK_NOFOLLOW) ==
	    0 && n < 1000; n++)
		snprintf(to, sizeof to, "aside/%s.%u", name, n);
	if (renameat(v->incoming, name, v->fd, to) == 0)
		log_warning("%s/incoming/%.*s: %s; it was moved to %s/aside",
		    v->dir, SLICE_ARG(log_safe(a, slice_of(name), 300)), why,
		    v->dir);
	else
		log_error("%s/incoming/%.*s: %s; and it cannot be moved away: "
		    "%s", v->dir, SLICE_ARG(log_safe(a, slice_of(name), 300)),
		    why, strerror(errno));
	arena_free(a);
}

/* Reads it to its end: nothing is believed whole before. */
static enum rc
read_object(struct vault *v, const char *name, struct arena *a,
    struct object **object_r, struct slice *why_r)
{
	int fd = openat(v->incoming, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW |
	    O_NONBLOCK);
	struct slice piece;
	struct stat st;
	enum rc rc;

	if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		*why_r = fd < 0 ? arena_printf(a, "%s", strerror(errno)) :
		    SLICE("it is no file");
		if (fd >= 0)
			close(fd);
		return fd < 0 && errno != ELOOP ? RC_RETRY : RC_BAD;
	}
	rc = object_open(fd, v->keys, a, object_r, why_r);
	if (rc != RC_OK)
		return rc;
	do
		rc = object_next(*object_r, &piece);
	while (rc == RC_OK && piece.len > 0);
	if (rc == RC_OK && strcmp(object_meta(*object_r)->id, name) != 0)
		rc = RC_BAD;
	if (rc == RC_OK)
		return RC_OK;
	*why_r = rc == RC_BAD ? SLICE("it was changed, or has another's name") :
	    SLICE("it cannot be read");
	object_close(*object_r);
	return rc;
}

/* The file takes its place first: a kill after that leaves an object without
 * a log, which is adopted at the next start. */
static enum rc
keep(struct vault *v, const struct record *r, struct arena *a,
    struct slice *why_r)
{
	char path[VAULT_PATH];
	bool done;

	vault_path(path, r->object.id, "");
	if (renameat(v->incoming, r->object.id.ptr, v->fd, path) != 0 ||
	    !vault_fsync(v, r->object.id)) {
		*why_r = arena_printf(a, "%s/%s: %s", v->dir, path,
		    strerror(errno));
		return RC_RETRY;
	}
	return vault_record(v, r, a, &done, why_r);
}

static void
tell_log(const struct record *r, size_t of)
{
	struct log_line line;
	struct arena *a = arena_new();

	log_begin(&line, a, r->object.queue_id);
	log_pair(&line, "object", r->object.id);
	log_pair(&line, "quarantine", r->nrows == 0 ? SLICE("merged") :
	    slice_of(store_state_name(r->rows[0].state)));
	log_pair(&line, "cause", r->object.cause);
	log_pair(&line, "rule", r->object.rule);
	log_pair(&line, "from", r->object.sender);
	log_pairf(&line, "recipients", "%zu", r->nrows);
	if (r->nrows < of)
		log_pairf(&line, "merged", "%zu", of - r->nrows);
	log_end(&line, r->object.reason);
	arena_free(a);
}

static enum rc
adopt_object(struct vault *v, const struct adopt *how,
    const struct object *object, struct arena *a, bool *wait_r,
    struct slice *why_r)
{
	const struct object_meta *m = object_meta(object);
	struct record r;
	enum rc rc;

	start_record(&r, m, how->now, a);
	rc = find_rows(v, how, m, &r, a, wait_r);
	if (rc != RC_OK)
		*why_r = arena_copy(a, v->index->why);
	if (rc != RC_OK || *wait_r)
		return rc;
	if (r.nrows > 0)
		rc = keep(v, &r, a, why_r);
	else if (unlinkat(v->incoming, m->id, 0) != 0 && errno != ENOENT)
		rc = RC_RETRY;
	if (rc != RC_OK)
		return rc;
	tell_log(&r, m->nrecipients);
	if (how->tell != NULL)
		how->tell(how->arg, &r);
	return RC_OK;
}

static enum rc
adopt_file(struct vault *v, const struct adopt *how, const char *name,
    unsigned *adopted, struct slice *why_r)
{
	struct arena *a = arena_new();
	struct object *object;
	struct slice why = SLICE("");
	enum rc rc = read_object(v, name, a, &object, &why);
	bool wait = false, aside = rc == RC_BAD;

	if (rc == RC_OK && object_meta(object)->kind == OBJECT_FILE) {
		aside = how->file == NULL;
		why = SLICE("a large attachment, and nobody takes it");
		if (!aside)
			rc = how->file(how->arg, object_meta(object), a, &why);
		*adopted += rc == RC_OK && !aside;
		object_close(object);
	} else if (rc == RC_OK) {
		rc = adopt_object(v, how, object, a, &wait, &why);
		*adopted += rc == RC_OK && !wait;
		object_close(object);
	}
	if (aside) {
		set_aside(v, name, why.ptr != NULL ? arena_str(a, why) : "");
		rc = RC_OK;
	}
	if (rc != RC_OK)
		*why_r = arena_copy(v->log_arena, why);
	arena_free(a);
	return rc;
}

static void
sweep_half(struct vault *v, const char *name, int64_t now)
{
	struct stat st;

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
	    fstatat(v->incoming, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return;
	if (!S_ISREG(st.st_mode))
		set_aside(v, name, "it is no file");
	else if (now - st.st_mtime > OBJECT_TMP_AGE &&
	    unlinkat(v->incoming, name, 0) == 0)
		log_info("%s/incoming/%.60s: half written and old; removed",
		    v->dir, name);
}

enum rc
adopt_new(struct vault *v, const struct adopt *how, bool *more_r,
    struct slice *why_r)
{
	int fd = openat(v->fd, "incoming", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *e;
	enum rc rc, end;
	unsigned n = 0;

	*more_r = false;
	*why_r = SLICE("");
	if (d == NULL) {
		*why_r = arena_printf(v->log_arena, "incoming: %s",
		    strerror(errno));
		if (fd >= 0)
			close(fd);
		return RC_RETRY;
	}
	rc = vault_batch(v, why_r);
	while (rc == RC_OK && (e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.') {
			sweep_half(v, e->d_name, how->now);
		} else if (!vault_id_valid(slice_of(e->d_name))) {
			set_aside(v, e->d_name, "no name of an object");
		} else if (n == ADOPT_BATCH) {
			*more_r = true;
			break;
		} else {
			rc = adopt_file(v, how, e->d_name, &n, why_r);
		}
	}
	closedir(d);
	end = vault_batch_end(v, rc == RC_OK ? why_r : &(struct slice){ 0 });
	return rc == RC_OK ? end : rc;
}

enum rc
adopt_orphan(struct vault *v, struct slice id, struct arena *a,
    struct slice *why_r)
{
	const struct object_meta *m;
	struct object *object;
	struct record r;
	uint64_t size;
	enum rc rc = vault_object(v, id, a, &object, why_r);

	if (rc != RC_OK)
		return rc;
	m = object_meta(object);
	start_record(&r, m, clock_wall(), a);
	for (size_t i = 0; i < m->nrecipients; i++)
		add_row(&r, m, m->recipients[i], r.time + ORPHAN_KEEP);
	r.object.id = id;
	rc = vault_write(v, &r, a, &size, why_r);
	object_close(object);
	return rc;
}
