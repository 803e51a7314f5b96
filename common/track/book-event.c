/* What an event of a journal says of a message. */
#include "journal/event.h"
#include "track/book-part.h"

enum { RECIPIENTS = 10000 };		/* of one event */

/* The first of several keys that has a text. */
static struct slice
first_of(const json_t *event, const char *const *keys)
{
	for (; *keys != NULL; keys++) {
		struct slice s = event_text(event, *keys);

		if (s.len > 0)
			return s;
	}
	return SLICE("");
}

static enum track_end
end_of(struct slice verdict)
{
	if (slice_eq(verdict, SLICE("quarantine")))
		return TRACK_END_QUARANTINED;
	if (slice_eq(verdict, SLICE("discard")))
		return TRACK_END_DISCARDED;
	return TRACK_END_NONE;
}

static void
recipients(struct track_book *b, struct live *m, const json_t *event,
    int64_t ms)
{
	const json_t *own = json_object_get(event, "gatehouse.recipients");
	struct slice rcpt, verdict = event_text(event, "gatehouse.verdict");
	json_t *item;
	size_t i;

	/* Those whose verdict is not that of the message come first: what is
	 * said of all must not be said of them. */
	json_array_foreach(own, i, item) {
		struct slice v = event_text(item, "verdict");

		if (i < RECIPIENTS && event_text(item, "address").len > 0)
			part_named(b, m, event_text(item, "address"), ms,
			    end_of(v));
	}
	for (i = 0; i < RECIPIENTS; i++) {
		rcpt = event_item(event, "email.to.address", i);
		if (rcpt.ptr == NULL)
			break;
		if (rcpt.len > 0)
			part_named(b, m, rcpt, ms, json_array_size(own) > 0 ?
			    TRACK_END_NONE : end_of(verdict));
	}
}

static void
text_or_null(struct db_query *q, int at, struct slice s)
{
	if (s.len > 0)
		db_text(q, at, slice_sub(s, 0, BOOK_VALUE));
}

/* Objects of the quarantine: each names its message. */
static void
name_object(struct track_book *b, struct live *m, struct slice object)
{
	struct db_query *q;

	if (object.len == 0 || object.len > 64)
		return;
	q = db_query(b->db, "INSERT OR IGNORE INTO object VALUES(?1, ?2)");
	db_text(q, 1, object);
	db_int(q, 2, m->m.mid);
	part_run(b, q);
}

/* Why something of it was held: the message, else one of its recipients. */
static struct slice
cause_of(const json_t *event)
{
	static const char *const lists[] = { "gatehouse.objects",
	    "gatehouse.recipients" };
	struct slice cause = event_text(event, "gatehouse.cause");
	json_t *item;
	size_t n;

	for (int i = 0; i < 2 && cause.len == 0; i++)
		json_array_foreach(json_object_get(event, lists[i]), n, item)
			if (cause.len == 0)
				cause = event_text(item, "cause");
	return slice_eq(cause, SLICE("none")) ? SLICE("") : cause;
}

static void
keep(struct track_book *b, struct live *m, const json_t *event,
    struct slice line, int64_t ms)
{
	static const char *const virus[] = { "gatehouse.virus",
	    "threat.software.name", NULL };
	struct db_query *q = db_query(b->db, "INSERT INTO finding(mid, day, t,"
	    " module, action, verdict, rule, cause, virus, object, raw)"
	    " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)");
	const json_t *objects = json_object_get(event, "gatehouse.objects");
	struct slice object = event_text(event, "gatehouse.object");
	struct slice verdict = event_text(event, "gatehouse.verdict");

	/* Some were held: that is what this event will be looked for by. */
	if (json_array_size(objects) > 0)
		verdict = SLICE("quarantine");
	if (object.len == 0)
		object = event_text(json_array_get(objects, 0), "id");
	db_int(q, 1, m->m.mid);
	db_int(q, 2, stamp_day(track_ms(m->m.mid)));
	db_int(q, 3, ms);
	text_or_null(q, 4, event_text(event, "event.module"));
	text_or_null(q, 5, event_text(event, "event.action"));
	text_or_null(q, 6, verdict);
	text_or_null(q, 7, event_text(event, "gatehouse.rule"));
	text_or_null(q, 8, cause_of(event));
	text_or_null(q, 9, first_of(event, virus));
	text_or_null(q, 10, object);
	db_text(q, 11, line);
	part_run(b, q);
	name_object(b, m, object);
	for (size_t i = 1; i < json_array_size(objects); i++)
		name_object(b, m, event_text(json_array_get(objects, i),
		    "id"));
	b->written++;
}

