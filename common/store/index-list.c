/* The SQLite back end's lists. */
#include <string.h>

#include "base/buf.h"
#include "store/index-sqlite.h"

/*
 * A list goes along one index, chosen by what is asked for; the other
 * conditions are looked at on the way. A NULL parameter asks for nothing. The
 * unary + keeps SQLite from choosing another index than the one meant.
 *
 *	?1 what the index goes by	?2 bits of states	?3 since
 *	?4 until	?5 cause	?6 text, for LIKE	?7 only on hold
 *	?8 recipient	?9 its domain	?10 sender	?11 its domain
 *	?12 time, ?13 id, ?14 recipient of the last row of the page before
 *	?15 limit	?16 queue id	?17 message-id
 */
#define SELECT	"SELECT " SQLITE_ROW " FROM "
#define ROWS	"rows r CROSS JOIN objects o ON o.num = r.object WHERE "
#define OBJECTS	"objects o CROSS JOIN rows r ON r.object = o.num WHERE "
#define OTHERS \
	" AND (?2 >> r.state) & 1" \
	" AND (?5 IS NULL OR +r.cause = ?5)" \
	" AND (?6 IS NULL OR o.header_from LIKE ?6 ESCAPE '\\'" \
	"  OR o.subject LIKE ?6 ESCAPE '\\')" \
	" AND (?7 IS NULL OR +r.hold = 1)" \
	" AND (?8 IS NULL OR +r.recipient = ?8 COLLATE NOCASE)" \
	" AND (?9 IS NULL OR +r.domain = ?9)" \
	" AND (?10 IS NULL OR +o.sender = ?10 COLLATE NOCASE)" \
	" AND (?11 IS NULL OR +o.sender_domain = ?11)" \
	" AND (?16 IS NULL OR +o.queue_id = ?16)" \
	" AND (?17 IS NULL OR +o.message_id = ?17)"
#define WHEN(t)	" AND " t ".time >= ?3 AND " t ".time <= ?4" \
	" AND (?12 IS NULL OR " t ".time < ?12 OR" \
	"  (r.object, r.recipient) <" \
	"  ((SELECT num FROM objects WHERE id = ?13), ?14))"
#define ORDER(t) \
	" ORDER BY " t ".time DESC, r.object DESC, r.recipient DESC LIMIT ?15"

enum lead { BY_ID, BY_QUEUE_ID, BY_MESSAGE_ID, BY_RECIPIENT, BY_SENDER,
    BY_DOMAIN, BY_SENDER_DOMAIN, BY_HOLD, BY_CAUSE, BY_TIME };

static const char *const lists[] = {
	[BY_ID] = SELECT OBJECTS "o.id >= ?1 AND o.id < ?1 || 'g'" OTHERS
	    WHEN("+r") ORDER("+r"),
	[BY_QUEUE_ID] = SELECT OBJECTS "o.queue_id = ?1" OTHERS
	    WHEN("+r") ORDER("+r"),
	[BY_MESSAGE_ID] = SELECT OBJECTS "o.message_id = ?1" OTHERS
	    WHEN("+r") ORDER("+r"),
	[BY_RECIPIENT] = SELECT ROWS "r.recipient = ?1 COLLATE NOCASE" OTHERS
	    WHEN("r") ORDER("r"),
	[BY_SENDER] = SELECT OBJECTS "o.sender = ?1 COLLATE NOCASE" OTHERS
	    WHEN("o") ORDER("o"),
	[BY_DOMAIN] = SELECT ROWS "r.domain = ?1" OTHERS WHEN("r") ORDER("r"),
	[BY_SENDER_DOMAIN] = SELECT OBJECTS "o.sender_domain = ?1" OTHERS
	    WHEN("o") ORDER("o"),
	[BY_HOLD] = SELECT ROWS "r.hold = 1 AND ?1 IS NULL" OTHERS
	    WHEN("+r") ORDER("+r"),
	[BY_CAUSE] = SELECT ROWS "r.cause = ?1" OTHERS WHEN("r") ORDER("r"),
	[BY_TIME] = SELECT ROWS "?1 IS NULL" OTHERS WHEN("r") ORDER("r"),
};

