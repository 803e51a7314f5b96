/* Recipients, steps, and what the SIEM is told. */
#include "track/book-part.h"

void
part_step(struct track_book *b, struct live *m, int64_t ms, const char *what,
    struct slice rcpt, struct slice text)
{
	struct db_query *q;

	if (m->steps++ >= BOOK_STEPS)
		return;
	q = db_query(b->db, "INSERT INTO step(mid, t, what, rcpt, text)"
	    " VALUES(?1, ?2, ?3, ?4, ?5)");
	db_int(q, 1, m->m.mid);
	db_int(q, 2, ms);
	db_text(q, 3, slice_of(what));
	if (rcpt.len > 0)
		db_text(q, 4, slice_sub(rcpt, 0, BOOK_VALUE));
	if (text.len > 0)
		db_text(q, 5, slice_sub(text, 0, BOOK_VALUE));
	part_run(b, q);
}

static int64_t
day_of(const struct live *m)
{
	return stamp_day(track_ms(m->m.mid));
}

static void
cut(struct db_query *q, int at, struct slice s)
{
	if (s.len > 0)
		db_text(q, at, slice_sub(s, 0, BOOK_VALUE));
}

void
part_named(struct track_book *b, struct live *m, struct slice rcpt, int64_t ms,
    enum track_end end)
{
	/* What a milter decided holds until Postfix says how it went. */
	struct db_query *q = db_query(b->db,
	    "INSERT INTO recipient(mid, rcpt, day, rkey, fate, t, tries)"
	    " VALUES(?1, ?2, ?3, ?4, ?5, ?6, 0) ON CONFLICT(mid, rcpt) DO"
	    " UPDATE SET fate = ?5, t = ?6 WHERE fate <= 1 AND ?5 > fate");

	rcpt = slice_sub(rcpt, 0, BOOK_VALUE);
	db_int(q, 1, m->m.mid);
	db_text(q, 2, rcpt);
	db_int(q, 3, day_of(m));
	db_text(q, 4, track_key(b->arena, rcpt));
	db_int(q, 5, end);
	db_int(q, 6, ms);
	part_run(b, q);
	b->written++;
}

/* The alias has done its part: others stand for it. */
static void
expanded(struct track_book *b, struct live *m, struct slice alias, int64_t ms)
{
	struct db_query *q = db_query(b->db, "UPDATE recipient SET fate = ?3,"
	    " t = ?4 WHERE mid = ?1 AND rcpt = ?2 AND fate <= 1");

	db_int(q, 1, m->m.mid);
	db_text(q, 2, alias);
	db_int(q, 3, TRACK_END_EXPANDED);
	db_int(q, 4, ms);
	part_run(b, q);
}

void
part_recipient(struct track_book *b, struct live *m, const struct part_end *p)
{
	struct db_query *q = db_query(b->db,
	    "INSERT INTO recipient(mid, rcpt, day, rkey, orig, fate, t, tries,"
	    " dsn, relay, reply, tls, next, delay) VALUES(?1, ?2, ?3, ?4, ?5,"
	    " ?6, ?7, 1, ?8, ?9, ?10, ?11, ?12, ?13) ON CONFLICT(mid, rcpt) DO"
	    " UPDATE SET orig = coalesce(?5, orig), fate = ?6, t = ?7,"
	    " tries = tries + 1, dsn = ?8, relay = ?9, reply = ?10, tls = ?11,"
	    " next = ?12, delay = ?13");
	struct slice rcpt = slice_sub(p->rcpt, 0, BOOK_VALUE);

	db_int(q, 1, m->m.mid);
	db_text(q, 2, rcpt);
	db_int(q, 3, day_of(m));
	db_text(q, 4, track_key(b->arena, rcpt));
	cut(q, 5, p->orig);
	db_int(q, 6, p->end);
	db_int(q, 7, p->t);
	cut(q, 8, p->dsn);
	cut(q, 9, p->relay);
	cut(q, 10, p->reply);
	cut(q, 11, p->tls);
	cut(q, 12, p->next);
	if (p->delay >= 0)
		db_int(q, 13, p->delay);
	part_run(b, q);
	if (p->orig.len > 0 && !slice_eq(p->orig, p->rcpt))
		expanded(b, m, slice_sub(p->orig, 0, BOOK_VALUE), p->t);
	b->written++;
	part_emit_fate(b, m, p);
}

static void
emit_rest(struct track_book *b, struct live *m, int64_t ms,
    enum track_end end, struct slice reply)
{
	struct db_query *q = db_query(b->db, "SELECT rcpt FROM recipient"
	    " WHERE mid = ?1 AND (fate <= 1 OR fate IN (3, 4))");
	struct part_end p = { .t = ms, .end = end, .reply = reply };

	db_int(q, 1, m->m.mid);
	while (db_next(q) == DB_ROW) {
		p.rcpt = db_column(q, 0, b->arena);
		part_emit_fate(b, m, &p);
	}
}

void
part_rest(struct track_book *b, struct live *m, int64_t ms,
    enum track_end end, struct slice reply)
{
	/* 3, 4: deferred and held, which are not final either. A reply of the
	 * last try stays where nothing better is known. */
	struct db_query *q;

	if (b->emit != NULL)
		emit_rest(b, m, ms, end, reply);
	q = db_query(b->db, "UPDATE recipient SET fate = ?2,"
	    " t = ?3, reply = coalesce(?4, reply) WHERE mid = ?1"
	    " AND (fate <= 1 OR fate IN (3, 4))");
	db_int(q, 1, m->m.mid);
	db_int(q, 2, end);
	db_int(q, 3, ms);
	cut(q, 4, reply);
	part_run(b, q);
}

/* --- what goes to the outbox at the flush -------------------------------- */

static struct emission *
emission(struct track_book *b, struct live *m, int64_t ms)
{
	struct emission *e = arena_alloc(b->arena, sizeof *e);

	e->live = m;
	e->e.t = ms;
	*b->last = e;
	b->last = &e->next;
	return e;
}

void
part_emit_fate(struct track_book *b, struct live *m, const struct part_end *p)
{
	struct emission *e;

	if (b->emit == NULL || p->end == TRACK_END_EXPANDED ||
	    p->end <= TRACK_END_QUEUED)
		return;
	e = emission(b, m, p->t);
	e->e.fate = true;
	e->e.end = p->end;
	e->e.rcpt = arena_copy(b->arena, p->rcpt);
	e->e.orig = arena_copy(b->arena, p->orig);
	e->e.relay = arena_copy(b->arena, p->relay);
	e->e.dsn = arena_copy(b->arena, p->dsn);
	e->e.reply = arena_copy(b->arena, p->reply);
	e->e.next = arena_copy(b->arena, p->next);
	e->e.tls = arena_copy(b->arena, p->tls);
}

void
part_emit_event(struct track_book *b, struct live *m, int64_t ms,
    const json_t *event)
{
	struct emission *e;

	if (b->emit == NULL)
		return;
	e = emission(b, m, ms);
	e->event = json_incref((json_t *)(uintptr_t)event);
	e->e.event = event;
}