/* The message that an object was made from: 0, or its mid. */
static int64_t
mid_of(struct track_book *b, struct slice object)
{
	struct db_query *q = db_query(b->db, "SELECT max(mid) FROM object"
	    " WHERE object = ?1");
	int64_t mid = 0;

	db_text(q, 1, object);
	if (db_next(q) == DB_ROW)
		mid = db_column_int(q, 0);
	db_done(q);
	return mid;
}

static struct live *
by_object(struct track_book *b, const json_t *event, int64_t ms)
{
	int64_t mid = mid_of(b, event_text(event, "gatehouse.object")), last;
	struct slice qid, instance;
	struct db_query *q;
	struct live *m;

	/* Held and released within one batch: it has no row yet. */
	m = part_known(b, event_text(event, "gatehouse.queue_id"), mid);
	if (m != NULL || mid == 0)
		return m;
	q = db_query(b->db, "SELECT qid, instance, last FROM message"
	    " WHERE mid = ?1");
	db_int(q, 1, mid);
	if (db_next(q) != DB_ROW) {
		db_done(q);
		return NULL;
	}
	qid = db_column(q, 0, b->arena);
	instance = db_column(q, 1, b->arena);
	last = db_column_int(q, 2);
	db_done(q);
	return qid.len > 0 ? part_message(b, qid, instance, last < ms ? last :
	    ms, PART_LATE) : NULL;
}

static bool
has_id(struct slice qid)
{
	return postfix_is_id(qid) && !slice_eq(qid, SLICE("NOQUEUE"));
}

static struct live *
message_of(struct track_book *b, const json_t *event, int64_t ms)
{
	struct slice qid = event_text(event, "gatehouse.queue_id");
	struct slice object = event_text(event, "gatehouse.object");
	struct live *m = NULL;

	if (slice_eq(event_text(event, "event.action"), SLICE("message"))) {
		if (has_id(qid))
			return part_message(b, qid, SLICE(""), ms, PART_LATE);
	} else if (object.len > 0) {
		m = by_object(b, event, ms);
	}
	return m != NULL ? m : part_lone(b, ms, TRACK_DONE);
}

/* What the quarantine did with it later: for one recipient, with a reply. */
static void
quarantine(struct track_book *b, struct live *m, const json_t *event,
    int64_t ms)
{
	struct slice rcpt = event_text(event, "email.to.address");
	struct slice reply = event_text(event, "gatehouse.reason");
	struct slice next = postfix_next_id(reply);
	struct db_query *q;

	part_step(b, m, ms, arena_printf(b->arena, "quarantine: %.*s",
	    SLICE_ARG(slice_sub(event_text(event, "gatehouse.state"), 0,
	    40))).ptr, rcpt, reply);
	if (next.len == 0 || rcpt.len == 0)
		return;
	/* It goes on under another id. */
	q = db_query(b->db, "UPDATE recipient SET next = ?3 WHERE mid = ?1"
	    " AND rcpt = ?2");
	db_int(q, 1, m->m.mid);
	db_text(q, 2, rcpt);
	db_text(q, 3, next);
	part_run(b, q);
}

void
book_event(struct track_book *b, const json_t *event, struct slice line,
    int64_t ms)
{
	struct live *m;
	bool message = slice_eq(event_text(event, "event.action"),
	    SLICE("message"));

	/* Postfix's log says the same: who was sent where, and as what. */
	if (slice_eq(event_text(event, "event.action"), SLICE("split")))
		return;
	m = message_of(b, event, ms);
	keep(b, m, event, line, ms);
	part_emit_event(b, m, ms, event);
	/* Who it was about, where no message was its cause too. */
	part_set(b, m, &m->m.ip, event_text(event, "source.ip"));
	if (!slice_eq(event_text(event, "source.domain"), SLICE("unknown")))
		part_set(b, m, &m->m.client, event_text(event,
		    "source.domain"));
	part_set(b, m, &m->m.helo, event_text(event, "gatehouse.helo"));
	if (slice_eq(event_text(event, "event.action"), SLICE("quarantine")))
		quarantine(b, m, event, ms);
	if (!message)
		return;
	part_set(b, m, &m->m.gid, event_text(event, "gatehouse.id"));
	part_set(b, m, &m->m.direction, event_text(event,
	    "network.direction"));
	if (m->m.sender.ptr == NULL)
		part_set(b, m, &m->m.sender, event_text(event,
		    "email.sender.address"));
	part_set(b, m, &m->m.msgid, event_message_id(event));
	if (b->subjects)
		part_set(b, m, &m->m.subject, event_text(event,
		    "email.subject"));
	if (m->m.size < 0)
		m->m.size = event_int(event, "gatehouse.size", -1);
	recipients(b, m, event, ms);
}
