#include "services/store/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "log/log.h"

enum {
	ROOM_WAIT_S = 30,
	LOOKING = 8,			/* files at once */
	ENDED = 1000,			/* removed in one run */
	FULL = 1 << 20,			/* bytes that are left of a disk */
	KEEP_MOST = 366 * 24 * 3600,	/* s */
};

struct store_files {
	struct db *db;
	pthread_mutex_t lock;		/* of db and guard */
	struct token_guard *guard;
	pthread_mutex_t room_lock;
	pthread_cond_t room_free;
	uint64_t room;			/* bytes that are looked at */
	unsigned looking;		/* files */
};

static const char first[] =
    "CREATE TABLE file ("
    "  id TEXT PRIMARY KEY NOT NULL,"
    "  token TEXT NOT NULL,"		/* its hash */
    "  name TEXT NOT NULL,"
    "  type TEXT NOT NULL,"
    "  size INTEGER NOT NULL,"
    "  sha256 TEXT NOT NULL,"
    "  sender TEXT NOT NULL,"
    "  sender_key TEXT NOT NULL,"
    "  direction TEXT NOT NULL,"
    "  queue_id TEXT NOT NULL,"
    "  identity TEXT NOT NULL,"
    "  time INTEGER NOT NULL,"
    "  body INTEGER NOT NULL,"		/* it is there */
    "  ended INTEGER NOT NULL DEFAULT 0,"	/* when it went */
    "  infected TEXT NOT NULL DEFAULT ''"
    ") WITHOUT ROWID;"
    "CREATE INDEX file_token ON file (token);"
    "CREATE INDEX file_time ON file (time);"
    "CREATE INDEX file_ended ON file (ended) WHERE ended > 0;"
    "CREATE INDEX file_sender ON file (sender_key);"
    "CREATE TABLE share ("
    "  id TEXT NOT NULL,"
    "  recipient TEXT NOT NULL,"
    "  expires INTEGER NOT NULL,"
    "  uses INTEGER NOT NULL,"		/* left */
    "  given INTEGER NOT NULL DEFAULT 0,"
    "  revoked INTEGER NOT NULL DEFAULT 0,"	/* when */
    "  PRIMARY KEY (id, recipient)) WITHOUT ROWID;"
    "CREATE INDEX share_recipient ON share (recipient);"
    "CREATE TABLE fetch ("
    "  number INTEGER PRIMARY KEY,"
    "  id TEXT NOT NULL,"
    "  recipient TEXT NOT NULL,"
    "  time INTEGER NOT NULL,"
    "  actor TEXT NOT NULL,"
    "  peer TEXT NOT NULL);"
    "CREATE INDEX fetch_id ON fetch (id);"
    "CREATE INDEX fetch_recipient ON fetch (recipient);";

static const char *const steps[] = { first, NULL };

static const struct db_schema schema = {
	.application = 0x67684631,	/* "ghF1" */
	.what = "list of large files",
	.remedy = "put a copy of it back, or move it away: links to files that "
	    "are there then lead nowhere",
	.steps = steps, .oldest = 1,
};

/* --- small things -------------------------------------------------------- */

void
files_path(char path[VAULT_PATH], struct slice id)
{
	snprintf(path, VAULT_PATH, "files/%.32s", id.ptr);
}

struct db *
files_enter(struct store *s)
{
	pthread_mutex_lock(&s->files->lock);
	return s->files->db;
}

void
files_leave(struct store *s)
{
	pthread_mutex_unlock(&s->files->lock);
}

struct token_guard *
files_guard(struct store *s)
{
	return s->files->guard;
}

struct slice
files_key(struct store *s, struct slice address, struct arena *a)
{
	struct service_set *set = service_set(s->run);
	struct slice key = scope_address(a, address,
	    house_match(&set->house));

	service_set_drop(set);
	return key.ptr != NULL ? key : address;
}

/* One that is larger than all the room has it for itself. Mail is scanned too,
 * so clamd's threads (ten, unless it is told) are not all taken. */
static bool
has_room(const struct store_files *f, uint64_t bytes, uint64_t most)
{
	return f->looking < LOOKING && (f->room == 0 ||
	    f->room + bytes <= most);
}

