/* What can be asked at the control socket about large files. */
#include <string.h>

#include "log/log.h"
#include "services/store/files.h"

enum { LIST = 500 };

static void
put_bytes(struct json *w, const char *key, struct slice s)
{
	json_key(w, key);
	json_bytes(w, s);
}

static void
fails(struct asked *q, struct db *db)
{
	struct slice why = SLICE("");

	db_trouble(db, q->arena, &why);
	asked_fails(q, "trouble", why);
}

/* Rows are collected first: the answer begins with how it went. */
struct rows {
	struct files_row items[LIST];
	size_t count;
};

static enum rc
collect(struct db *db, struct slice id, struct slice who, struct rows *rows,
    struct arena *a)
{
	struct db_query *q = db_query(db, "SELECT file.id, name, type, size, "
	    "sha256, sender, queue_id, identity, body, recipient, expires, "
	    "uses, revoked, given, direction, infected, time FROM file LEFT "
	    "JOIN share ON share.id = file.id WHERE (?1 IS NULL OR file.id = "
	    "?1) AND (?2 IS NULL OR recipient = ?2) ORDER BY time DESC, "
	    "file.id, recipient LIMIT ?3");
	enum db_step step;

	rows->count = 0;
	db_text(q, 1, id);
	db_text(q, 2, who);
	db_int(q, 3, LIST);
	while ((step = db_next(q)) == DB_ROW && rows->count < LIST)
		rows->items[rows->count++] = (struct files_row){
			.id = db_column(q, 0, a), .name = db_column(q, 1, a),
			.type = db_column(q, 2, a),
			.size = db_column_int(q, 3),
			.sha256 = db_column(q, 4, a),
			.sender = db_column(q, 5, a),
			.queue_id = db_column(q, 6, a),
			.identity = db_column(q, 7, a),
			.body = db_column_int(q, 8),
			.recipient = db_column(q, 9, a),
			.expires = db_column_int(q, 10),
			.uses = db_column_int(q, 11),
			.revoked = db_column_int(q, 12),
			.given = db_column_int(q, 13),
			.direction = db_column(q, 14, a),
			.infected = db_column(q, 15, a),
			.time = db_column_int(q, 16),
		};
	db_done(q);
	return step == DB_FAILED ? RC_RETRY : RC_OK;
}

static void
put_row(struct json *w, const struct files_row *r)
{
	json_begin_object(w);
	json_put(w, "object", r->id);
	put_bytes(w, "name", r->name);
	put_bytes(w, "type", r->type);
	json_put_int(w, "size", r->size);
	json_put(w, "sha256", r->sha256);
	put_bytes(w, "sender", r->sender);
	put_bytes(w, "recipient", r->recipient.ptr != NULL ? r->recipient :
	    SLICE(""));
	json_put(w, "direction", r->direction);
	json_put(w, "queue_id", r->queue_id);
	json_put(w, "identity", r->identity);
	json_put_int(w, "time", r->time);
	json_put_int(w, "expires", r->expires);
	json_put_int(w, "left", r->uses);
	json_put_int(w, "given", r->given);
	json_put_int(w, "revoked", r->revoked);
	json_put(w, "infected", r->infected);
	json_put_bool(w, "body", r->body);
	json_end(w);
}

static void
put_rows(struct asked *q, const struct rows *rows)
{
	json_key(q->answer, "rows");
	json_begin_array(q->answer);
	for (size_t i = 0; i < rows->count; i++)
		put_row(q->answer, &rows->items[i]);
	json_end(q->answer);
}

static struct slice
who_of(struct asked *q)
{
	return q->request->recipient.len > 0 ? files_key(q->store,
	    q->request->recipient, q->arena) : SLICE_NONE;
}

static void
op_list(struct asked *q)
{
	struct rows *rows = arena_alloc(q->arena, sizeof *rows);
	struct slice who = who_of(q);
	struct db *db = files_enter(q->store);

	if (collect(db, q->request->object.len > 0 ? q->request->object :
	    SLICE_NONE, who, rows, q->arena) != RC_OK) {
		fails(q, db);
	} else {
		asked_ok(q);
		put_rows(q, rows);
		json_put_bool(q->answer, "more", rows->count == LIST);
	}
	files_leave(q->store);
}

/* Who had it, the last first. */
static void
put_fetches(struct asked *q, struct db *db)
{
	struct db_query *f = db_query(db, "SELECT recipient, time, actor, peer "
	    "FROM fetch WHERE id = ?1 ORDER BY number DESC LIMIT ?2");

	db_text(f, 1, q->request->object);
	db_int(f, 2, LIST);
	json_key(q->answer, "fetches");
	json_begin_array(q->answer);
	while (db_next(f) == DB_ROW) {
		json_begin_object(q->answer);
		put_bytes(q->answer, "recipient", db_column(f, 0, q->arena));
		json_put_int(q->answer, "time", db_column_int(f, 1));
		json_put(q->answer, "by", db_column(f, 2, q->arena));
		json_put(q->answer, "peer", db_column(f, 3, q->arena));
		json_end(q->answer);
	}
	json_end(q->answer);
}

