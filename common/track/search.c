#include "track/search.h"


#include "base/buf.h"
#include "track/stamp.h"

enum { VALUES = 24, FIRST = 4 };	/* ?1 ?2 mids, ?3 day */

#define MESSAGE "m.mid, m.last, m.state, m.instance, m.service, m.qid," \
	" m.gid, m.parent, m.relation, m.direction, m.sender, m.msgid," \
	" m.subject, m.client, m.ip, m.helo, m.user, m.tls, m.size, m.nrcpt"
#define RECIPIENT "r.rcpt, r.orig, r.dsn, r.relay, r.reply, r.tls, r.next," \
	" r.fate, r.t, r.delay, r.tries"

enum { R = 20 };			/* column of r.rcpt */

struct plan {
	struct arena *a;
	struct buf where;		/* " AND ..." */
	struct slice values[VALUES];
	int count;
	const char *from;		/* the tables, the driving one first */
	bool driven;
};

static void
message_row(struct db_query *q, struct track_message *m, struct arena *a)
{
	struct slice *texts[] = { &m->instance, &m->service, &m->qid, &m->gid,
	    &m->parent, &m->relation, &m->direction, &m->sender, &m->msgid,
	    &m->subject, &m->client, &m->ip, &m->helo, &m->user, &m->tls };

	m->mid = db_column_int(q, 0);
	m->last = db_column_int(q, 1);
	m->state = (enum track_state)db_column_int(q, 2);
	for (int i = 0; i < 15; i++)
		*texts[i] = db_column(q, 3 + i, a);
	m->size = db_column_null(q, 18) ? -1 : db_column_int(q, 18);
	m->nrcpt = db_column_null(q, 19) ? -1 : db_column_int(q, 19);
}

static void
recipient_row(struct db_query *q, int at, struct track_recipient *r,
    struct arena *a)
{
	struct slice *texts[] = { &r->rcpt, &r->orig, &r->dsn, &r->relay,
	    &r->reply, &r->tls, &r->next };

	for (int i = 0; i < 7; i++)
		*texts[i] = db_column(q, at + i, a);
	r->fate = (enum track_end)db_column_int(q, at + 7);
	r->t = db_column_int(q, at + 8);
	r->delay = db_column_null(q, at + 9) ? -1 : db_column_int(q, at + 9);
	r->tries = db_column_int(q, at + 10);
}

/* --- making the question ------------------------------------------------- */

/* A value's place, "?7". */
static const char *
bind(struct plan *p, struct slice value)
{
	p->values[p->count] = value;
	return arena_printf(p->a, "?%d", FIRST + p->count++).ptr;
}

/*
 * The first condition that has an index drives; the others are looked at in
 * the rows that it gives.
 */
static void
drive(struct plan *p, const char *from, char table)
{
	if (p->driven)
		return;
	p->driven = true;
	p->from = from;
	buf_addf(&p->where, " AND %c.day = ?3", table);
}

#define BY_MESSAGE(index) "message m INDEXED BY " index \
	" LEFT JOIN recipient r ON r.mid = m.mid"
#define BY_RECIPIENT(index) "recipient r INDEXED BY " index \
	" CROSS JOIN message m ON m.mid = r.mid"
#define BY_FINDING(index) "finding f INDEXED BY " index \
	" CROSS JOIN message m ON m.mid = f.mid" \
	" LEFT JOIN recipient r ON r.mid = m.mid"

static void
equal(struct plan *p, const char *column, struct slice value,
    const char *from)
{
	if (value.ptr == NULL)
		return;
	if (from != NULL)
		drive(p, from, 'm');
	buf_addf(&p->where, " AND %s = %s", column, bind(p, value));
}

