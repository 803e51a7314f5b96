#include "notice/state.h"

enum mail_state { MAIL_WAITS = 0, MAIL_SENT, MAIL_FAILED };

static const char first[] =
    "CREATE TABLE mail ("
    "  key TEXT PRIMARY KEY NOT NULL,"
    "  message_id TEXT NOT NULL UNIQUE,"
    "  recipient TEXT NOT NULL,"
    "  message BLOB,"
    "  body8 INTEGER NOT NULL,"
    "  created INTEGER NOT NULL,"
    "  try_at INTEGER NOT NULL,"
    "  tries INTEGER NOT NULL DEFAULT 0,"
    "  state INTEGER NOT NULL DEFAULT 0,"
    "  reply TEXT);"
    "CREATE INDEX mail_try ON mail (try_at) WHERE state = 0;"
    "CREATE INDEX mail_created ON mail (created);"
    "CREATE TABLE listed ("
    "  object TEXT NOT NULL,"
    "  recipient TEXT NOT NULL,"
    "  time INTEGER NOT NULL,"
    "  PRIMARY KEY (object, recipient)) WITHOUT ROWID;"
    "CREATE INDEX listed_time ON listed (time);"
    "CREATE TABLE served ("
    "  member TEXT PRIMARY KEY NOT NULL,"
    "  slot INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE counted ("
    "  name TEXT PRIMARY KEY NOT NULL,"
    "  since INTEGER NOT NULL,"
    "  count INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE lapse ("
    "  number INTEGER PRIMARY KEY,"
    "  address TEXT NOT NULL,"
    "  cause TEXT NOT NULL,"
    "  time INTEGER NOT NULL);"
    "CREATE INDEX lapse_address ON lapse (address, number);";

static const char *const steps[] = { token_schema, first, NULL };

static const struct db_schema schema = {
	.application = 0x67684e31,	/* "ghN1" */
	.what = "file of notices",
	.remedy = "put a copy of it back, or move it away: links in digests "
	    "then die, and what is held is listed once more",
	.steps = steps, .oldest = 2,
};

enum rc
state_open(const char *path, enum db_mode mode, struct db **db_r,
    struct arena *a, struct slice *why_r)
{
	return db_open(path, &schema, mode, db_r, a, why_r);
}

static enum rc
run(struct db *db, struct db_query *q, struct arena *a, struct slice *why_r)
{
	return db_run(q) == RC_OK ? RC_OK : db_trouble(db, a, why_r);
}

enum rc
state_put(struct db *db, struct arena *a, const struct state_mail *mail,
    bool *put_r, struct slice *why_r)
{
	struct db_query *q = db_query(db, "INSERT INTO mail (key, message_id, "
	    "recipient, message, body8, created, try_at) VALUES (?1, ?2, ?3, "
	    "?4, ?5, ?6, ?6) ON CONFLICT DO NOTHING");
	enum rc rc;

	db_text(q, 1, mail->key);
	db_text(q, 2, mail->message_id);
	db_text(q, 3, mail->recipient);
	db_blob(q, 4, mail->message);
	db_int(q, 5, mail->body8);
	db_int(q, 6, mail->created);
	rc = run(db, q, a, why_r);
	*put_r = rc == RC_OK && db_changes(db) > 0;
	return rc;
}

/* The first row's first column; *found_r false without a row. */
static enum rc
one_int(struct db *db, struct db_query *q, struct arena *a, int64_t *value_r,
    bool *found_r, struct slice *why_r)
{
	enum db_step step = db_next(q);

	*found_r = step == DB_ROW;
	if (*found_r)
		*value_r = db_column_int(q, 0);
	if (step == DB_FAILED)
		return db_trouble(db, a, why_r);
	db_done(q);
	return RC_OK;
}

enum rc
state_known(struct db *db, struct arena *a, struct slice message_id,
    bool *known_r, struct slice *why_r)
{
	struct db_query *q = db_query(db, "SELECT 1 FROM mail "
	    "WHERE message_id = ?1");
	int64_t ignored;

	db_text(q, 1, message_id);
	return one_int(db, q, a, &ignored, known_r, why_r);
}