/* An address, or "@domain" for all of a domain, in lower case. */
static void
part(struct arena *a, struct slice s, struct slice *whole_r,
    struct slice *domain_r)
{
	*whole_r = *domain_r = SLICE_NONE;
	if (slice_starts(s, SLICE("@"))) {
		char *low = arena_str(a, slice_after(s, 1));

		*domain_r = slice_make(low, s.len - 1);
		for (size_t i = 0; i < domain_r->len; i++)
			low[i] = ascii_lower(low[i]);
	} else {
		*whole_r = s;
	}
}

/* For LIKE: anywhere, and its own signs mean themselves. */
static struct slice
pattern(struct arena *a, struct slice text)
{
	struct buf out = buf_in(a);

	if (text.ptr == NULL)
		return SLICE_NONE;
	buf_addc(&out, '%');
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '%' || text.ptr[i] == '_' ||
		    text.ptr[i] == '\\')
			buf_addc(&out, '\\');
		buf_addc(&out, text.ptr[i]);
	}
	buf_addc(&out, '%');
	return buf_slice(&out);
}

struct asked {
	struct slice recipient, domain, sender, sender_domain;
};

static enum lead
choose(const struct store_filter *f, const struct asked *k,
    struct slice *key_r)
{
	const struct { struct slice key; enum lead lead; } best[] = {
		{ f->object, BY_ID }, { f->queue_id, BY_QUEUE_ID },
		{ f->message_id, BY_MESSAGE_ID },
		{ k->recipient, BY_RECIPIENT }, { k->sender, BY_SENDER },
		{ k->domain, BY_DOMAIN },
		{ k->sender_domain, BY_SENDER_DOMAIN },
	};

	for (size_t i = 0; i < sizeof best / sizeof best[0]; i++) {
		*key_r = best[i].key;
		if (key_r->ptr != NULL)
			return best[i].lead;
	}
	*key_r = f->only_hold ? SLICE_NONE : f->cause;
	return f->only_hold ? BY_HOLD : f->cause.ptr != NULL ? BY_CAUSE :
	    BY_TIME;
}

static void
bind(struct db_query *q, const struct store_filter *f,
    const struct asked *k, struct slice like)
{
	unsigned limit = f->limit == 0 || f->limit > STORE_LIST_MAX ?
	    STORE_LIST_MAX : f->limit;
	unsigned states = f->states != 0 ? f->states :
	    ~(1u << STORE_NOT_ACCEPTED);
	int64_t until = f->until != 0 ? f->until : INT64_MAX;

	/* Objects are numbered as they come in, which is not their time: a next
	 * page has nothing newer, whatever its number. */
	if (f->before_id.ptr != NULL && f->before_time < until)
		until = f->before_time;

	db_int(q, 2, states);
	db_int(q, 3, f->since);
	db_int(q, 4, until);
	db_text(q, 5, f->cause);
	db_text(q, 6, like);
	if (f->only_hold)
		db_int(q, 7, 1);
	db_text(q, 8, k->recipient);
	db_text(q, 9, k->domain);
	db_text(q, 10, k->sender);
	db_text(q, 11, k->sender_domain);
	if (f->before_id.ptr != NULL) {
		db_int(q, 12, f->before_time);
		db_text(q, 13, f->before_id);
		db_text(q, 14, f->before_recipient);
	}
	db_int(q, 15, limit);
	db_text(q, 16, f->queue_id);
	db_text(q, 17, f->message_id);
}

static enum rc
each(struct sqlite_index *s, struct db_query *q, struct arena *a,
    store_visit *visit, void *arg)
{
	enum db_step step;

	while ((step = db_next(q)) == DB_ROW) {
		struct store_row row;

		sqlite_row(q, a, &row);
		if (!visit(&row, arg)) {
			db_done(q);
			return RC_OK;
		}
	}
	return step == DB_FAILED ? sqlite_failed(s) : RC_OK;
}

enum rc
sqlite_list(struct store_index *x, const struct store_filter *f,
    struct arena *a, store_visit *visit, void *arg)
{
	struct sqlite_index *s = (struct sqlite_index *)x;
	struct slice key, like = pattern(a, f->text);
	struct db_query *q;
	struct asked k;

	part(a, f->recipient, &k.recipient, &k.domain);
	part(a, f->sender, &k.sender, &k.sender_domain);
	q = db_query(s->db, lists[choose(f, &k, &key)]);
	db_text(q, 1, key);
	bind(q, f, &k, like);
	return each(s, q, a, visit, arg);
}