/* An address, or all of a domain: "example.org@" up to "example.orgA". */
static void
address(struct plan *p, const char *column, struct slice value,
    const char *from, char table)
{
	struct slice key;

	if (value.ptr == NULL)
		return;
	drive(p, from, table);
	if (slice_eq(value, SLICE("<>")))
		value = SLICE("");
	key = track_key(p->a, value);
	if (value.len < 2 || value.ptr[0] != '@') {
		buf_addf(&p->where, " AND %s = %s", column, bind(p, key));
		return;
	}
	buf_addf(&p->where, " AND %s >= %s", column, bind(p, key));
	buf_addf(&p->where, " AND %s < %s", column, bind(p, arena_printf(p->a,
	    "%.*sA", SLICE_ARG(slice_sub(key, 0, key.len - 1)))));
}

static void
finding(struct plan *p, const char *column, struct slice value,
    const char *from)
{
	const char *place;

	if (value.ptr == NULL)
		return;
	if (!p->driven && from != NULL) {
		drive(p, from, 'f');
		place = bind(p, value);
		buf_addf(&p->where, " AND f.%s = %s", column, place);
		return;
	}
	buf_addf(&p->where, " AND EXISTS (SELECT 1 FROM finding x WHERE"
	    " x.mid = m.mid AND x.%s = %s)", column, bind(p, value));
}

static void
contains(struct plan *p, const char *columns, struct slice value)
{
	if (value.ptr != NULL)
		buf_addf(&p->where, " AND instr(lower(%s), lower(%s)) > 0",
		    columns, bind(p, value));
}

static void
queue_id(struct plan *p, struct slice id)
{
	const char *v;

	if (id.ptr == NULL)
		return;
	v = bind(p, id);
	p->driven = true;
	p->from = "message m LEFT JOIN recipient r ON r.mid = m.mid";
	buf_addf(&p->where, " AND m.mid IN ("
	    "SELECT mid FROM message WHERE day = ?3 AND qid = %s UNION "
	    "SELECT mid FROM message WHERE day = ?3 AND parent = %s UNION "
	    "SELECT mid FROM recipient WHERE day = ?3 AND next = %s)", v, v,
	    v);
}

static void
fate(struct plan *p, int end)
{
	if (end < 0)
		return;
	/* The number stands in the question: the index is of some only. */
	if (end > TRACK_END_SENT)
		drive(p, BY_RECIPIENT("recipient_fate"), 'r');
	buf_addf(&p->where, " AND r.fate = %d%s", end,
	    end > TRACK_END_SENT ? " AND r.fate > 2" : "");
}

static bool
is_domain(struct slice address)
{
	return address.len > 0 && address.ptr[0] == '@';
}

static void
recipient(struct plan *p, struct slice value)
{
	address(p, "r.rkey", value, BY_RECIPIENT("recipient_key"), 'r');
}

/*
 * What leaves the fewest comes first. A recipient's domain is seldom one of
 * them: it is ours.
 */
static void
conditions(struct plan *p, const struct track_query *q)
{
	queue_id(p, q->queue_id);
	equal(p, "m.msgid", q->message_id, BY_MESSAGE("message_msgid"));
	equal(p, "m.gid", q->identity, BY_MESSAGE("message_gid"));
	finding(p, "virus", q->virus, BY_FINDING("finding_virus"));
	if (!is_domain(q->recipient))
		recipient(p, q->recipient);
	address(p, "m.skey", q->sender, BY_MESSAGE("message_sender"), 'm');
	equal(p, "m.ip", q->ip, BY_MESSAGE("message_ip"));
	finding(p, "cause", q->cause, BY_FINDING("finding_cause"));
	finding(p, "rule", q->rule, BY_FINDING("finding_rule"));
	fate(p, q->fate);
	finding(p, "verdict", q->verdict, slice_eq(q->verdict,
	    SLICE("accept")) ? NULL : BY_FINDING("finding_verdict"));
	if (slice_starts(slice_of(p->from), SLICE("finding f INDEXED BY "
	    "finding_verdict")))
		buf_adds(&p->where, " AND f.verdict <> 'accept'");
	if (is_domain(q->recipient))
		recipient(p, q->recipient);
	finding(p, "module", q->module, NULL);
	equal(p, "m.direction", q->direction, NULL);
	equal(p, "m.user", q->user, NULL);
	contains(p, "m.subject", q->subject);
	contains(p, "coalesce(m.subject, '') || ' ' || coalesce(r.reply, '')"
	    " || ' ' || coalesce(m.client, '') || ' ' ||"
	    " coalesce(m.helo, '')", q->text);
	if (q->before != 0)
		buf_addf(&p->where, " AND (m.mid < ?2 OR r.rcpt > %s)",
		    bind(p, q->before_rcpt));
}

