/* The cache of a batch: finding messages, and writing them back. */
#include "track/book-part.h"

#include <stdlib.h>

#define MESSAGE_COLUMNS \
	"mid, last, state, instance, service, qid, gid, parent, relation," \
	" direction, sender, msgid, subject, client, ip, helo, user, tls," \
	" size, nrcpt, begun"

static void
start_batch(struct track_book *b)
{
	b->live = map_new();
	b->sessions = map_new();
	b->numbers = map_new();
	b->first = NULL;
	b->last = &b->first;
	b->rc = RC_OK;
}

static void
end_batch(struct track_book *b)
{
	for (struct emission *e = b->first; e != NULL; e = e->next)
		json_decref(e->event);
	map_free(b->live);
	map_free(b->sessions);
	map_free(b->numbers);
	arena_reset(b->arena);
}

struct track_book *
book_new(struct db *db, bool subjects,
    enum rc (*emit)(void *arg, const struct track_emit *e), void *arg)
{
	struct track_book *b = mem_alloc(sizeof *b);

	*b = (struct track_book){ .db = db, .arena = arena_new(),
	    .subjects = subjects, .emit = emit, .arg = arg };
	start_batch(b);
	return b;
}

void
book_free(struct track_book *b)
{
	if (b == NULL)
		return;
	end_batch(b);
	arena_free(b->arena);
	free(b);
}

void
book_forget(struct track_book *b)
{
	end_batch(b);
	start_batch(b);
}

uint64_t
book_written(const struct track_book *b)
{
	return b->written;
}

void
part_run(struct track_book *b, struct db_query *q)
{
	enum rc rc = db_run(q);

	if (b->rc == RC_OK)
		b->rc = rc;
}

/* --- reading back -------------------------------------------------------- */

static struct live *
from_row(struct track_book *b, struct db_query *q)
{
	struct live *l = arena_alloc(b->arena, sizeof *l);
	struct track_message *m = &l->m;
	struct slice *texts[] = { &m->instance, &m->service, &m->qid, &m->gid,
	    &m->parent, &m->relation, &m->direction, &m->sender, &m->msgid,
	    &m->subject, &m->client, &m->ip, &m->helo, &m->user, &m->tls };
	enum { TEXTS = sizeof texts / sizeof texts[0] };

	m->mid = db_column_int(q, 0);
	m->last = db_column_int(q, 1);
	m->state = (enum track_state)db_column_int(q, 2);
	for (int i = 0; i < TEXTS; i++)
		*texts[i] = db_column(q, 3 + i, b->arena);
	m->size = db_column_null(q, 18) ? -1 : db_column_int(q, 18);
	m->nrcpt = db_column_null(q, 19) ? -1 : db_column_int(q, 19);
	l->begun = db_column_int(q, 20) != 0;
	return l;
}

struct live *
part_known(struct track_book *b, struct slice qid, int64_t mid)
{
	for (struct live *l = map_get(b->live, qid); l != NULL; l = l->next)
		if (l->m.mid == mid)
			return l;
	return NULL;
}

static struct live *
remember(struct track_book *b, struct live *l)
{
	if (l->m.qid.len > 0) {
		l->next = map_get(b->live, l->m.qid);
		map_put(b->live, l->m.qid, l);
	}
	return l;
}

/* Rows that the query gives join those of the batch, once. */
static void
load_rows(struct track_book *b, struct slice qid, struct db_query *q,
    bool pending)
{
	enum db_step step;

	while ((step = db_next(q)) == DB_ROW) {
		int64_t mid = db_column_int(q, 0);

		if (part_known(b, qid, mid) == NULL)
			remember(b, from_row(b, q))->pending = pending;
	}
	if (step == DB_FAILED && b->rc == RC_OK)
		b->rc = RC_RETRY;
}

static void
load_pending(struct track_book *b, struct slice qid)
{
	struct db_query *q = db_query(b->db, "SELECT " MESSAGE_COLUMNS
	    " FROM message WHERE mid IN"
	    " (SELECT mid FROM pending WHERE qid = ?1) ORDER BY mid");

	db_text(q, 1, qid);
	load_rows(b, qid, q, true);
}