/* One statement takes it and notes when it may be tried again. */
enum rc
state_next(struct db *db, struct arena *a, int64_t now,
    struct state_mail *mail_r, bool *found_r, struct slice *why_r)
{
	struct db_query *q = db_query(db, "UPDATE mail SET tries = tries + 1, "
	    "try_at = ?1 + min(?2 << min(tries, 10), ?3) WHERE key = "
	    "(SELECT key FROM mail WHERE state = 0 AND try_at <= ?1 "
	    "ORDER BY try_at LIMIT 1) RETURNING key, message_id, recipient, "
	    "message, body8, created, tries");
	enum db_step step;

	db_int(q, 1, now);
	db_int(q, 2, STATE_BACKOFF);
	db_int(q, 3, STATE_BACKOFF_MOST);
	*found_r = false;
	while ((step = db_next(q)) == DB_ROW) {
		*found_r = true;
		*mail_r = (struct state_mail){
			.key = db_column(q, 0, a),
			.message_id = db_column(q, 1, a),
			.recipient = db_column(q, 2, a),
			.message = db_column(q, 3, a),
			.body8 = db_column_int(q, 4) != 0,
			.created = db_column_int(q, 5),
			.tries = (unsigned)db_column_int(q, 6),
		};
	}
	return step == DB_FAILED ? db_trouble(db, a, why_r) : RC_OK;
}

static enum rc
ends(struct db *db, struct arena *a, struct slice key, enum mail_state state,
    struct slice reply, struct slice *why_r)
{
	struct db_query *q = db_query(db, "UPDATE mail SET state = ?2, "
	    "reply = ?3, message = NULL WHERE key = ?1");

	db_text(q, 1, key);
	db_int(q, 2, state);
	db_text(q, 3, reply);
	return run(db, q, a, why_r);
}

enum rc
state_sent(struct db *db, struct arena *a, struct slice key,
    struct slice reply, struct slice *why_r)
{
	return ends(db, a, key, MAIL_SENT, reply, why_r);
}

enum rc
state_failed(struct db *db, struct arena *a, struct slice key,
    struct slice reply, struct slice *why_r)
{
	return ends(db, a, key, MAIL_FAILED, reply, why_r);
}

enum rc
state_listed(struct db *db, struct arena *a, struct slice object,
    struct slice recipient, bool *listed_r, struct slice *why_r)
{
	struct db_query *q = db_query(db, "SELECT 1 FROM listed WHERE "
	    "object = ?1 AND recipient = ?2");
	int64_t ignored;

	db_text(q, 1, object);
	db_text(q, 2, recipient);
	return one_int(db, q, a, &ignored, listed_r, why_r);
}

enum rc
state_list(struct db *db, struct arena *a, struct slice object,
    struct slice recipient, int64_t now, struct slice *why_r)
{
	struct db_query *q = db_query(db, "INSERT INTO listed VALUES "
	    "(?1, ?2, ?3) ON CONFLICT DO NOTHING");

	db_text(q, 1, object);
	db_text(q, 2, recipient);
	db_int(q, 3, now);
	return run(db, q, a, why_r);
}

enum rc
state_served(struct db *db, struct arena *a, struct slice member,
    int64_t *slot_r, struct slice *why_r)
{
	struct db_query *q = db_query(db, "SELECT slot FROM served WHERE "
	    "member = ?1");
	bool found;

	*slot_r = 0;
	db_text(q, 1, member);
	return one_int(db, q, a, slot_r, &found, why_r);
}

enum rc
state_serve(struct db *db, struct arena *a, struct slice member,
    int64_t slot, struct slice *why_r)
{
	struct db_query *q = db_query(db, "INSERT INTO served VALUES (?1, ?2) "
	    "ON CONFLICT (member) DO UPDATE SET slot = excluded.slot");

	db_text(q, 1, member);
	db_int(q, 2, slot);
	return run(db, q, a, why_r);
}

enum rc
state_members(struct db *db, struct arena *a,
    void (*visit)(struct slice member, int64_t slot, void *arg), void *arg,
    struct slice *why_r)
{
	struct db_query *q = db_query(db, "SELECT member, slot FROM served");
	enum db_step step;

	while ((step = db_next(q)) == DB_ROW)
		visit(db_column(q, 0, a), db_column_int(q, 1), arg);
	return step == DB_FAILED ? db_trouble(db, a, why_r) : RC_OK;
}

/* A window begins with the first of it; a clock that was set back before the
 * beginning opens a new one. */