static const char *
question(struct plan *p, const struct track_query *q)
{
	struct buf sql = buf_in(p->a);

	p->where = buf_in(p->a);
	p->from = "message m LEFT JOIN recipient r ON r.mid = m.mid";
	conditions(p, q);
	/* The first letter is the name of the table that drives. */
	buf_addf(&sql, "SELECT " MESSAGE ", " RECIPIENT " FROM %s WHERE"
	    " %c.mid BETWEEN ?1 AND ?2", p->from, p->from[0]);
	buf_add(&sql, buf_slice(&p->where));
	buf_addf(&sql, " ORDER BY %c.mid DESC, r.rcpt", p->from[0]);
	buf_addc(&sql, '\0');
	return sql.ptr;
}

/* --- asking -------------------------------------------------------------- */

static int
strength(struct slice verdict)
{
	static const char *const order[] = { "accept", "tempfail",
	    "quarantine", "discard", "reject" };

	for (int i = 0; i < 5; i++)
		if (slice_eq(verdict, slice_of(order[i])))
			return i;
	return -1;
}

static void
strongest(void *arg, const struct track_finding *f)
{
	struct track_finding *best = arg;

	if (best->module.len == 0 ||
	    strength(f->verdict) > strength(best->verdict) ||
	    (best->virus.len == 0 && f->virus.len > 0))
		*best = *f;
}

struct asking {
	struct db *db;
	bool (*visit)(void *arg, const struct track_found *found);
	void *arg;
	struct arena *a;
	unsigned left;
	int64_t last;			/* mid of the row before, */
	struct slice last_rcpt;		/* and its recipient */
	bool stopped;
};

static bool
give(struct asking *s, struct db_query *q)
{
	struct track_found *f = arena_alloc(s->a, sizeof *f);

	message_row(q, &f->m, s->a);
	recipient_row(q, R, &f->r, s->a);
	f->has_rcpt = f->r.rcpt.ptr != NULL;
	/* Two findings of a message may both have driven here. */
	if (f->m.mid == s->last && slice_eq(f->r.rcpt, s->last_rcpt))
		return true;
	s->last = f->m.mid;
	s->last_rcpt = f->r.rcpt;
	search_findings(s->db, f->m.mid, strongest, &f->decided, s->a);
	s->stopped = !s->visit(s->arg, f) || --s->left == 0;
	return !s->stopped;
}

static enum rc
one_day(struct asking *s, const struct plan *p, const char *sql, int64_t day,
    int64_t from, int64_t to)
{
	struct db_query *q = db_query(s->db, sql);
	int64_t first = track_mid(day * TRACK_DAY_MS);
	int64_t end = track_mid((day + 1) * TRACK_DAY_MS) - 1;
	enum db_step step;

	db_int(q, 1, from > first ? from : first);
	db_int(q, 2, to < end ? to : end);
	db_int(q, 3, day);
	for (int i = 0; i < p->count; i++)
		db_text(q, FIRST + i, p->values[i]);
	while ((step = db_next(q)) == DB_ROW)
		if (!give(s, q))
			break;
	db_done(q);
	return step == DB_FAILED ? RC_RETRY : RC_OK;
}

