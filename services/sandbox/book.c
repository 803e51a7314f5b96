#include "services/sandbox/book.h"

#include <stdlib.h>

#include "store/db.h"

static const char *const steps[] = {
	"CREATE TABLE mails(object TEXT PRIMARY KEY, seen INTEGER NOT NULL)"
	" WITHOUT ROWID;"
	"CREATE TABLE parts(object TEXT NOT NULL, sha256 TEXT NOT NULL,"
	" name TEXT NOT NULL, PRIMARY KEY(object, sha256)) WITHOUT ROWID;"
	"CREATE INDEX parts_sha256 ON parts(sha256);"
	"CREATE TABLE files(sha256 TEXT PRIMARY KEY, tasks TEXT NOT NULL,"
	" since INTEGER NOT NULL, next INTEGER NOT NULL,"
	" tries INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE INDEX files_next ON files(next);"
	"CREATE TABLE verdicts(sha256 TEXT PRIMARY KEY,"
	" verdict INTEGER NOT NULL, score INTEGER NOT NULL,"
	" family TEXT NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE INDEX verdicts_at ON verdicts(at);",
	NULL
};

static const struct db_schema schema = {
	.application = 0x47485342,	/* "GHSB" */
	.what = "book of the sandbox",
	.remedy = "remove it; files are given to the sandbox again",
	.steps = steps, .oldest = 1,
};

struct book {
	struct db *db;
};

#define PART \
	"p.sha256, p.name, v.verdict, v.score, v.family, f.tasks, f.next," \
	" f.tries, f.since"

enum rc
book_open(const char *path, struct book **book_r, struct arena *a,
    struct slice *why_r)
{
	struct book *b = mem_alloc(sizeof *b);
	enum rc rc = db_open(path, &schema, DB_WRITE, &b->db, a, why_r);

	if (rc != RC_OK) {
		free(b);
		b = NULL;
	}
	*book_r = b;
	return rc;
}

void
book_close(struct book *b)
{
	if (b == NULL)
		return;
	db_close(b->db);
	free(b);
}

struct slice
book_why(struct book *b, struct arena *a)
{
	struct slice why = SLICE("");

	db_trouble(b->db, a, &why);
	return why;
}

static enum rc
failed(struct book *b)
{
	struct arena *a = arena_new();
	struct slice why;
	enum rc rc = db_trouble(b->db, a, &why);

	arena_free(a);
	return rc;
}

/* ---- mail and its parts ---- */

enum rc
book_wants(struct book *b, struct slice object, struct slice sha256,
    struct slice name)
{
	struct db_query *q = db_query(b->db, "INSERT OR IGNORE INTO parts"
	    " VALUES(?1, ?2, ?3)");
	enum rc rc;

	db_text(q, 1, object);
	db_text(q, 2, sha256);
	db_text(q, 3, name);
	rc = db_run(q);
	if (rc != RC_OK)
		return rc;
	q = db_query(b->db, "INSERT OR IGNORE INTO files"
	    " SELECT ?1, '', 0, 0, 0"
	    " WHERE NOT EXISTS (SELECT 1 FROM verdicts WHERE sha256 = ?1)");
	db_text(q, 1, sha256);
	return db_run(q);
}

enum rc
book_seen(struct book *b, struct slice object, int64_t now, bool *known_r)
{
	struct db_query *q = db_query(b->db, "SELECT 1 FROM parts"
	    " WHERE object = ?1 LIMIT 1");
	enum db_step step;

	db_text(q, 1, object);
	step = db_next(q);
	*known_r = step == DB_ROW;
	db_done(q);
	if (step == DB_FAILED)
		return failed(b);
	q = db_query(b->db, "INSERT INTO mails VALUES(?1, ?2)"
	    " ON CONFLICT(object) DO UPDATE SET seen = ?2");
	db_text(q, 1, object);
	db_int(q, 2, now);
	return db_run(q);
}

static void
take_part(struct db_query *q, struct arena *a, struct book_part *p)
{
	*p = (struct book_part){ .sha256 = db_column(q, 0, a),
	    .name = db_column(q, 1, a), .judged = !db_column_null(q, 2),
	    .verdict = (enum answer_verdict)db_column_int(q, 2),
	    .score = db_column_int(q, 3), .family = db_column(q, 4, a),
	    .tasks = db_column(q, 5, a), .next = db_column_int(q, 6),
	    .tries = (unsigned)db_column_int(q, 7),
	    .since = db_column_int(q, 8) };
	if (p->tasks.ptr == NULL)
		p->tasks = SLICE("");
	if (p->family.ptr == NULL)
		p->family = SLICE("");
	if ((unsigned)p->verdict >= VERDICTS)
		p->verdict = VERDICT_NONE;
}

static enum rc
each(struct book *b, struct db_query *q, struct arena *a,
    bool (*visit)(const struct book_part *part, void *arg), void *arg)
{
	enum db_step step;

	while ((step = db_next(q)) == DB_ROW) {
		struct book_part p;

		take_part(q, a, &p);
		if (!visit(&p, arg)) {
			db_done(q);
			return RC_OK;
		}
	}
	return step == DB_FAILED ? failed(b) : RC_OK;
}

