/* What each line of Postfix's log says of a message. */
#include "track/book-part.h"

/* "in postfix 4711": one session a process at a time. */
static struct slice
session_name(struct track_book *b, const struct postfix_line *l, bool in)
{
	return arena_printf(b->arena, "%s %.*s %.*s", in ? "in" : "out",
	    SLICE_ARG(slice_sub(l->instance, 0, 100)),
	    SLICE_ARG(slice_sub(l->pid, 0, 20)));
}

static void
tls_seen(struct track_book *b, const struct postfix_line *l, bool in)
{
	struct session *s = part_session(b, session_name(b, l, in));

	s->t = l->time;
	s->peer = arena_copy(b->arena, in ? l->ip : l->relay);
	s->tls = arena_printf(b->arena, "%.*s %.*s", SLICE_ARG(slice_sub(
	    l->action, 0, 20)), SLICE_ARG(slice_sub(l->text, 0, 200)));
	s->gone = false;
	s->dirty = true;
}

/* What connection this is said on; empty: none with TLS. */
static struct slice
tls_of(struct track_book *b, const struct postfix_line *l, bool in)
{
	struct session *s = part_session(b, session_name(b, l, in));
	bool same = !s->gone && slice_eq(s->peer, in ? l->ip : l->relay) &&
	    l->time - s->t < BOOK_ABANDON;

	return same ? s->tls : SLICE_NONE;
}

static void
client_is(struct track_book *b, struct live *m, const struct postfix_line *l)
{
	part_set(b, m, &m->m.client, l->client);
	part_set(b, m, &m->m.ip, l->ip);
	part_set(b, m, &m->m.helo, l->helo);
}

static void
client(struct track_book *b, const struct postfix_line *l)
{
	struct live *m = part_message(b, l->id, l->instance, l->time, PART_NEW);

	client_is(b, m, l);
	part_set(b, m, &m->m.service, l->service);
	part_set(b, m, &m->m.user, l->user);
	part_set(b, m, &m->m.tls, tls_of(b, l, true));
	if (l->orig_id.len > 0) {
		part_set(b, m, &m->m.parent, l->orig_id);
		part_set(b, m, &m->m.relation, SLICE("came through"));
	}
}

static void
pickup(struct track_book *b, const struct postfix_line *l)
{
	struct live *m = part_message(b, l->id, l->instance, l->time, PART_NEW);

	part_set(b, m, &m->m.service, SLICE("pickup"));
	part_set(b, m, &m->m.user, arena_printf(b->arena, "uid %.*s",
	    SLICE_ARG(slice_sub(l->user, 0, 20))));
	part_set(b, m, &m->m.sender, l->from);
	if (l->orig_id.len > 0) {
		part_set(b, m, &m->m.parent, l->orig_id);
		part_set(b, m, &m->m.relation, SLICE("requeued from"));
	}
}

/* Mail that Postfix makes itself begins with this line; so does one whose
 * client= line was not seen. */
static void
message_id(struct track_book *b, const struct postfix_line *l)
{
	struct live *m = part_message(b, l->id, l->instance, l->time,
	    PART_JOIN);

	if (m->m.msgid.len > 0 && m->m.state != TRACK_OPEN)
		m = part_message(b, l->id, l->instance, l->time, PART_NEW);
	part_set(b, m, &m->m.msgid, l->text);
}

/* "554 5.7.1 ..." or "5.7.1 ...": for good or not? */
static enum track_end
refusal(struct slice text)
{
	return text.len > 0 && text.ptr[0] == '4' ? TRACK_END_TEMPFAILED :
	    TRACK_END_REJECTED;
}

static void
refused_recipient(struct track_book *b, struct live *m,
    const struct postfix_line *l)
{
	const struct part_end p = { .rcpt = l->to, .reply = l->text,
	    .t = l->time, .delay = -1, .end = refusal(l->text) };

	part_recipient(b, m, &p);
}

static bool
is(struct slice s, const char *word)
{
	return slice_eq(s, slice_of(word));
}

