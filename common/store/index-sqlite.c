/* The index in SQLite: tables, and what is asked of them but for lists. */
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "store/db.h"
#include "store/index-sqlite.h"

enum { SAME = 16 };

/*
 * `same` is what a retry has in common with the first try: content, sender,
 * recipient and class. Of those that are alive there is one.
 */
static const char *const steps[] = {
	"CREATE TABLE objects("
	"num INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,"
	"content TEXT NOT NULL, body INTEGER NOT NULL, time INTEGER NOT NULL,"
	"size INTEGER NOT NULL, sender TEXT NOT NULL,"
	"sender_domain TEXT NOT NULL, queue_id TEXT NOT NULL,"
	"identity TEXT NOT NULL, direction TEXT NOT NULL,"
	"client_ip TEXT NOT NULL, client_name TEXT NOT NULL,"
	"helo TEXT NOT NULL, user TEXT NOT NULL, filter TEXT NOT NULL,"
	"rule TEXT NOT NULL, cause TEXT NOT NULL, reason TEXT NOT NULL,"
	"header_from TEXT NOT NULL, subject TEXT NOT NULL,"
	"message_id TEXT NOT NULL, log_size INTEGER NOT NULL DEFAULT 0);"
	"CREATE INDEX objects_content ON objects(content);"
	"CREATE INDEX objects_sender ON objects(sender COLLATE NOCASE, time);"
	"CREATE INDEX objects_domain ON objects(sender_domain, time);"
	"CREATE INDEX objects_queue_id ON objects(queue_id);"
	"CREATE INDEX objects_message_id ON objects(message_id);"
	"CREATE TABLE rows("
	"object INTEGER NOT NULL REFERENCES objects(num) ON DELETE CASCADE,"
	"recipient TEXT NOT NULL, domain TEXT NOT NULL, same BLOB NOT NULL,"
	"time INTEGER NOT NULL, cause TEXT NOT NULL,"
	"state INTEGER NOT NULL, hold INTEGER NOT NULL DEFAULT 0,"
	"expires INTEGER NOT NULL, changed INTEGER NOT NULL,"
	"actor TEXT NOT NULL, reply TEXT NOT NULL,"
	"tries INTEGER NOT NULL, try_at INTEGER NOT NULL,"
	"PRIMARY KEY(object, recipient)) WITHOUT ROWID;"
	"CREATE UNIQUE INDEX rows_alive ON rows(same) WHERE state < 2;"
	"CREATE INDEX rows_same ON rows(same);"
	"CREATE INDEX rows_time ON rows(time, object, recipient);"
	"CREATE INDEX rows_recipient ON rows(recipient COLLATE NOCASE, time,"
	" object);"
	"CREATE INDEX rows_domain ON rows(domain, time, object, recipient);"
	"CREATE INDEX rows_cause ON rows(cause, time, object, recipient);"
	"CREATE INDEX rows_expires ON rows(state, expires);"
	"CREATE INDEX rows_try ON rows(try_at) WHERE state = 1;"
	"CREATE INDEX rows_hold ON rows(hold) WHERE hold = 1;",
	"CREATE INDEX IF NOT EXISTS rows_waits ON rows(cause, time)"
	" WHERE state < 2;",
	NULL
};

static const struct db_schema schema = {
	.application = 0x47484958,	/* "GHIX" */
	.what = "quarantine index",
	.remedy = "make it anew with: gatehouse store rebuild",
	.steps = steps, .oldest = 1,
};

enum rc
sqlite_failed(struct sqlite_index *x)
{
	arena_reset(x->trouble);
	return db_trouble(x->db, x->trouble, &x->index.why);
}

static enum rc
run(struct sqlite_index *x, struct db_query *q)
{
	return db_run(q) == RC_OK ? RC_OK : sqlite_failed(x);
}

static enum rc
begin(struct store_index *x)
{
	struct sqlite_index *s = (struct sqlite_index *)x;

	return db_begin(s->db) == RC_OK ? RC_OK : sqlite_failed(s);
}

static enum rc
commit(struct store_index *x)
{
	struct sqlite_index *s = (struct sqlite_index *)x;

	return db_commit(s->db) == RC_OK ? RC_OK : sqlite_failed(s);
}

static void
rollback(struct store_index *x)
{
	db_rollback(((struct sqlite_index *)x)->db);
}

/* What stands behind the last @, in lower case; "" without one. */
static struct slice
domain_of(struct arena *a, struct slice address)
{
	struct slice d = slice_after(address,
	    slice_find_last(address, '@') + 1);
	char *low = arena_str(a, d);

	for (size_t i = 0; i < d.len; i++)
		low[i] = ascii_lower(d.ptr[i]);
	return slice_make(low, d.len);
}