static void
op_show(struct asked *q)
{
	struct rows *rows = arena_alloc(q->arena, sizeof *rows);
	struct db *db = files_enter(q->store);

	if (collect(db, q->request->object, SLICE_NONE, rows, q->arena) !=
	    RC_OK) {
		fails(q, db);
	} else if (rows->count == 0) {
		asked_fails(q, "not-found", SLICE("there is no such file"));
	} else {
		asked_ok(q);
		put_rows(q, rows);
		put_fetches(q, db);
	}
	files_leave(q->store);
}

static void
op_revoke(struct asked *q)
{
	struct slice who = who_of(q), why = SLICE("");
	struct db *db = files_enter(q->store);
	struct db_query *u = db_query(db, "UPDATE share SET revoked = ?3 WHERE "
	    "id = ?1 AND (?2 IS NULL OR recipient = ?2) AND revoked = 0");
	int64_t now = clock_wall(), changed;
	unsigned ended;
	enum rc rc;

	db_text(u, 1, q->request->object);
	db_text(u, 2, who);
	db_int(u, 3, now);
	rc = db_run(u);
	changed = db_changes(db);
	if (rc != RC_OK)
		fails(q, db);
	else if (changed > 0)
		rc = files_end(q->store, now, &ended, q->arena, &why);
	files_leave(q->store);
	if (rc != RC_OK)
		return;
	if (changed == 0) {
		asked_fails(q, "not-found", SLICE("there is no such file, or "
		    "none for that recipient that is not revoked"));
		return;
	}
	files_tell(q->store, &(struct files_row){ .id = q->request->object,
	    .recipient = who.ptr != NULL ? who : SLICE("") }, "revoked",
	    q->actor, log_safe(q->arena, q->request->reason, 300));
	asked_ok(q);
	json_put_int(q->answer, "revoked", changed);
}

/* --- erasure ------------------------------------------------------------- */

static enum rc
run_with(struct db *db, const char *sql, struct slice who, int64_t *changed_r)
{
	struct db_query *u = db_query(db, sql);
	enum rc rc;

	db_text(u, 1, who);
	rc = db_run(u);
	*changed_r = db_changes(db);
	return rc;
}

/* What he could have is not his any more, and nobody can say that he had it.
 * What he sent is others' too: his name goes from the list, the file stays
 * until it expires. */
static enum rc
erase(struct db *db, struct slice who, int64_t *shares_r, int64_t *sent_r)
{
	int64_t n;
	enum rc rc = db_begin(db);

	if (rc == RC_OK)
		rc = run_with(db, "DELETE FROM fetch WHERE recipient = ?1",
		    who, &n);
	if (rc == RC_OK)
		rc = run_with(db, "DELETE FROM share WHERE recipient = ?1",
		    who, shares_r);
	if (rc == RC_OK)
		rc = run_with(db, "UPDATE file SET sender = '', sender_key = "
		    "'' WHERE sender_key = ?1", who, sent_r);
	if (rc == RC_OK)
		rc = db_commit(db);
	if (rc != RC_OK)
		db_rollback(db);
	return rc;
}

static void
op_forget(struct asked *q)
{
	int64_t shares = 0, sent = 0;
	unsigned ended = 0;
	struct slice who = who_of(q), why = SLICE("");
	struct db *db = files_enter(q->store);
	enum rc rc = who.ptr == NULL ? RC_BAD : erase(db, who, &shares,
	    &sent);

	if (rc == RC_OK)
		rc = files_end(q->store, clock_wall(), &ended, q->arena, &why);
	if (who.ptr == NULL)
		asked_fails(q, "bad-request", SLICE("recipient is missing"));
	else if (rc != RC_OK)
		fails(q, db);
	files_leave(q->store);
	if (rc != RC_OK)
		return;
	asked_ok(q);
	json_put_int(q->answer, "shares", shares);
	json_put_int(q->answer, "sent", sent);
}

const struct operation files_operations[] = {
	{ "file-list", ASKER_ADMIN, op_list },
	{ "file-show", ASKER_ADMIN, op_show },
	{ "file-revoke", ASKER_ADMIN, op_revoke },
	{ "file-forget", ASKER_ADMIN, op_forget },
	{ "file-fetch", ASKER_ANYBODY, files_fetch },
	{ NULL, ASKER_ADMIN, NULL },
};