enum rc
book_parts(struct book *b, struct slice object, struct arena *a,
    bool (*visit)(const struct book_part *part, void *arg), void *arg)
{
	struct db_query *q = db_query(b->db, "SELECT " PART " FROM parts p"
	    " LEFT JOIN verdicts v ON v.sha256 = p.sha256"
	    " LEFT JOIN files f ON f.sha256 = p.sha256"
	    " WHERE p.object = ?1 ORDER BY p.sha256");

	db_text(q, 1, object);
	return each(b, q, a, visit, arg);
}

enum rc
book_due(struct book *b, int64_t now, unsigned limit, struct arena *a,
    bool (*visit)(const struct book_part *part, void *arg), void *arg)
{
	struct db_query *q = db_query(b->db, "SELECT f.sha256, '', NULL, 0,"
	    " '', f.tasks, f.next, f.tries, f.since FROM files f"
	    " WHERE f.tasks <> '' AND f.next <= ?1 ORDER BY f.next LIMIT ?2");

	db_int(q, 1, now);
	db_int(q, 2, limit);
	return each(b, q, a, visit, arg);
}

/* ---- files ---- */

enum rc
book_tasked(struct book *b, struct slice sha256, struct slice tasks,
    int64_t now, int64_t next)
{
	struct db_query *q = db_query(b->db, "UPDATE files SET tasks = ?2,"
	    " since = ?3, next = ?4 WHERE sha256 = ?1");

	db_text(q, 1, sha256);
	db_text(q, 2, tasks);
	db_int(q, 3, now);
	db_int(q, 4, next);
	return db_run(q);
}

enum rc
book_later(struct book *b, struct slice sha256, int64_t next, bool lost)
{
	struct db_query *q = db_query(b->db, "UPDATE files SET next = ?2,"
	    " tries = tries + ?3, tasks = CASE WHEN ?3 THEN '' ELSE tasks END"
	    " WHERE sha256 = ?1");

	db_text(q, 1, sha256);
	db_int(q, 2, next);
	db_int(q, 3, lost);
	return db_run(q);
}

enum rc
book_judged(struct book *b, struct slice sha256, enum answer_verdict verdict,
    int64_t score, struct slice family, int64_t now)
{
	struct db_query *q;
	enum rc rc = db_begin(b->db);

	if (rc != RC_OK)
		return rc;
	q = db_query(b->db, "INSERT OR REPLACE INTO verdicts"
	    " VALUES(?1, ?2, ?3, ?4, ?5)");
	db_text(q, 1, sha256);
	db_int(q, 2, verdict);
	db_int(q, 3, score);
	db_text(q, 4, family);
	db_int(q, 5, now);
	rc = db_run(q);
	q = db_query(b->db, "DELETE FROM files WHERE sha256 = ?1");
	db_text(q, 1, sha256);
	if (rc == RC_OK)
		rc = db_run(q);
	if (rc == RC_OK)
		return db_commit(b->db);
	db_rollback(b->db);
	return rc;
}

/* ---- what is over ---- */

enum rc
book_clear(struct book *b, int64_t oldest, int64_t now)
{
	struct db_query *q = db_query(b->db, "DELETE FROM verdicts"
	    " WHERE (at < ?1 OR (verdict = ?2 AND at < ?3)) AND NOT EXISTS"
	    " (SELECT 1 FROM parts p WHERE p.sha256 = verdicts.sha256)");
	enum rc rc;

	db_int(q, 1, oldest);
	db_int(q, 2, VERDICT_NONE);
	db_int(q, 3, now - BOOK_NONE);
	rc = db_run(q);
	q = db_query(b->db, "DELETE FROM parts WHERE object NOT IN"
	    " (SELECT object FROM mails WHERE seen >= ?1)");
	db_int(q, 1, now);
	if (rc == RC_OK)
		rc = db_run(q);
	q = db_query(b->db, "DELETE FROM mails WHERE seen < ?1");
	db_int(q, 1, now);
	if (rc == RC_OK)
		rc = db_run(q);
	q = db_query(b->db, "DELETE FROM files WHERE NOT EXISTS"
	    " (SELECT 1 FROM parts p WHERE p.sha256 = files.sha256)");
	return rc == RC_OK ? db_run(q) : rc;
}

enum rc
book_counts(struct book *b, struct book_counts *c)
{
	struct db_query *q = db_query(b->db, "SELECT"
	    " (SELECT count(*) FROM mails), (SELECT count(*) FROM files),"
	    " (SELECT count(*) FROM files WHERE tasks <> '')");
	enum db_step step = db_next(q);

	*c = (struct book_counts){ .mails = 0 };
	if (step == DB_ROW) {
		c->mails = (uint64_t)db_column_int(q, 0);
		c->files = (uint64_t)db_column_int(q, 1);
		c->tasks = (uint64_t)db_column_int(q, 2);
	}
	db_done(q);
	q = db_query(b->db, "SELECT verdict, count(*) FROM verdicts"
	    " GROUP BY verdict");
	while (step != DB_FAILED && (step = db_next(q)) == DB_ROW)
		if (db_column_int(q, 0) >= 0 && db_column_int(q, 0) < VERDICTS)
			c->verdicts[db_column_int(q, 0)] =
			    (uint64_t)db_column_int(q, 1);
	return step == DB_FAILED ? failed(b) : RC_OK;
}
