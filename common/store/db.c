#include "store/db.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct db_query {
	struct db *db;
	const char *sql;		/* the cache's key: its address */
	sqlite3_stmt *stmt;
};

struct db {
	sqlite3 *handle;
	const char *path;
	const struct db_schema *schema;
	struct db_query queries[DB_QUERIES];
	size_t nqueries;
	int failed;			/* extended code of the last failure */
	char said[300];
	struct arena *arena;
};

static void
note(struct db *db)
{
	db->failed = sqlite3_extended_errcode(db->handle);
	snprintf(db->said, sizeof db->said, "%s", sqlite3_errmsg(db->handle));
}

static bool
damaged(int code)
{
	return (code & 0xff) == SQLITE_CORRUPT ||
	    (code & 0xff) == SQLITE_NOTADB;
}

bool
db_conflict(const struct db *db)
{
	return (db->failed & 0xff) == SQLITE_CONSTRAINT;
}

enum rc
db_trouble(const struct db *db, struct arena *a, struct slice *why_r)
{
	bool bad = damaged(db->failed);

	*why_r = arena_printf(a, "%s: %s%s%s", db->path, db->said,
	    bad ? "; " : "", bad ? db->schema->remedy : "");
	return bad || db_conflict(db) ? RC_BAD : RC_RETRY;
}

void
db_patience(struct db *db, unsigned ms)
{
	sqlite3_busy_timeout(db->handle, (int)ms);
}

/* One statement without rows or parameters, of our own making. */
static bool
exec(struct db *db, const char *sql)
{
	if (sqlite3_exec(db->handle, sql, NULL, NULL, NULL) == SQLITE_OK)
		return true;
	note(db);
	return false;
}

static bool
pragma(struct db *db, const char *sql, int64_t *value_r)
{
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(db->handle, sql, -1, &stmt, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW)
		*value_r = sqlite3_column_int64(stmt, 0);
	else
		note(db);
	sqlite3_finalize(stmt);
	return rc == SQLITE_ROW;
}

/* SQLite would make it readable for all; its -wal and -shm take the mode from
 * the file. */
static bool
make_file(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return false;
	close(fd);
	return true;
}

static enum rc
refuse(struct db *db, struct arena *a, struct slice *why_r, const char *what)
{
	*why_r = arena_printf(a, "%s: %s", db->path, what);
	return RC_BAD;
}

/* What a version of ours that came later left for us to know. */
static enum rc
judge_newer(struct db *db, int64_t version, unsigned ours, struct arena *a,
    struct slice *why_r)
{
	int64_t oldest = INT64_MAX;

	if (!pragma(db, "SELECT oldest FROM house_schema", &oldest) &&
	    damaged(db->failed))
		return db_trouble(db, a, why_r);
	if (oldest <= (int64_t)ours)
		return RC_OK;
	*why_r = arena_printf(a, "%s: this %s is of version %lld, and this "
	    "program knows %u; install the newer program again, or %s",
	    db->path, db->schema->what, (long long)version, ours,
	    db->schema->remedy);
	return RC_BAD;
}

static bool
upgrade(struct db *db, int64_t version)
{
	const struct db_schema *s = db->schema;
	char sql[120];

	if (!exec(db, "BEGIN EXCLUSIVE"))
		return false;
	for (; s->steps[version] != NULL; version++) {
		if (!exec(db, s->steps[version])) {
			db_rollback(db);
			return false;
		}
	}
	snprintf(sql, sizeof sql, "PRAGMA user_version=%d; PRAGMA "
	    "application_id=%d;", (int)version, (int)s->application);
	if (exec(db, sql) && exec(db, "CREATE TABLE IF NOT EXISTS house_schema"
	    "(oldest INTEGER NOT NULL); DELETE FROM house_schema")) {
		snprintf(sql, sizeof sql, "INSERT INTO house_schema VALUES(%u);"
		    " COMMIT", s->oldest);
		if (exec(db, sql))
			return true;
	}
	db_rollback(db);
	return false;
}

static enum rc
fit_schema(struct db *db, enum db_mode mode, struct arena *a,
    struct slice *why_r)
{
	const struct db_schema *s = db->schema;
	int64_t application, version, things;
	unsigned ours = 0;