bool
files_take_room(struct store *s, uint64_t bytes, uint64_t most)
{
	struct store_files *f = s->files;
	struct timespec until;
	bool taken;
	int end = 0;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += ROOM_WAIT_S;
	pthread_mutex_lock(&f->room_lock);
	while (!has_room(f, bytes, most) && end == 0)
		end = pthread_cond_timedwait(&f->room_free, &f->room_lock,
		    &until);
	taken = has_room(f, bytes, most);
	f->room += taken ? bytes : 0;
	f->looking += taken;
	pthread_mutex_unlock(&f->room_lock);
	return taken;
}

void
files_give_room(struct store *s, uint64_t bytes)
{
	pthread_mutex_lock(&s->files->room_lock);
	s->files->room -= bytes;
	s->files->looking--;
	pthread_cond_broadcast(&s->files->room_free);
	pthread_mutex_unlock(&s->files->room_lock);
}

static void
tell_journal(struct store *s, const struct files_row *row, const char *what,
    struct slice actor, struct slice why)
{
	struct buf out = { 0 };
	struct json w;
	time_t now = (time_t)clock_wall();
	struct tm tm;
	char when[32];

	if (s->journal == NULL)
		return;
	gmtime_r(&now, &tm);
	strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &tm);
	json_init(&w, &out);
	json_begin_object(&w);
	json_put(&w, "@timestamp", slice_of(when));
	json_put(&w, "event.action", SLICE("file"));
	json_put(&w, "event.module", SLICE("store"));
	json_put(&w, "gatehouse.id", row->identity);
	json_put(&w, "gatehouse.queue_id", row->queue_id);
	json_put(&w, "gatehouse.object", row->id);
	json_put(&w, "email.sender.address", row->sender);
	json_put(&w, "email.to.address", row->recipient);
	json_put(&w, "file.name", row->name);
	json_put_int(&w, "file.size", row->size);
	json_put(&w, "file.hash.sha256", row->sha256);
	json_put(&w, "gatehouse.state", slice_of(what));
	json_put(&w, "user.name", actor);
	json_put(&w, "gatehouse.reason", why);
	json_end(&w);
	journal_write(s->journal, buf_slice(&out));
	buf_free(&out);
}

void
files_tell(struct store *s, const struct files_row *row, const char *what,
    struct slice actor, struct slice why)
{
	struct arena *a = arena_new();
	struct log_line line;

	log_begin(&line, a, row->queue_id);
	log_pair(&line, "object", row->id);
	log_pair(&line, "file", slice_of(what));
	if (row->recipient.len > 0)
		log_pair(&line, "to", row->recipient);
	log_pairf(&line, "size", "%lld", (long long)row->size);
	if (actor.len > 0)
		log_pair(&line, "by", actor);
	log_end(&line, why);
	tell_journal(s, row, what, actor, why);
	arena_free(a);
}

/* --- coming in ----------------------------------------------------------- */