static int64_t
edge(struct db *db, const char *sql)
{
	struct db_query *q = db_query(db, sql);
	int64_t mid = -1;

	if (db_next(q) == DB_ROW && !db_column_null(q, 0))
		mid = db_column_int(q, 0);
	db_done(q);
	return mid;
}

enum rc
search_run(struct db *db, const struct track_query *query,
    bool (*visit)(void *arg, const struct track_found *found), void *arg,
    struct arena *a, struct slice *why_r)
{
	struct asking s = { .db = db, .visit = visit, .arg = arg, .a = a,
	    .left = query->limit > 0 ? query->limit : 1, .last = -1 };
	struct plan p = { .a = a };
	const char *sql = question(&p, query);
	int64_t from = track_mid(query->since);
	int64_t to = query->until > 0 ? track_mid(query->until + 1) - 1 :
	    INT64_MAX, oldest, newest;
	enum rc rc = RC_OK;

	oldest = edge(db, "SELECT min(mid) FROM message");
	newest = edge(db, "SELECT max(mid) FROM message");
	if (query->before != 0 && query->before < to)
		to = query->before;
	if (oldest > from)
		from = oldest;
	if (newest < to)
		to = newest;
	for (int64_t day = stamp_day(track_ms(to)); rc == RC_OK && oldest >= 0
	    && !s.stopped && day >= stamp_day(track_ms(from)); day--)
		rc = one_day(&s, &p, sql, day, from, to);
	return rc == RC_OK ? RC_OK : db_trouble(db, a, why_r);
}

/* --- one message --------------------------------------------------------- */

bool
search_message(struct db *db, int64_t mid, struct track_message *m_r,
    struct arena *a)
{
	struct db_query *q = db_query(db, "SELECT " MESSAGE
	    " FROM message m WHERE m.mid = ?1");
	bool found;

	db_int(q, 1, mid);
	found = db_next(q) == DB_ROW;
	if (found)
		message_row(q, m_r, a);
	db_done(q);
	return found;
}

void
search_recipients(struct db *db, int64_t mid,
    void (*visit)(void *arg, const struct track_recipient *r), void *arg,
    struct arena *a)
{
	struct db_query *q = db_query(db, "SELECT " RECIPIENT
	    " FROM recipient r WHERE r.mid = ?1 ORDER BY r.rcpt");

	db_int(q, 1, mid);
	while (db_next(q) == DB_ROW) {
		struct track_recipient r;

		recipient_row(q, 0, &r, a);
		visit(arg, &r);
	}
}

void
search_findings(struct db *db, int64_t mid,
    void (*visit)(void *arg, const struct track_finding *f), void *arg,
    struct arena *a)
{
	struct db_query *q = db_query(db, "SELECT t, module, action, verdict,"
	    " rule, cause, virus, object, raw FROM finding WHERE mid = ?1"
	    " ORDER BY t, fid");

	db_int(q, 1, mid);
	while (db_next(q) == DB_ROW) {
		struct track_finding f = { .t = db_column_int(q, 0) };
		struct slice *texts[] = { &f.module, &f.action, &f.verdict,
		    &f.rule, &f.cause, &f.virus, &f.object, &f.raw };

		for (int i = 0; i < 8; i++)
			*texts[i] = db_column(q, 1 + i, a);
		visit(arg, &f);
	}
}

void
search_steps(struct db *db, int64_t mid,
    void (*visit)(void *arg, const struct track_step *s), void *arg,
    struct arena *a)
{
	struct db_query *q = db_query(db, "SELECT t, what, rcpt, text"
	    " FROM step WHERE mid = ?1 ORDER BY t, sid");

	db_int(q, 1, mid);
	while (db_next(q) == DB_ROW) {
		struct track_step s = { .t = db_column_int(q, 0),
		    .what = db_column(q, 1, a), .rcpt = db_column(q, 2, a),
		    .text = db_column(q, 3, a) };

		visit(arg, &s);
	}
}

/* --- by any of its names ------------------------------------------------- */