static void
load_closed(struct track_book *b, struct slice qid, int64_t day)
{
	struct db_query *q = db_query(b->db, "SELECT " MESSAGE_COLUMNS
	    " FROM message WHERE day = ?1 AND qid = ?2"
	    " ORDER BY mid DESC LIMIT 4");

	db_int(q, 1, day);
	db_text(q, 2, qid);
	load_rows(b, qid, q, false);
}

/* --- which one is meant -------------------------------------------------- */

static bool
is_open(const struct live *l)
{
	return l->m.state == TRACK_OPEN || l->m.state == TRACK_QUEUED ||
	    l->m.state == TRACK_HELD;
}

static bool
of_instance(const struct live *l, struct slice instance)
{
	return instance.len == 0 || l->m.instance.len == 0 ||
	    slice_eq(l->m.instance, instance);
}

/* May something that was said then be about this one? */
static bool
fits(const struct live *l, struct slice instance, int64_t ms,
    enum part_begin how)
{
	int64_t begin = track_ms(l->m.mid);

	if (!of_instance(l, instance) || ms < begin - BOOK_LATE)
		return false;
	if (how == PART_NEW)
		return is_open(l) && !l->begun;
	return is_open(l) || ms <= l->m.last + BOOK_LATE;
}

static struct live *
choose(struct track_book *b, struct slice qid, struct slice instance,
    int64_t ms, enum part_begin how)
{
	struct live *best = NULL;

	for (struct live *l = map_get(b->live, qid); l != NULL; l = l->next) {
		if (!fits(l, instance, ms, how))
			continue;
		/* An open one before a closed one, then the newer. */
		if (best == NULL || is_open(l) > is_open(best) ||
		    (is_open(l) == is_open(best) && l->m.mid > best->m.mid))
			best = l;
	}
	return best;
}

/* --- new ones ------------------------------------------------------------ */

static int64_t
new_mid(struct track_book *b, int64_t ms)
{
	struct slice key = slice_make(&ms, sizeof ms);
	uintptr_t given = (uintptr_t)map_get(b->numbers, key);
	int64_t mid = track_mid(ms);

	if (given == 0) {
		struct db_query *q = db_query(b->db, "SELECT max(mid) FROM "
		    "message WHERE mid >= ?1 AND mid < ?2");

		db_int(q, 1, mid);
		db_int(q, 2, track_mid(ms + 1));
		if (db_next(q) == DB_ROW && !db_column_null(q, 0))
			given = (uintptr_t)(db_column_int(q, 0) - mid) + 1;
		db_done(q);
	}
	map_put(b->numbers, key, (void *)(given + 1));
	return mid + (int64_t)given;
}

static struct live *
fresh(struct track_book *b, int64_t ms, enum track_state state)
{
	struct live *l = arena_alloc(b->arena, sizeof *l);

	if (ms < 0)
		ms = 0;
	l->m.mid = new_mid(b, ms);
	l->m.last = ms;
	l->m.state = state;
	l->m.size = l->m.nrcpt = -1;
	l->fresh = l->dirty = true;
	b->written++;
	return l;
}

struct live *
part_lone(struct track_book *b, int64_t ms, enum track_state state)
{
	struct live *l = fresh(b, ms, state);

	/* In the map under a name that no queue id has. */
	l->next = map_get(b->live, SLICE(""));
	map_put(b->live, SLICE(""), l);
	return l;
}

/* Its queue id stands for another one now, and its end was not seen. */
static void
overtake(struct track_book *b, struct slice qid, struct slice instance,
    int64_t ms)
{
	for (struct live *l = map_get(b->live, qid); l != NULL; l = l->next) {
		if (!is_open(l) || !l->begun || !of_instance(l, instance) ||
		    track_ms(l->m.mid) > ms)
			continue;
		if (l->m.state != TRACK_OPEN)
			part_rest(b, l, ms, TRACK_END_UNKNOWN, SLICE_NONE);
		part_state(l, l->m.state == TRACK_OPEN ? TRACK_ABANDONED :
		    TRACK_DONE);
	}
}