	while (s->steps[ours] != NULL)
		ours++;
	if (!pragma(db, "PRAGMA application_id", &application) ||
	    !pragma(db, "PRAGMA user_version", &version) ||
	    !pragma(db, "SELECT count(*) FROM sqlite_master", &things))
		return db_trouble(db, a, why_r);
	if (application != s->application && (things > 0 || mode == DB_READ ||
	    application != 0))
		return refuse(db, a, why_r, things == 0 && application == 0 ?
		    "there is nothing in it yet" :
		    "this file belongs to another program");
	if (version > (int64_t)ours)
		return judge_newer(db, version, ours, a, why_r);
	if (version < 0)
		return refuse(db, a, why_r, "its version makes no sense");
	if (version == (int64_t)ours)
		return RC_OK;
	if (mode == DB_READ)
		return refuse(db, a, why_r, "it is of an older version; start "
		    "the daemon that writes it once");
	return upgrade(db, version) ? RC_OK : db_trouble(db, a, why_r);
}

static bool
set_up(struct db *db, enum db_mode mode)
{
	sqlite3_extended_result_codes(db->handle, 1);
	sqlite3_busy_timeout(db->handle, DB_BUSY_MS);
	sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(db->handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	if (!exec(db, "PRAGMA cell_size_check=ON"))
		return false;
	return mode == DB_READ || exec(db, "PRAGMA journal_mode=WAL; "
	    "PRAGMA synchronous=FULL; PRAGMA secure_delete=ON; "
	    "PRAGMA cache_size=-32768; "
	    "PRAGMA foreign_keys=ON");
}

enum rc
db_open(const char *path, const struct db_schema *schema, enum db_mode mode,
    struct db **db_r, struct arena *a, struct slice *why_r)
{
	struct arena *own = arena_new();
	struct db *db = arena_alloc(own, sizeof *db);
	int flags = SQLITE_OPEN_NOMUTEX | (mode == DB_READ ?
	    SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE);
	enum rc rc;

	db->arena = own;
	db->path = path == NULL ? ":memory:" :
	    arena_str(own, slice_of(path));
	db->schema = schema;
	if (path != NULL && mode == DB_WRITE && !make_file(path)) {
		*why_r = arena_printf(a, "%s: %s", path, strerror(errno));
		arena_free(own);
		return RC_RETRY;
	}
	if (sqlite3_open_v2(db->path, &db->handle, flags, NULL) != SQLITE_OK) {
		note(db);
		rc = db_trouble(db, a, why_r);
	} else if (!set_up(db, mode)) {
		rc = db_trouble(db, a, why_r);
	} else {
		rc = fit_schema(db, mode, a, why_r);
	}
	if (rc == RC_OK)
		*db_r = db;
	else
		db_close(db);
	return rc;
}

void
db_close(struct db *db)
{
	if (db == NULL)
		return;
	for (size_t i = 0; i < db->nqueries; i++)
		sqlite3_finalize(db->queries[i].stmt);
	sqlite3_close(db->handle);
	arena_free(db->arena);
}

/* A statement that does not compile is our mistake, unless the file is at
 * fault; then it stays NULL, and the first step tells the failure. */
static void
compile(struct db *db, struct db_query *q)
{
	if (sqlite3_prepare_v3(db->handle, q->sql, -1,
	    SQLITE_PREPARE_PERSISTENT, &q->stmt, NULL) == SQLITE_OK)
		return;
	note(db);
	q->stmt = NULL;
	if ((db->failed & 0xff) == SQLITE_ERROR) {
		fprintf(stderr, "%s: %s: %s\n", db->path, db->said, q->sql);
		abort();
	}
}

struct db_query *
db_query(struct db *db, const char *sql)
{
	struct db_query *q = NULL;

	for (size_t i = 0; q == NULL && i < db->nqueries; i++)
		if (db->queries[i].sql == sql)
			q = &db->queries[i];
	if (q == NULL) {
		if (db->nqueries == DB_QUERIES)
			abort();	/* a table of ours that is too small */
		q = &db->queries[db->nqueries++];
		*q = (struct db_query){ .db = db, .sql = sql };
	}
	if (q->stmt == NULL)
		compile(db, q);
	sqlite3_reset(q->stmt);
	sqlite3_clear_bindings(q->stmt);
	return q;
}

void
db_text(struct db_query *q, int parameter, struct slice s)
{
	if (s.ptr != NULL)
		sqlite3_bind_text64(q->stmt, parameter, s.ptr, s.len,
		    SQLITE_STATIC, SQLITE_UTF8);
}

void
db_blob(struct db_query *q, int parameter, struct slice s)
{
	if (s.ptr != NULL)
		sqlite3_bind_blob64(q->stmt, parameter, s.ptr, s.len,
		    SQLITE_STATIC);
}

void
db_int(struct db_query *q, int parameter, int64_t value)
{
	sqlite3_bind_int64(q->stmt, parameter, value);
}

void
db_null(struct db_query *q, int parameter)
{
	sqlite3_bind_null(q->stmt, parameter);
}

enum db_step
db_next(struct db_query *q)
{
	if (q->stmt == NULL)
		return DB_FAILED;
	switch (sqlite3_step(q->stmt)) {
	case SQLITE_ROW:
		return DB_ROW;
	case SQLITE_DONE:
		sqlite3_reset(q->stmt);
		return DB_END;
	default:
		note(q->db);
		sqlite3_reset(q->stmt);
		return DB_FAILED;
	}
}

enum rc
db_run(struct db_query *q)
{
	enum db_step step;

	do
		step = db_next(q);
	while (step == DB_ROW);
	if (step == DB_END)
		return RC_OK;
	return damaged(q->db->failed) || db_conflict(q->db) ? RC_BAD :
	    RC_RETRY;
}

void
db_done(struct db_query *q)
{
	sqlite3_reset(q->stmt);
}

struct slice
db_column(struct db_query *q, int column, struct arena *a)
{
	/* Bytes after the text, or SQLite may convert in between. */
	const void *text = sqlite3_column_blob(q->stmt, column);
	int len = sqlite3_column_bytes(q->stmt, column);

	if (sqlite3_column_type(q->stmt, column) == SQLITE_NULL)
		return SLICE_NONE;
	return arena_copy(a, slice_make(text != NULL ? text : "",
	    (size_t)len));
}

int64_t
db_column_int(struct db_query *q, int column)
{
	return sqlite3_column_int64(q->stmt, column);
}

bool
db_column_null(struct db_query *q, int column)
{
	return sqlite3_column_type(q->stmt, column) == SQLITE_NULL;
}

int64_t
db_changes(const struct db *db)
{
	return sqlite3_changes(db->handle);
}

int64_t
db_last_id(const struct db *db)
{
	return sqlite3_last_insert_rowid(db->handle);
}

enum rc
db_begin(struct db *db)
{
	return db_run(db_query(db, "BEGIN IMMEDIATE"));
}

enum rc
db_commit(struct db *db)
{
	enum rc rc = db_run(db_query(db, "COMMIT"));

	if (rc != RC_OK)
		db_rollback(db);
	return rc;
}

void
db_rollback(struct db *db)
{
	/* It may be over already; the failure that led here stays known. */
	if (sqlite3_get_autocommit(db->handle) == 0)
		sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
}

enum rc
db_check(struct db *db, bool whole, struct arena *a, struct slice *why_r)
{
	struct db_query *q = db_query(db, whole ? "PRAGMA integrity_check(1)" :
	    "PRAGMA quick_check(1)");
	struct slice said;

	if (db_next(q) != DB_ROW)
		return db_trouble(db, a, why_r);
	said = db_column(q, 0, a);
	db_done(q);
	if (slice_eq(said, SLICE("ok")))
		return RC_OK;
	/* It may say it in several lines; the last is the first fault. */
	said = slice_after(said, slice_find_last(said, '\n') + 1 > said.len ?
	    0 : slice_find_last(said, '\n') + 1);
	*why_r = arena_printf(a, "%s: %.*s; %s", db->path, SLICE_ARG(said),
	    db->schema->remedy);
	return RC_BAD;
}