/* Absent means empty: no column is NULL. */
static void
put_text(struct db_query *q, int parameter, struct slice s)
{
	db_text(q, parameter, s.ptr != NULL ? s : SLICE(""));
}

/* Rows have the time of their object, for the indexes. */
static enum rc
same_time(struct sqlite_index *s, const struct store_object *o)
{
	struct db_query *q = db_query(s->db, "UPDATE rows SET time = ?2"
	    " WHERE object = (SELECT num FROM objects WHERE id = ?1)"
	    " AND time <> ?2");

	db_text(q, 1, o->id);
	db_int(q, 2, o->time);
	return run(s, q);
}

static enum rc
object_put(struct store_index *x, const struct store_object *o)
{
	struct sqlite_index *s = (struct sqlite_index *)x;
	struct arena *a = arena_new();
	struct db_query *q = db_query(s->db,
	    "INSERT INTO objects(id, content, body, time, size, sender,"
	    " sender_domain, queue_id, identity, direction, client_ip,"
	    " client_name, helo, user, filter, rule, cause, reason,"
	    " header_from, subject, message_id, log_size) VALUES"
	    "(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,"
	    "?19,?20,?21,?22) ON CONFLICT(id) DO UPDATE SET"
	    " body = excluded.body, queue_id = excluded.queue_id,"
	    " identity = excluded.identity, time = excluded.time");
	const struct slice texts[] = { o->queue_id, o->identity, o->direction,
	    o->client_ip, o->client_name, o->helo, o->user, o->filter,
	    o->rule, o->cause, o->reason, o->from, o->subject,
	    o->message_id };
	enum rc rc;

	put_text(q, 1, o->id);
	put_text(q, 2, o->content);
	db_int(q, 3, o->body);
	db_int(q, 4, o->time);
	db_int(q, 5, (int64_t)o->size);
	put_text(q, 6, o->sender);
	put_text(q, 7, domain_of(a, o->sender));
	for (int i = 0; i < 14; i++)
		put_text(q, 8 + i, texts[i]);
	db_int(q, 22, (int64_t)o->log_size);
	rc = run(s, q);
	arena_free(a);
	return rc == RC_OK ? same_time(s, o) : rc;
}

void
sqlite_object(struct db_query *q, struct arena *a, struct store_object *o)
{
	struct slice *texts[] = { &o->queue_id, &o->identity, &o->direction,
	    &o->client_ip, &o->client_name, &o->helo, &o->user, &o->filter,
	    &o->rule, &o->cause, &o->reason, &o->from, &o->subject,
	    &o->message_id };

	o->id = db_column(q, 0, a);
	o->content = db_column(q, 1, a);
	o->body = db_column_int(q, 2) != 0;
	o->time = db_column_int(q, 3);
	o->size = (uint64_t)db_column_int(q, 4);
	o->sender = db_column(q, 5, a);
	for (int i = 0; i < 14; i++)
		*texts[i] = db_column(q, 6 + i, a);
	o->log_size = (uint64_t)db_column_int(q, 20);
}

void
sqlite_row(struct db_query *q, struct arena *a, struct store_row *r)
{
	sqlite_object(q, a, &r->object);
	r->recipient = db_column(q, 21, a);
	r->state = (enum store_state)db_column_int(q, 22);
	r->hold = db_column_int(q, 23) != 0;
	r->expires = db_column_int(q, 24);
	r->changed = db_column_int(q, 25);
	r->actor = db_column(q, 26, a);
	r->reply = db_column(q, 27, a);
	r->tries = (unsigned)db_column_int(q, 28);
	r->try_at = db_column_int(q, 29);
}

static enum rc
object_get(struct store_index *x, struct slice id, struct arena *a,
    struct store_object *o_r, bool *found_r)
{
	struct sqlite_index *s = (struct sqlite_index *)x;
	struct db_query *q = db_query(s->db, "SELECT " SQLITE_OBJECT
	    " FROM objects o WHERE o.id = ?1");
	enum db_step step;

	db_text(q, 1, id);
	step = db_next(q);
	*found_r = step == DB_ROW;
	if (*found_r)
		sqlite_object(q, a, o_r);
	db_done(q);
	return step == DB_FAILED ? sqlite_failed(s) : RC_OK;
}

/* Each part with its length before it, or two neighbours could trade bytes. */
static void
same_of(struct arena *a, const struct store_object *o, struct slice recipient,
    unsigned char hash[SHA256_DIGEST_LENGTH])
{
	struct buf b = buf_in(a);

	buf_addf(&b, "%d %zu ", store_class_of(o->cause), o->content.len);
	buf_add(&b, o->content);
	buf_addf(&b, " %zu ", o->sender.len);
	buf_add(&b, o->sender);
	buf_addf(&b, " %zu ", recipient.len);
	buf_add(&b, recipient);
	SHA256((const unsigned char *)b.ptr, b.len, hash);
}