static bool
there(struct store *s, struct slice id)
{
	char path[VAULT_PATH];

	files_path(path, id);
	return faccessat(s->vault.fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static void
put_file(struct db *db, struct store *s, const struct object_meta *m,
    struct arena *a)
{
	struct db_query *q = db_query(db, "INSERT INTO file (id, token, name, "
	    "type, size, sha256, sender, sender_key, direction, queue_id, "
	    "identity, time, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, "
	    "?9, ?10, ?11, ?12, 1) ON CONFLICT (id) DO UPDATE SET body = 1, "
	    "ended = 0, time = ?12, queue_id = ?10, identity = ?11");

	db_text(q, 1, slice_of(m->id));
	db_text(q, 2, slice_of(m->file.token));
	db_text(q, 3, m->file.name);
	db_text(q, 4, m->file.type);
	db_int(q, 5, (int64_t)m->size);
	db_text(q, 6, slice_of(m->sha256));
	db_text(q, 7, m->sender);
	db_text(q, 8, files_key(s, m->sender, a));
	db_text(q, 9, m->outbound ? SLICE("out") : SLICE("in"));
	db_text(q, 10, m->queue_id);
	db_text(q, 11, slice_of(m->identity));
	db_int(q, 12, m->time);
	db_run(q);
}

/* Who broke into a milter might say another time. */
static int64_t
expiry(const struct object_meta *m)
{
	int64_t most = clock_wall() + KEEP_MOST;

	return m->file.expires < most ? m->file.expires : most;
}

static enum rc
put_shares(struct db *db, struct store *s, const struct object_meta *m,
    struct arena *a)
{
	int64_t expires = expiry(m);
	enum rc rc = RC_OK;

	for (size_t i = 0; i < m->nrecipients && rc == RC_OK; i++) {
		struct db_query *q = db_query(db, "INSERT INTO share (id, "
		    "recipient, expires, uses) VALUES (?1, ?2, ?3, ?4) "
		    "ON CONFLICT (id, recipient) DO UPDATE SET expires = ?3, "
		    "uses = ?4 WHERE revoked = 0");

		db_text(q, 1, slice_of(m->id));
		db_text(q, 2, files_key(s, m->recipients[i], a));
		db_int(q, 3, expires);
		db_int(q, 4, m->file.uses);
		rc = db_run(q);
	}
	return rc;
}

/* Is it known, and not because its time was over? */
static enum rc
known(struct db *db, const struct object_meta *m, int64_t now, bool *known_r)
{
	struct db_query *q = db_query(db, "SELECT body OR EXISTS (SELECT 1 "
	    "FROM share WHERE share.id = file.id AND (revoked > 0 OR "
	    "expires > ?2)) FROM file WHERE id = ?1");
	enum db_step step;

	*known_r = false;
	db_text(q, 1, slice_of(m->id));
	db_int(q, 2, now);
	while ((step = db_next(q)) == DB_ROW)
		*known_r = db_column_int(q, 0) != 0;
	return step == DB_END ? RC_OK : RC_RETRY;
}

/* The message that came again says another time to those who get it now. */
static enum rc
prolong(struct db *db, const struct object_meta *m)
{
	struct db_query *q = db_query(db, "UPDATE share SET expires = ?2 "
	    "WHERE id = ?1 AND expires < ?2 AND revoked = 0");

	db_text(q, 1, slice_of(m->id));
	db_int(q, 2, expiry(m));
	return db_run(q);
}

static enum rc
put(struct store *s, struct db *db, const struct object_meta *m, bool *new_r,
    struct arena *a, struct slice *why_r)
{
	bool old = true;
	enum rc rc = db_begin(db);

	if (rc == RC_OK)
		rc = known(db, m, clock_wall(), &old);
	if (rc == RC_OK && !old) {
		put_file(db, s, m, a);
		rc = put_shares(db, s, m, a);
	}
	if (rc == RC_OK && old)
		rc = prolong(db, m);
	if (rc == RC_OK)
		rc = db_commit(db);
	if (rc != RC_OK) {
		rc = db_trouble(db, a, why_r);
		db_rollback(db);
	}
	*new_r = rc == RC_OK && !old;
	return rc;
}

static bool
has_body(struct db *db, struct slice id)
{
	struct db_query *q = db_query(db, "SELECT 1 FROM file WHERE id = ?1 "
	    "AND body = 1");
	bool has = false;

	db_text(q, 1, id);
	while (db_next(q) == DB_ROW)
		has = true;
	return has;
}

static bool
take_place(struct store *s, const struct object_meta *m)
{
	char path[VAULT_PATH];
	int fd;
	bool good;

	files_path(path, slice_of(m->id));
	if (renameat(s->vault.incoming, m->id, s->vault.fd, path) != 0)
		return false;
	fd = openat(s->vault.fd, "files", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	good = fd >= 0 && fsync(fd) == 0;
	if (fd >= 0)
		close(fd);
	return good;
}

static void
tell_adopted(struct store *s, const struct object_meta *m, bool new,
    struct arena *a)
{
	const struct files_row row = { .id = slice_of(m->id),
	    .name = m->file.name, .type = m->file.type,
	    .sha256 = slice_of(m->sha256), .sender = m->sender,
	    .queue_id = m->queue_id, .identity = slice_of(m->identity),
	    .size = (int64_t)m->size, .recipient = m->nrecipients == 1 ?
	    m->recipients[0] : SLICE("") };

	files_tell(s, &row, new ? "stored" : "merged", SLICE(""),
	    arena_printf(a, "%zu recipients", m->nrecipients));
}

enum rc
files_adopt(struct store *s, const struct object_meta *m, struct arena *a,
    struct slice *why_r)
{
	struct db *db = files_enter(s);
	bool new, kept = false;
	enum rc rc = put(s, db, m, &new, a, why_r);

	if (rc == RC_OK) {
		/* Of one that is known the file may have stayed here. */
		bool missing = has_body(db, slice_of(m->id)) &&
		    !there(s, slice_of(m->id));

		kept = missing ? take_place(s, m) :
		    unlinkat(s->vault.incoming, m->id, 0) == 0;
	}
	files_leave(s);
	if (rc == RC_OK && !kept) {
		*why_r = arena_printf(a, "%s/files/%s: %s", s->vault.dir,
		    m->id, strerror(errno));
		rc = RC_RETRY;
	}
	if (rc == RC_OK)
		tell_adopted(s, m, new, a);
	return rc;
}

/* --- going --------------------------------------------------------------- */

struct ending {
	struct files_row rows[ENDED];
	unsigned count;
};

static enum rc
find_ended(struct db *db, struct ending *e, int64_t now, struct arena *a)
{
	struct db_query *q = db_query(db, "UPDATE file SET body = 0, "
	    "ended = ?1 WHERE id IN (SELECT id FROM file WHERE body = 1 AND "
	    "NOT EXISTS (SELECT 1 FROM share WHERE share.id = file.id AND "
	    "revoked = 0 AND uses > 0 AND expires > ?1) LIMIT ?2) "
	    "RETURNING id, name, size, sha256, sender, queue_id, identity");
	enum db_step step;

	e->count = 0;
	db_int(q, 1, now);
	db_int(q, 2, ENDED);
	while ((step = db_next(q)) == DB_ROW && e->count < ENDED)
		e->rows[e->count++] = (struct files_row){
			.id = db_column(q, 0, a), .name = db_column(q, 1, a),
			.size = db_column_int(q, 2),
			.sha256 = db_column(q, 3, a),
			.sender = db_column(q, 4, a),
			.queue_id = db_column(q, 5, a),
			.identity = db_column(q, 6, a),
			.recipient = SLICE(""),
		};
	db_done(q);
	return step == DB_FAILED ? RC_RETRY : RC_OK;
}

static void
remove_body(struct store *s, struct slice id)
{
	char path[VAULT_PATH];

	files_path(path, id);
	if (unlinkat(s->vault.fd, path, 0) != 0 && errno != ENOENT)
		log_error("%s/%s cannot be removed: %s", s->vault.dir, path,
		    strerror(errno));
}

enum rc
files_end(struct store *s, int64_t now, unsigned *ended_r, struct arena *a,
    struct slice *why_r)
{
	struct ending *e = arena_alloc(a, sizeof *e);

	*ended_r = 0;
	if (find_ended(s->files->db, e, now, a) != RC_OK)
		return db_trouble(s->files->db, a, why_r);
	for (unsigned i = 0; i < e->count; i++) {
		remove_body(s, e->rows[i].id);
		files_tell(s, &e->rows[i], "removed", SLICE(""),
		    SLICE("nobody can have it any more"));
	}
	*ended_r = e->count;
	return RC_OK;
}

/* What is over, and was remembered for long enough. */
static enum rc
forget_old(struct db *db, int64_t before)
{
	static const char *const sql[] = {
	    "DELETE FROM fetch WHERE id IN (SELECT id FROM file WHERE "
	    "ended > 0 AND ended < ?1)",
	    "DELETE FROM share WHERE id IN (SELECT id FROM file WHERE "
	    "ended > 0 AND ended < ?1)",
	    "DELETE FROM file WHERE ended > 0 AND ended < ?1" };
	enum rc rc = db_begin(db);

	for (size_t i = 0; i < 3 && rc == RC_OK; i++) {
		struct db_query *q = db_query(db, sql[i]);

		db_int(q, 1, before);
		rc = db_run(q);
	}
	if (rc == RC_OK)
		rc = db_commit(db);
	if (rc != RC_OK)
		db_rollback(db);
	return rc;
}

/* Then what was kept for this is given up: what goes makes room for more. */
static bool
disk_is_full(const struct store *s)
{
	struct statvfs disk;

	return fstatvfs(s->vault.fd, &disk) == 0 && (disk.f_favail == 0 ||
	    (uint64_t)disk.f_bavail * disk.f_frsize < FULL);
}

void
files_sweep(struct store *s)
{
	struct arena *a = arena_new();
	struct slice why = SLICE("");
	int64_t now = clock_wall();
	unsigned n = 0;
	struct db *db;
	enum rc rc = RC_OK;

	/* As with all that is kept: not after the clock has jumped. */
	if (deadline_left(s->sweep.guarded) == 0) {
		db = files_enter(s);
		rc = files_end(s, now, &n, a, &why);
		if (rc == RC_OK && forget_old(db, now - store_records(s)) !=
		    RC_OK)
			rc = db_trouble(db, a, &why);
		files_leave(s);
	}
	if (rc != RC_OK && disk_is_full(s))
		vault_reserve(&s->vault, false);
	if (rc != RC_OK)
		log_error("large files that are over stay: %.*s",
		    SLICE_ARG(log_safe(a, why, 300)));
	arena_free(a);
}

uint64_t
files_stored(struct store *s)
{
	struct db_query *q = db_query(files_enter(s),
	    "SELECT COALESCE(SUM(size), 0) FROM file WHERE body = 1");
	int64_t n = 0;

	while (db_next(q) == DB_ROW)
		n = db_column_int(q, 0);
	files_leave(s);
	return n > 0 ? (uint64_t)n : 0;
}

/* --- opening ------------------------------------------------------------- */

static int64_t
expiry_of(struct store *s, struct slice id)
{
	struct arena *a = arena_new();
	struct object *object;
	struct slice why;
	char path[VAULT_PATH];
	int64_t expires = INT64_MAX;
	int fd;

	files_path(path, id);
	fd = openat(s->vault.fd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd >= 0 && object_open(fd, s->vault.keys, a, &object, &why) ==
	    RC_OK) {
		if (object_meta(object)->kind == OBJECT_FILE)
			expires = object_meta(object)->file.expires;
		object_close(object);
	}
	arena_free(a);
	return expires;
}

static bool
is_listed(struct db *db, struct slice id, bool *body_r)
{
	struct db_query *q = db_query(db, "SELECT body FROM file WHERE "
	    "id = ?1");
	bool found = false;

	db_text(q, 1, id);
	while (db_next(q) == DB_ROW) {
		found = true;
		*body_r = db_column_int(q, 0) != 0;
	}
	return found;
}

/* A kill came between what was written down and what was to be done; or the
 * data base is not the one that knew them, and may be put back. */
static void
look_at_file(struct store *s, struct slice id, unsigned *strange)
{
	bool body = true;

	if (is_listed(s->files->db, id, &body) ? !body :
	    expiry_of(s, id) < clock_wall())
		remove_body(s, id);
	else if (!is_listed(s->files->db, id, &body))
		++*strange;
}

static void
look_at_folder(struct store *s)
{
	int fd = openat(s->vault.fd, "files", O_RDONLY | O_DIRECTORY |
	    O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *e;
	unsigned strange = 0;

	while (d != NULL && (e = readdir(d)) != NULL)
		if (object_name_valid(slice_of(e->d_name)))
			look_at_file(s, slice_of(e->d_name), &strange);
	if (strange > 0)
		log_error("%s/files: %u files are not in files.db, so their "
		    "links lead nowhere; put a copy of it back. They are "
		    "removed at the first start after they have expired",
		    s->vault.dir, strange);
	if (d != NULL)
		closedir(d);
	else if (fd >= 0)
		close(fd);
}

enum rc
files_open(struct store *s, struct slice *why_r)
{
	struct arena *a = s->run->arena;
	struct store_files *f = mem_alloc(sizeof *f);
	enum rc rc;

	memset(f, 0, sizeof *f);
	pthread_mutex_init(&f->lock, NULL);
	pthread_mutex_init(&f->room_lock, NULL);
	pthread_cond_init(&f->room_free, NULL);
	f->guard = guard_new();
	s->files = f;
	if (mkdirat(s->vault.fd, "files", 0700) != 0 && errno != EEXIST) {
		*why_r = arena_printf(a, "%s/files: %s", s->vault.dir,
		    strerror(errno));
		return RC_RETRY;
	}
	rc = db_open(arena_printf(a, "%s/files.db", s->vault.dir).ptr,
	    &schema, DB_WRITE, &f->db, a, why_r);
	if (rc != RC_OK)
		return rc;
	db_patience(f->db, VAULT_PATIENCE_MS);
	look_at_folder(s);
	return RC_OK;
}

void
files_close(struct store *s)
{
	struct store_files *f = s->files;

	if (f == NULL)
		return;
	if (f->db != NULL)
		db_close(f->db);
	guard_free(f->guard);
	free(f);
	s->files = NULL;
}