/* Nothing that is on hold is ever due. */
enum rc
sqlite_due(struct store_index *x, enum store_state state, int64_t until,
    unsigned limit, struct arena *a, store_visit *visit, void *arg)
{
	struct sqlite_index *s = (struct sqlite_index *)x;
	struct db_query *q = state == STORE_RELEASING ? db_query(s->db,
	    "SELECT " SQLITE_ROW " FROM rows r JOIN objects o"
	    " ON o.num = r.object WHERE r.state = 1 AND r.try_at <= ?2"
	    " AND ?1 = 1 ORDER BY r.try_at LIMIT ?3") : db_query(s->db,
	    "SELECT " SQLITE_ROW " FROM rows r JOIN objects o"
	    " ON o.num = r.object WHERE r.state = ?1 AND r.expires <= ?2"
	    " AND r.hold = 0 ORDER BY r.expires LIMIT ?3");

	db_int(q, 1, state);
	db_int(q, 2, until);
	db_int(q, 3, limit);
	return each(s, q, a, visit, arg);
}

enum rc
sqlite_waits(struct store_index *x, struct slice cause, unsigned limit,
    struct arena *a, store_visit *visit, void *arg)
{
	struct sqlite_index *s = (struct sqlite_index *)x;
	struct db_query *q = db_query(s->db, "SELECT " SQLITE_ROW
	    " FROM rows r CROSS JOIN objects o ON o.num = r.object"
	    " WHERE r.cause = ?1 AND r.state < 2"
	    " ORDER BY r.time, o.queue_id, o.num, r.recipient LIMIT ?2");

	db_text(q, 1, cause);
	db_int(q, 2, limit);
	return each(s, q, a, visit, arg);
}

enum rc
sqlite_rows_of(struct store_index *x, struct slice id, struct arena *a,
    store_visit *visit, void *arg)
{
	struct sqlite_index *s = (struct sqlite_index *)x;
	struct db_query *q = db_query(s->db, "SELECT " SQLITE_ROW
	    " FROM objects o JOIN rows r ON r.object = o.num"
	    " WHERE o.id = ?1 ORDER BY r.recipient");

	db_text(q, 1, id);
	return each(s, q, a, visit, arg);
}

enum rc
sqlite_ids(struct store_index *x, struct slice prefix, struct arena *a,
    bool (*visit)(struct slice id, uint64_t log_size, void *arg), void *arg)
{
	struct sqlite_index *s = (struct sqlite_index *)x;
	struct db_query *q = db_query(s->db, "SELECT id, log_size"
	    " FROM objects WHERE id >= ?1 AND id < ?1 || 'g' ORDER BY id");
	enum db_step step;

	db_text(q, 1, prefix.ptr != NULL ? prefix : SLICE(""));
	while ((step = db_next(q)) == DB_ROW) {
		if (!visit(db_column(q, 0, a),
		    (uint64_t)db_column_int(q, 1), arg)) {
			db_done(q);
			return RC_OK;
		}
	}
	return step == DB_FAILED ? sqlite_failed(s) : RC_OK;
}

enum rc
sqlite_stats(struct store_index *x, struct store_stats *st)
{
	struct sqlite_index *s = (struct sqlite_index *)x;
	struct db_query *q = db_query(s->db,
	    "SELECT r.state, count(*), sum(o.size), min(r.time), sum(r.hold)"
	    " FROM rows r JOIN objects o ON o.num = r.object"
	    " GROUP BY r.state");
	enum db_step step;

	memset(st, 0, sizeof *st);
	while ((step = db_next(q)) == DB_ROW) {
		int64_t state = db_column_int(q, 0);

		if (state < 0 || state >= STORE_STATES)
			continue;
		st->rows[state] = (uint64_t)db_column_int(q, 1);
		st->bytes[state] = (uint64_t)db_column_int(q, 2);
		if (state == STORE_HELD)
			st->oldest = db_column_int(q, 3);
		st->on_hold += (uint64_t)db_column_int(q, 4);
	}
	if (step != DB_FAILED) {
		q = db_query(s->db, "SELECT count(*),"
		    " sum(size * body) FROM objects");
		step = db_next(q);
		if (step == DB_ROW) {
			st->objects = (uint64_t)db_column_int(q, 0);
			st->stored = (uint64_t)db_column_int(q, 1);
		}
		db_done(q);
	}
	return step == DB_FAILED ? sqlite_failed(s) : RC_OK;
}