static enum rc
row_put(struct store_index *x, const struct store_row *r, bool *put_r)
{
	struct sqlite_index *s = (struct sqlite_index *)x;
	unsigned char same[SHA256_DIGEST_LENGTH];
	struct arena *a = arena_new();
	struct db_query *q = db_query(s->db,
	    "INSERT INTO rows(object, recipient, domain, same, time, cause,"
	    " state, hold, expires, changed, actor, reply, tries, try_at)"
	    " SELECT num, ?2, ?3, ?4, time, cause, ?7, ?8, ?9, ?10, ?11, ?12,"
	    " ?13, ?14 FROM objects WHERE id = ?1 ON CONFLICT DO NOTHING");
	enum rc rc;

	same_of(a, &r->object, r->recipient, same);
	db_text(q, 1, r->object.id);
	put_text(q, 2, r->recipient);
	put_text(q, 3, domain_of(a, r->recipient));
	db_blob(q, 4, slice_make(same, SAME));
	db_int(q, 7, r->state);
	db_int(q, 8, r->hold);
	db_int(q, 9, r->expires);
	db_int(q, 10, r->changed);
	put_text(q, 11, r->actor);
	put_text(q, 12, r->reply);
	db_int(q, 13, r->tries);
	db_int(q, 14, r->try_at);
	rc = run(s, q);
	*put_r = rc == RC_OK && db_changes(s->db) == 1;
	arena_free(a);
	return rc;
}

static enum rc
one_row(struct sqlite_index *s, struct db_query *q, struct arena *a,
    struct store_row *row_r, bool *found_r)
{
	enum db_step step = db_next(q);

	*found_r = step == DB_ROW;
	if (*found_r)
		sqlite_row(q, a, row_r);
	db_done(q);
	return step == DB_FAILED ? sqlite_failed(s) : RC_OK;
}

static enum rc
row_get(struct store_index *x, struct slice id, struct slice recipient,
    struct arena *a, struct store_row *row_r, bool *found_r)
{
	struct sqlite_index *s = (struct sqlite_index *)x;
	struct db_query *q = db_query(s->db, "SELECT " SQLITE_ROW
	    " FROM objects o JOIN rows r ON r.object = o.num"
	    " WHERE o.id = ?1 AND r.recipient = ?2");

	db_text(q, 1, id);
	put_text(q, 2, recipient);
	return one_row(s, q, a, row_r, found_r);
}

static enum rc
row_same(struct store_index *x, const struct store_object *o,
    struct slice recipient, struct arena *a, struct store_row *row_r,
    bool *found_r)
{
	struct sqlite_index *s = (struct sqlite_index *)x;
	unsigned char same[SHA256_DIGEST_LENGTH];
	struct db_query *q = db_query(s->db, "SELECT " SQLITE_ROW
	    " FROM rows r JOIN objects o ON r.object = o.num"
	    " WHERE r.same = ?1 AND o.id <> ?2"
	    " ORDER BY r.state < 2 DESC, r.time DESC LIMIT 1");

	same_of(a, o, recipient, same);
	db_blob(q, 1, slice_make(same, SAME));
	db_text(q, 2, o->id);
	return one_row(s, q, a, row_r, found_r);
}

static enum rc
move(struct store_index *x, struct slice id, struct slice recipient,
    enum store_state from, enum store_state to,
    const struct store_change *c, bool *moved_r)
{
	struct sqlite_index *s = (struct sqlite_index *)x;
	struct db_query *q;
	enum rc rc;

	*moved_r = false;
	if (!store_may_move(from, to))
		return RC_OK;
	q = db_query(s->db, "UPDATE OR IGNORE rows SET state = ?4,"
	    " changed = ?5, actor = ?6, reply = ?7, tries = ?8, try_at = ?9,"
	    " expires = iif(?10 = 0, expires, ?10)"
	    " WHERE object = (SELECT num FROM objects WHERE id = ?1)"
	    " AND recipient = ?2 AND state = ?3");
	db_text(q, 1, id);
	put_text(q, 2, recipient);
	db_int(q, 3, from);
	db_int(q, 4, to);
	db_int(q, 5, c->time);
	put_text(q, 6, c->actor);
	put_text(q, 7, c->reply);
	db_int(q, 8, c->tries);
	db_int(q, 9, c->try_at);
	db_int(q, 10, c->expires);
	rc = run(s, q);
	*moved_r = rc == RC_OK && db_changes(s->db) == 1;
	return rc;
}