struct live *
part_message(struct track_book *b, struct slice qid, struct slice instance,
    int64_t ms, enum part_begin how)
{
	struct live *l = choose(b, qid, instance, ms, how);

	if (l == NULL || !is_open(l)) {
		load_pending(b, qid);
		l = choose(b, qid, instance, ms, how);
	}
	if (l == NULL && how != PART_NEW) {
		load_closed(b, qid, stamp_day(ms));
		if (stamp_day(ms - BOOK_ABANDON) != stamp_day(ms))
			load_closed(b, qid, stamp_day(ms - BOOK_ABANDON));
		l = choose(b, qid, instance, ms, how);
	}
	if (l == NULL) {
		if (how == PART_NEW)
			overtake(b, qid, instance, ms);
		l = fresh(b, ms, TRACK_OPEN);
		l->m.qid = arena_copy(b->arena, qid);
		remember(b, l);
	}
	if (ms > l->m.last)
		l->m.last = ms;
	if (l->m.instance.len == 0 && instance.len > 0)
		l->m.instance = arena_copy(b->arena, instance);
	l->dirty = true;
	l->begun = l->begun || how != PART_LATE;
	return l;
}

void
part_set(struct track_book *b, struct live *m, struct slice *field,
    struct slice value)
{
	if (field->len > 0 || value.ptr == NULL)
		return;
	*field = arena_copy(b->arena, slice_sub(value, 0, BOOK_VALUE));
	m->dirty = true;
}

void
part_state(struct live *m, enum track_state state)
{
	m->m.state = state;
	m->dirty = true;
}

/* --- TLS of connections -------------------------------------------------- */

struct session *
part_session(struct track_book *b, struct slice name)
{
	struct session *s = map_get(b->sessions, name);
	struct db_query *q;

	if (s != NULL)
		return s;
	s = arena_alloc(b->arena, sizeof *s);
	q = db_query(b->db, "SELECT t, peer, tls FROM session WHERE name = ?1");
	db_text(q, 1, name);
	if (db_next(q) == DB_ROW) {
		s->known = true;
		s->t = db_column_int(q, 0);
		s->peer = db_column(q, 1, b->arena);
		s->tls = db_column(q, 2, b->arena);
	} else {
		s->gone = true;
	}
	db_done(q);
	map_put(b->sessions, name, s);
	return s;
}

static bool
write_session(struct slice name, void *value, void *arg)
{
	struct track_book *b = arg;
	struct session *s = value;
	struct db_query *q;

	if (s->gone && s->known) {
		q = db_query(b->db, "DELETE FROM session WHERE name = ?1");
		db_text(q, 1, name);
		part_run(b, q);
	} else if (!s->gone && s->dirty) {
		q = db_query(b->db, "INSERT OR REPLACE INTO session"
		    " VALUES(?1, ?2, ?3, ?4)");
		db_text(q, 1, name);
		db_int(q, 2, s->t);
		db_text(q, 3, s->peer);
		db_text(q, 4, s->tls);
		part_run(b, q);
	}
	return true;
}

/* --- writing ------------------------------------------------------------- */

static void
text_or_null(struct db_query *q, int at, struct slice s)
{
	if (s.len > 0)
		db_text(q, at, s);
}