static size_t
add(int64_t mids[SEARCH_RELATED], size_t count, int64_t mid)
{
	for (size_t i = 0; i < count; i++)
		if (mids[i] == mid)
			return count;
	if (count == SEARCH_RELATED)
		return count;
	mids[count] = mid;
	return count + 1;
}

static size_t
add_rows(struct db_query *q, int64_t mids[SEARCH_RELATED], size_t count)
{
	while (db_next(q) == DB_ROW)
		count = add(mids, count, db_column_int(q, 0));
	return count;
}

size_t
search_messages(struct db *db, struct slice name,
    int64_t mids[SEARCH_RELATED])
{
	int64_t oldest = edge(db, "SELECT min(mid) FROM message");
	int64_t day = stamp_day(track_ms(edge(db,
	    "SELECT max(mid) FROM message")));
	struct db_query *q = db_query(db, "SELECT mid FROM object"
	    " WHERE object = ?1 LIMIT 50");
	size_t count;

	db_text(q, 1, name);
	count = add_rows(q, mids, 0);
	for (; oldest >= 0 && day >= stamp_day(track_ms(oldest)) &&
	    count < SEARCH_RELATED; day--) {
		q = db_query(db, "SELECT mid FROM message WHERE day = ?1 AND"
		    " qid = ?2 UNION SELECT mid FROM message WHERE day = ?1"
		    " AND gid = ?2 UNION SELECT mid FROM message WHERE"
		    " day = ?1 AND msgid = ?2 LIMIT 50");
		db_int(q, 1, day);
		db_text(q, 2, name);
		count = add_rows(q, mids, count);
	}
	return count;
}

/* Ids are looked for near in time: short ones come again. */
static size_t
called(struct db *db, const char *sql, struct slice id, int64_t day,
    int64_t mids[SEARCH_RELATED], size_t count)
{
	for (int64_t d = day - 6; id.len > 0 && d <= day + 6; d++) {
		struct db_query *q = db_query(db, sql);

		db_int(q, 1, d);
		db_text(q, 2, id);
		count = add_rows(q, mids, count);
	}
	return count;
}

struct next_ids {
	struct slice ids[SEARCH_RELATED];
	size_t count;
};

static void
take_next(void *arg, const struct track_recipient *r)
{
	struct next_ids *n = arg;

	if (r->next.len > 0 && n->count < SEARCH_RELATED)
		n->ids[n->count++] = r->next;
}

static size_t
relatives(struct db *db, int64_t mid, int64_t mids[SEARCH_RELATED],
    size_t count)
{
	static const char by_id[] = "SELECT mid FROM message WHERE day = ?1"
	    " AND qid = ?2";
	struct arena *a = arena_new();
	struct next_ids *next = arena_alloc(a, sizeof *next);
	int64_t day = stamp_day(track_ms(mid));
	struct track_message m;

	if (search_message(db, mid, &m, a)) {
		count = called(db, by_id, m.parent, day, mids, count);
		count = called(db, "SELECT mid FROM message WHERE day = ?1"
		    " AND parent = ?2", m.qid, day, mids, count);
		count = called(db, "SELECT mid FROM recipient WHERE day = ?1"
		    " AND next = ?2", m.qid, day, mids, count);
		search_recipients(db, mid, take_next, next, a);
		for (size_t i = 0; i < next->count; i++)
			count = called(db, by_id, next->ids[i], day, mids,
			    count);
	}
	arena_free(a);
	return count;
}

size_t
search_related(struct db *db, int64_t mids[SEARCH_RELATED], size_t count)
{
	for (size_t i = 0; i < count; i++)
		count = relatives(db, mids[i], mids, count);
	for (size_t i = 1; i < count; i++)
		for (size_t j = i; j > 0 && mids[j - 1] > mids[j]; j--) {
			int64_t mid = mids[j];

			mids[j] = mids[j - 1];
			mids[j - 1] = mid;
		}
	return count;
}