static enum rc
hold(struct store_index *x, struct slice id, struct slice recipient, bool on,
    uint64_t *rows_r)
{
	struct sqlite_index *s = (struct sqlite_index *)x;
	struct db_query *q = db_query(s->db, "UPDATE rows SET hold = ?3"
	    " WHERE object = (SELECT num FROM objects WHERE id = ?1)"
	    " AND (?2 IS NULL OR recipient = ?2)");
	enum rc rc;

	db_text(q, 1, id);
	db_text(q, 2, recipient);
	db_int(q, 3, on);
	rc = run(s, q);
	*rows_r = rc == RC_OK ? (uint64_t)db_changes(s->db) : 0;
	return rc;
}

static enum rc
expire_at(struct store_index *x, struct slice id, struct slice recipient,
    int64_t expires)
{
	struct sqlite_index *s = (struct sqlite_index *)x;
	struct db_query *q = db_query(s->db, "UPDATE rows SET expires = ?3"
	    " WHERE object = (SELECT num FROM objects WHERE id = ?1)"
	    " AND recipient = ?2");

	db_text(q, 1, id);
	put_text(q, 2, recipient);
	db_int(q, 3, expires);
	return run(s, q);
}

static enum rc
restricted(struct store_index *x, struct slice content, bool *restricted_r)
{
	struct sqlite_index *s = (struct sqlite_index *)x;
	struct arena *a = arena_new();
	struct db_query *q = db_query(s->db,
	    "SELECT o.cause, min(r.state) FROM objects o LEFT JOIN rows r"
	    " ON r.object = o.num WHERE o.content = ?1 GROUP BY o.cause");
	enum db_step step;

	*restricted_r = false;
	put_text(q, 1, content);
	while ((step = db_next(q)) == DB_ROW) {
		struct slice cause = db_column(q, 0, a);

		if (store_restricted(cause) || (store_waiting(cause) &&
		    db_column_int(q, 1) <= STORE_RELEASING))
			*restricted_r = true;
	}
	arena_free(a);
	return step == DB_FAILED ? sqlite_failed(s) : RC_OK;
}

static enum rc
log_size(struct store_index *x, struct slice id, uint64_t size)
{
	struct sqlite_index *s = (struct sqlite_index *)x;
	struct db_query *q = db_query(s->db,
	    "UPDATE objects SET log_size = ?2 WHERE id = ?1");

	db_text(q, 1, id);
	db_int(q, 2, (int64_t)size);
	return run(s, q);
}

static enum rc
forget(struct store_index *x, struct slice id)
{
	struct sqlite_index *s = (struct sqlite_index *)x;
	struct db_query *q = db_query(s->db,
	    "DELETE FROM objects WHERE id = ?1");

	db_text(q, 1, id);
	return run(s, q);
}

static enum rc
check(struct store_index *x, bool whole)
{
	struct sqlite_index *s = (struct sqlite_index *)x;

	arena_reset(s->trouble);
	return db_check(s->db, whole, s->trouble, &x->why);
}

static void
close_index(struct store_index *x)
{
	struct sqlite_index *s = (struct sqlite_index *)x;

	db_close(s->db);
	arena_free(s->trouble);
	free(s);
}

static const struct store_backend backend = {
	.name = "sqlite", .begin = begin, .commit = commit,
	.rollback = rollback, .object_put = object_put,
	.object_get = object_get, .row_put = row_put, .row_get = row_get,
	.row_same = row_same, .move = move, .hold = hold,
	.expire_at = expire_at, .list = sqlite_list, .due = sqlite_due,
	.waits = sqlite_waits, .rows_of = sqlite_rows_of,
	.restricted = restricted,
	.log_size = log_size, .ids = sqlite_ids, .forget = forget,
	.stats = sqlite_stats, .check = check, .close = close_index,
};

enum rc
index_sqlite_open(const char *path, enum store_mode mode,
    struct store_index **x_r, struct arena *a, struct slice *why_r)
{
	struct db *db;
	struct sqlite_index *s;
	enum rc rc = db_open(path, &schema, mode == STORE_READ ? DB_READ :
	    DB_WRITE, &db, a, why_r);

	if (rc != RC_OK)
		return rc;
	s = mem_alloc(sizeof *s);
	*s = (struct sqlite_index){ .index = { .does = &backend }, .db = db,
	    .trouble = arena_new() };
	*x_r = &s->index;
	return RC_OK;
}

struct db *
index_sqlite_db(struct store_index *x)
{
	return x->does == &backend ? ((struct sqlite_index *)x)->db : NULL;
}
