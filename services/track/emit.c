#include "services/track/emit.h"

#include "base/clock.h"
#include "log/log.h"

void
emit_init(struct emit *e, struct db *db, const struct track_conf *conf)
{
	struct arena *a = e->arena != NULL ? e->arena : arena_new();
	struct sinks *sinks = e->sinks;

	*e = (struct emit){ .db = db, .conf = conf, .arena = a,
	    .sinks = sinks };
}

void
emit_free(struct emit *e)
{
	arena_free(e->arena);
}

bool
emit_wanted(const struct track_conf *conf)
{
	for (unsigned i = 0; i < SINKS; i++)
		if (sinks_wanted(conf, i))
			return true;
	return false;
}

enum rc
emit_one(void *emit, const struct track_emit *what)
{
	struct emit *e = emit;
	unsigned classes = emit_classes(what);
	struct slice text;
	struct db_query *q;
	enum rc rc;

	if ((classes & e->conf->classes) == 0)
		return RC_OK;
	text = emit_text(e->arena, e->conf->format, what, classes);
	q = db_query(e->db, "INSERT INTO outbox(class, t, body)"
	    " VALUES(?1, ?2, ?3)");
	db_text(q, 1, slice_of(track_class_name(classes & (~classes + 1))));
	db_int(q, 2, what->t);
	db_blob(q, 3, text);
	rc = db_run(q);
	e->bytes += text.len;
	e->grew = true;
	arena_reset(e->arena);
	return rc;
}

static int64_t
ask(struct emit *e, const char *sql, int64_t value)
{
	struct db_query *q = db_query(e->db, sql);
	int64_t n = 0;

	db_int(q, 1, value);
	if (db_next(q) == DB_ROW)
		n = db_column_int(q, 0);
	db_done(q);
	return n;
}

static enum rc
delete_to(struct emit *e, int64_t seq)
{
	struct db_query *q = db_query(e->db, "DELETE FROM outbox"
	    " WHERE seq <= ?1");
	uint64_t freed = (uint64_t)ask(e, "SELECT"
	    " coalesce(sum(length(body)), 0) FROM outbox"
	    " WHERE seq <= ?1", seq);

	e->bytes -= freed < e->bytes ? freed : e->bytes;
	db_int(q, 1, seq);
	return db_run(q);
}

static enum rc
save_sink(struct emit *e, unsigned i, int64_t seq, int64_t dropped)
{
	struct db_query *q = db_query(e->db, "INSERT INTO sink"
	    " VALUES(?1, ?2, ?3) ON CONFLICT(name) DO UPDATE SET seq = ?2,"
	    " dropped = dropped + ?3");

	db_text(q, 1, slice_of(sinks_name(i)));
	db_int(q, 2, seq);
	db_int(q, 3, dropped);
	return db_run(q);
}

/* Over the size: the oldest go, and a sink that had not sent them skips. */
static enum rc
drop_oldest(struct emit *e)
{
	uint64_t over = e->bytes - e->conf->siem_spool +
	    e->conf->siem_spool / 10;
	struct db_query *q = db_query(e->db, "SELECT seq,"
	    " length(body) FROM outbox ORDER BY seq");
	int64_t seq = 0;
	uint64_t freed = 0;
	enum rc rc = RC_OK;

	while (freed < over && db_next(q) == DB_ROW) {
		seq = db_column_int(q, 0);
		freed += (uint64_t)db_column_int(q, 1);
	}
	db_done(q);
	for (unsigned i = 0; i < SINKS && rc == RC_OK; i++) {
		int64_t at, lost;

		if (!sinks_wanted(e->conf, i))
			continue;
		at = sinks_at(e->sinks, i);
		lost = at >= seq ? 0 : ask(e, "SELECT count(*) FROM outbox"
		    " WHERE seq <= ?1", seq) - ask(e, "SELECT count(*) FROM"
		    " outbox WHERE seq <= ?1", at);
		if (lost == 0)
			continue;
		log_warning("siem_%s: the spool is over siem_spool; the %lld "
		    "oldest events are dropped", sinks_name(i),
		    (long long)lost);
		sinks_skip(e->sinks, i, seq);
		rc = save_sink(e, i, seq, lost);
	}
	return rc == RC_OK ? delete_to(e, seq) : rc;
}

enum rc
emit_bound(struct emit *e)
{
	int64_t least = INT64_MAX;
	enum rc rc = RC_OK;

	if (e->sinks == NULL)
		return RC_OK;
	if (!e->known)
		e->bytes = (uint64_t)ask(e, "SELECT"
		    " coalesce(sum(length(body)), 0) FROM outbox", 0);
	e->known = true;
	for (unsigned i = 0; i < SINKS && rc == RC_OK; i++) {
		int64_t at;

		if (!sinks_wanted(e->conf, i))
			continue;
		at = sinks_at(e->sinks, i);
		if (at < least)
			least = at;
		if (at != e->saved[i])
			rc = save_sink(e, i, at, 0);
		e->saved[i] = at;
	}
	if (rc == RC_OK && least > e->deleted && least < INT64_MAX) {
		rc = delete_to(e, least);
		e->deleted = least;
	}
	if (rc == RC_OK && e->bytes > e->conf->siem_spool)
		rc = drop_oldest(e);
	return rc;
}

bool
emit_pending(const struct emit *e)
{
	for (unsigned i = 0; e->sinks != NULL && i < SINKS; i++)
		if (sinks_wanted(e->conf, i) &&
		    sinks_at(e->sinks, i) != e->saved[i])
			return true;
	return false;
}

void
emit_done(struct emit *e)
{
	if (e->sinks != NULL && e->grew)
		sinks_look(e->sinks);
	e->grew = false;
}

void
emit_undo(struct emit *e)
{
	e->known = e->grew = false;
	e->deleted = 0;
	for (unsigned i = 0; i < SINKS; i++)
		e->saved[i] = -1;
}