enum rc
state_count(struct db *db, struct arena *a, struct slice name,
    int64_t window, int64_t now, int64_t *count_r, struct slice *why_r)
{
	struct db_query *q = db_query(db, "INSERT INTO counted VALUES "
	    "(?1, ?2, 1) ON CONFLICT (name) DO UPDATE SET "
	    "count = CASE WHEN ?2 - since BETWEEN 0 AND ?3 - 1 "
	    "THEN count + 1 ELSE 1 END, "
	    "since = CASE WHEN ?2 - since BETWEEN 0 AND ?3 - 1 "
	    "THEN since ELSE ?2 END RETURNING count");
	enum db_step step;

	db_text(q, 1, name);
	db_int(q, 2, now);
	db_int(q, 3, window);
	*count_r = 0;
	while ((step = db_next(q)) == DB_ROW)
		*count_r = db_column_int(q, 0);
	return step == DB_FAILED ? db_trouble(db, a, why_r) : RC_OK;
}

enum rc
state_lapse(struct db *db, struct arena *a, struct slice address,
    struct slice cause, int64_t now, struct slice *why_r)
{
	struct db_query *q = db_query(db, "INSERT INTO lapse "
	    "(address, cause, time) VALUES (?1, ?2, ?3)");

	db_text(q, 1, address);
	db_text(q, 2, cause);
	db_int(q, 3, now);
	return run(db, q, a, why_r);
}

enum rc
state_lapsed(struct db *db, struct arena *a, int64_t before,
    void (*visit)(const struct state_lapse *lapse, void *arg), void *arg,
    struct slice *why_r)
{
	struct db_query *q = db_query(db, "SELECT address, cause, min(time), "
	    "count(*), max(number) FROM lapse WHERE address IN (SELECT "
	    "address FROM lapse GROUP BY address HAVING min(time) <= ?1) "
	    "GROUP BY address, cause ORDER BY address, cause");
	enum db_step step;

	db_int(q, 1, before);
	while ((step = db_next(q)) == DB_ROW) {
		const struct state_lapse lapse = {
			.address = db_column(q, 0, a),
			.cause = db_column(q, 1, a),
			.since = db_column_int(q, 2),
			.count = db_column_int(q, 3),
			.upto = db_column_int(q, 4),
		};

		visit(&lapse, arg);
	}
	return step == DB_FAILED ? db_trouble(db, a, why_r) : RC_OK;
}

enum rc
state_told(struct db *db, struct arena *a, struct slice address,
    int64_t upto, struct slice *why_r)
{
	struct db_query *q = db_query(db, "DELETE FROM lapse WHERE "
	    "address = ?1 AND number <= ?2");

	db_text(q, 1, address);
	db_int(q, 2, upto);
	return run(db, q, a, why_r);
}

static enum rc
sweep(struct db *db, const char *sql, struct arena *a, int64_t before,
    bool *more_r, struct slice *why_r)
{
	struct db_query *q = db_query(db, sql);
	enum rc rc;

	db_int(q, 1, before);
	db_int(q, 2, STATE_SWEEP);
	rc = run(db, q, a, why_r);
	*more_r = *more_r || (rc == RC_OK && db_changes(db) == STATE_SWEEP);
	return rc;
}

enum rc
state_sweep(struct db *db, struct arena *a, int64_t now, int64_t before,
    bool *more_r, struct slice *why_r)
{
	unsigned tokens = 0;
	enum rc rc;

	*more_r = false;
	rc = token_sweep(db, a, now, &tokens, why_r);
	*more_r = tokens == TOKEN_SWEEP;
	if (rc == RC_OK)
		rc = sweep(db, "DELETE FROM mail WHERE key IN (SELECT key FROM "
		    "mail WHERE created < ?1 AND state > 0 LIMIT ?2)", a,
		    before, more_r, why_r);
	if (rc == RC_OK)
		rc = sweep(db, "DELETE FROM listed WHERE (object, recipient) "
		    "IN (SELECT object, recipient FROM listed WHERE time < ?1 "
		    "LIMIT ?2)", a, before, more_r, why_r);
	if (rc == RC_OK)
		rc = sweep(db, "DELETE FROM served WHERE member IN (SELECT "
		    "member FROM served WHERE slot < ?1 LIMIT ?2)", a, before,
		    more_r, why_r);
	if (rc == RC_OK)
		rc = sweep(db, "DELETE FROM counted WHERE name IN (SELECT name "
		    "FROM counted WHERE since < ?1 LIMIT ?2)", a, before,
		    more_r, why_r);
	return rc;
}