static void
write_message(struct track_book *b, struct live *l)
{
	const struct track_message *m = &l->m;
	struct db_query *q = db_query(b->db, l->fresh ?
	    "INSERT INTO message(mid, day, last, state, instance, service, qid,"
	    " gid, parent, relation, direction, sender, msgid, subject, client,"
	    " ip, helo, user, tls, size, nrcpt, begun, skey) VALUES(?1, ?2, ?3,"
	    " ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17,"
	    " ?18, ?19, ?20, ?21, ?22, ?23)" :
	    "UPDATE message SET last = ?3, state = ?4, instance = ?5,"
	    " service = ?6, gid = ?8, parent = ?9, relation = ?10,"
	    " direction = ?11, sender = ?12, msgid = ?13, subject = ?14,"
	    " client = ?15, ip = ?16, helo = ?17, user = ?18, tls = ?19,"
	    " size = ?20, nrcpt = ?21, begun = ?22, skey = ?23"
	    " WHERE mid = ?1");
	const struct slice texts[] = { m->instance, m->service, m->qid, m->gid,
	    m->parent, m->relation, m->direction };
	const struct slice more[] = { m->msgid, m->subject, m->client, m->ip,
	    m->helo, m->user, m->tls };

	db_int(q, 1, m->mid);
	db_int(q, 2, stamp_day(track_ms(m->mid)));
	db_int(q, 3, m->last);
	db_int(q, 4, m->state);
	for (int i = 0; i < 7; i++) {
		text_or_null(q, 5 + i, texts[i]);
		text_or_null(q, 13 + i, more[i]);
	}
	db_text(q, 12, m->sender);
	if (m->size >= 0)
		db_int(q, 20, m->size);
	if (m->nrcpt >= 0)
		db_int(q, 21, m->nrcpt);
	db_int(q, 22, l->begun);
	if (m->sender.ptr != NULL)
		db_text(q, 23, track_key(b->arena, m->sender));
	part_run(b, q);
}

static void
write_pending(struct track_book *b, struct live *l)
{
	struct db_query *q;

	if (l->m.qid.len == 0 || l->pending == is_open(l))
		return;
	l->pending = is_open(l);
	q = db_query(b->db, l->pending ?
	    "INSERT OR IGNORE INTO pending(qid, mid, instance)"
	    " VALUES(?1, ?2, ?3)" :
	    "DELETE FROM pending WHERE qid = ?1 AND mid = ?2");
	db_text(q, 1, l->m.qid);
	db_int(q, 2, l->m.mid);
	if (l->pending)
		db_text(q, 3, l->m.instance.ptr != NULL ? l->m.instance :
		    SLICE(""));
	part_run(b, q);
}

static bool
write_live(struct slice qid, void *value, void *arg)
{
	struct track_book *b = arg;

	(void)qid;
	for (struct live *l = value; l != NULL; l = l->next) {
		if (!l->dirty)
			continue;
		write_message(b, l);
		write_pending(b, l);
		l->fresh = l->dirty = false;
	}
	return true;
}

enum rc
book_flush(struct track_book *b)
{
	enum rc rc;

	map_each(b->live, write_live, b);
	map_each(b->sessions, write_session, b);
	for (struct emission *e = b->first; e != NULL; e = e->next) {
		e->e.message = &e->live->m;
		if (b->rc == RC_OK)
			b->rc = b->emit(b->arg, &e->e);
	}
	rc = b->rc;
	end_batch(b);
	start_batch(b);
	return rc;
}

/* Processes that ended without a word about their connection. */
static void
sweep_sessions(struct track_book *b)
{
	struct db_query *q = db_query(b->db, "DELETE FROM session"
	    " WHERE t < ?1");

	db_int(q, 1, b->newest - (int64_t)12 * BOOK_ABANDON);
	part_run(b, q);
}

enum rc
book_sweep(struct track_book *b, unsigned limit)
{
	struct db_query *q = db_query(b->db, "SELECT p.qid, p.mid FROM pending"
	    " p JOIN message m ON m.mid = p.mid WHERE m.state = 0 AND"
	    " m.last < ?1 LIMIT ?2");
	struct gone { struct slice qid; int64_t mid; } *list;
	size_t n = 0;

	if (b->newest == 0)
		return RC_OK;
	sweep_sessions(b);
	list = arena_array(b->arena, limit + 1, sizeof *list);
	db_int(q, 1, b->newest - BOOK_ABANDON);
	db_int(q, 2, limit);
	while (db_next(q) == DB_ROW)
		list[n++] = (struct gone){ db_column(q, 0, b->arena),
		    db_column_int(q, 1) };
	for (size_t i = 0; i < n; i++) {
		struct live *l;

		load_pending(b, list[i].qid);
		l = part_known(b, list[i].qid, list[i].mid);
		if (l == NULL || l->m.state != TRACK_OPEN)
			continue;
		part_state(l, TRACK_ABANDONED);
		part_rest(b, l, l->m.last, TRACK_END_TEMPFAILED,
		    SLICE("the client went away"));
	}
	return b->rc;
}