static void
reject(struct track_book *b, const struct postfix_line *l)
{
	bool command = is(l->stage, "RCPT") || is(l->stage, "VRFY") ||
	    is(l->stage, "ETRN");
	struct live *m = l->id.len == 0 ?
	    part_lone(b, l->time, TRACK_REFUSED) :
	    part_message(b, l->id, l->instance, l->time, PART_JOIN);

	client_is(b, m, l);
	part_set(b, m, &m->m.instance, l->instance);
	part_set(b, m, &m->m.service, l->service);
	if (l->has_from)
		part_set(b, m, &m->m.sender, l->from);
	part_step(b, m, l->time, arena_printf(b->arena, "%.*s %.*s",
	    SLICE_ARG(slice_sub(l->action, 0, 20)),
	    SLICE_ARG(slice_sub(l->stage, 0, 40))).ptr,
	    l->has_to ? l->to : SLICE_NONE, l->text);
	/* Others of the same message may go on. */
	if (l->id.len > 0 && command) {
		if (l->has_to)
			refused_recipient(b, m, l);
		return;
	}
	if (l->has_to)
		refused_recipient(b, m, l);
	if (l->id.len > 0)
		part_rest(b, m, l->time, refusal(l->text), l->text);
	part_state(m, TRACK_REFUSED);
}

static void
held(struct track_book *b, const struct postfix_line *l, const char *what)
{
	struct live *m = part_message(b, l->id, l->instance, l->time,
	    PART_JOIN);

	if (l->has_from)
		part_set(b, m, &m->m.sender, l->from);
	client_is(b, m, l);
	part_state(m, TRACK_HELD);
	if (l->has_to)
		part_named(b, m, l->to, l->time, TRACK_END_QUEUED);
	/* A milter that asks for a hold has said "quarantine" before. */
	if (l->action.len > 0) {
		struct db_query *q = db_query(b->db, "UPDATE recipient SET"
		    " fate = ?2 WHERE mid = ?1 AND fate = ?3");

		db_int(q, 1, m->m.mid);
		db_int(q, 2, TRACK_END_QUEUED);
		db_int(q, 3, TRACK_END_QUARANTINED);
		part_run(b, q);
	}
	part_rest(b, m, l->time, TRACK_END_HELD, l->text);
	part_step(b, m, l->time, what, SLICE_NONE, l->text);
}

static void
discarded(struct track_book *b, const struct postfix_line *l)
{
	struct live *m = part_message(b, l->id, l->instance, l->time,
	    PART_JOIN);

	if (l->has_from)
		part_set(b, m, &m->m.sender, l->from);
	if (l->has_to)
		part_named(b, m, l->to, l->time, TRACK_END_QUEUED);
	part_rest(b, m, l->time, TRACK_END_DISCARDED, l->text);
	part_step(b, m, l->time, "discarded", SLICE_NONE, l->text);
	part_state(m, TRACK_DONE);
}

static void
queued(struct track_book *b, const struct postfix_line *l)
{
	struct live *m = part_message(b, l->id, l->instance, l->time,
	    PART_JOIN);

	/* The envelope as it is now counts more than what clients said. */
	m->m.sender = SLICE_NONE;
	part_set(b, m, &m->m.sender, l->from);
	m->m.size = (int64_t)l->size;
	m->m.nrcpt = (int64_t)l->nrcpt;
	part_state(m, TRACK_QUEUED);
}

static void
expired(struct track_book *b, const struct postfix_line *l)
{
	struct live *m = part_message(b, l->id, l->instance, l->time,
	    PART_JOIN);

	part_rest(b, m, l->time, TRACK_END_EXPIRED, SLICE_NONE);
	part_step(b, m, l->time, "expired", SLICE_NONE, l->text);
}

/* postsuper and qmgr: no more of this file. */
static void
gone(struct track_book *b, const struct postfix_line *l, enum track_end rest,
    const char *what)
{
	struct live *m = part_message(b, l->id, l->instance, l->time,
	    PART_JOIN);

	part_rest(b, m, l->time, rest, SLICE_NONE);
	if (what != NULL)
		part_step(b, m, l->time, what, SLICE_NONE, SLICE_NONE);
	if (m->m.state != TRACK_REFUSED)
		part_state(m, TRACK_DONE);
}

static void
released(struct track_book *b, const struct postfix_line *l)
{
	struct live *m = part_message(b, l->id, l->instance, l->time,
	    PART_JOIN);

	part_rest(b, m, l->time, TRACK_END_QUEUED, SLICE_NONE);
	part_step(b, m, l->time, "released from hold", SLICE_NONE, SLICE_NONE);
	part_state(m, TRACK_QUEUED);
}

static enum track_end
end_of(struct slice status)
{
	static const struct { const char *word; enum track_end end; } words[] =
	{
		{ "sent", TRACK_END_SENT }, { "deferred", TRACK_END_DEFERRED },
		{ "bounced", TRACK_END_BOUNCED },
		{ "expired", TRACK_END_EXPIRED },
		{ "SOFTBOUNCE", TRACK_END_DEFERRED },
		{ "deliverable", TRACK_END_PROBED },
		{ "undeliverable", TRACK_END_PROBED },
	};

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (is(status, words[i].word))
			return words[i].end;
	return TRACK_END_UNKNOWN;
}

static void
delivery(struct track_book *b, const struct postfix_line *l)
{
	struct live *m = part_message(b, l->id, l->instance, l->time,
	    PART_JOIN);
	const struct part_end p = { .rcpt = l->to, .orig = l->orig_to,
	    .relay = l->relay, .dsn = l->dsn, .reply = l->text,
	    .next = l->next_id, .t = l->time, .delay = l->delay_ms,
	    .end = end_of(l->status), .tls = tls_of(b, l, false) };

	if (m->m.state == TRACK_OPEN)
		part_state(m, TRACK_QUEUED);
	part_recipient(b, m, &p);
	if (p.end == TRACK_END_DEFERRED)
		part_step(b, m, l->time, "deferred", l->to, l->text);
}

static void
notice(struct track_book *b, const struct postfix_line *l)
{
	struct live *m = part_message(b, l->id, l->instance, l->time,
	    PART_JOIN), *child;

	part_step(b, m, l->time, arena_printf(b->arena, "%.*s notification",
	    SLICE_ARG(slice_sub(l->text, 0, 60))).ptr, SLICE_NONE, l->next_id);
	child = part_message(b, l->next_id, l->instance, l->time, PART_JOIN);
	part_set(b, child, &child->m.parent, l->id);
	part_set(b, child, &child->m.relation, l->text);
}

static void
session_over(struct track_book *b, const struct postfix_line *l)
{
	struct session *s = part_session(b, session_name(b, l, true));

	s->gone = true;
}

static void
subject(struct track_book *b, const struct postfix_line *l)
{
	struct live *m;

	if (!b->subjects)
		return;
	m = part_message(b, l->id, l->instance, l->time, PART_JOIN);
	part_set(b, m, &m->m.subject, l->text);
}

static void
note(struct track_book *b, const struct postfix_line *l, const char *what)
{
	part_step(b, part_message(b, l->id, l->instance, l->time, PART_JOIN),
	    l->time, what, SLICE_NONE, SLICE_NONE);
}

void
book_line(struct track_book *b, const struct postfix_line *l)
{
	if (l->time > b->newest)
		b->newest = l->time;
	switch (l->kind) {
	case POSTFIX_ALIEN:
	case POSTFIX_OTHER:		break;
	case POSTFIX_CONNECT:
	case POSTFIX_DISCONNECT:	session_over(b, l); break;
	case POSTFIX_TLS_IN:		tls_seen(b, l, true); break;
	case POSTFIX_TLS_OUT:		tls_seen(b, l, false); break;
	case POSTFIX_CLIENT:		client(b, l); break;
	case POSTFIX_PICKUP:		pickup(b, l); break;
	case POSTFIX_MESSAGE_ID:	message_id(b, l); break;
	case POSTFIX_SUBJECT:		subject(b, l); break;
	case POSTFIX_REJECT:		reject(b, l); break;
	case POSTFIX_HOLD:		held(b, l, "held"); break;
	case POSTFIX_DISCARD:		discarded(b, l); break;
	case POSTFIX_QUEUED:		queued(b, l); break;
	case POSTFIX_EXPIRED:		expired(b, l); break;
	case POSTFIX_REMOVED:		gone(b, l, TRACK_END_UNKNOWN, NULL);
					break;
	case POSTFIX_STATUS:		delivery(b, l); break;
	case POSTFIX_NOTICE:		notice(b, l); break;
	case POSTFIX_PUT_ON_HOLD:	held(b, l, "put on hold"); break;
	case POSTFIX_RELEASED:		released(b, l); break;
	case POSTFIX_DELETED:		gone(b, l, TRACK_END_DELETED,
					    "deleted by postsuper"); break;
	case POSTFIX_REQUEUED:		note(b, l, "requeued"); break;
	}
}
