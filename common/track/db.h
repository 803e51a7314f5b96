/*
 * db - what is kept of each message: STATE/track/track.db
 *
 * One process writes (gatehouse-track), any number read. All of it comes from
 * Postfix's log and the journals: it may be deleted, and is made again from
 * those that are still there. How far each of them was read stands in the
 * same file and is written in the same transaction as what was read, so after
 * a kill -9 nothing is missing and nothing is there twice. For the same reason
 * synchronous=NORMAL is enough: a power cut takes back whole transactions, and
 * with them the places, so that their lines are read again.
 *
 *	message		one a queue file, or a refused command (no queue id)
 *	recipient	its recipients: last known fate
 *	finding		events of the journals, whole
 *	object		which message an object of the quarantine was made from
 *	step		what happened on the way (deferred, held, refused ...)
 *	pending		queue ids in use
 *	session		TLS of connections under way
 *	source		how far each log was read
 *	outbox, sink	events for the SIEM, and how far each sink has them
 *	meta		other things worth remembering
 *
 * mid: milliseconds since 1970 when it was first seen, times 2^20, plus a
 * number. So mids are in the order of time, a range of time is a range of
 * mids, and the table itself is the index by time. Other indexes begin with
 * the day: what is written now stays close together (10 million messages do
 * not slow it down), and a day that goes leaves no holes.
 *
 * track_db_open	RC_RETRY, RC_BAD as db_open; a new file is readable for
 *			the group of the daemon
 * track_key	how addresses are compared: domain@local in lower case, so
 *		that all of a domain stand together. In the arena
 */
#ifndef TRACK_DB_H
#define TRACK_DB_H

#include "store/db.h"

enum { TRACK_SEQ_BITS = 20 };
#define TRACK_DAY_MS	((int64_t)86400 * 1000)

/* Of a message. Names: track_state_name. */
enum track_state {
	TRACK_OPEN = 0,			/* being received */
	TRACK_QUEUED,			/* Postfix has it */
	TRACK_HELD,			/* in its hold queue */
	TRACK_DONE,			/* removed: all is said */
	TRACK_REFUSED,			/* 4xx or 5xx: the client has it */
	TRACK_ABANDONED,		/* the client went away before 250 */
	TRACK_STATES
};

/* Of a recipient; the numbers are in the file. Names: track_fate_name. */
enum track_end {
	TRACK_END_NONE = 0,		/* named by a milter's journal only */
	TRACK_END_QUEUED,
	TRACK_END_SENT,			/* the next hop said 2xx */
	TRACK_END_DEFERRED,
	TRACK_END_HELD,
	TRACK_END_BOUNCED,
	TRACK_END_EXPIRED,		/* tried for too long */
	TRACK_END_REJECTED,		/* 5xx to the client */
	TRACK_END_TEMPFAILED,		/* 4xx to the client */
	TRACK_END_DISCARDED,
	TRACK_END_QUARANTINED,
	TRACK_END_DELETED,		/* by postsuper */
	TRACK_END_REQUEUED,		/* under another id */
	TRACK_END_EXPANDED,		/* an alias: others stand for it */
	TRACK_END_PROBED,		/* an address verification */
	TRACK_END_UNKNOWN,		/* gone, and nobody said how */
	TRACK_ENDS
};

const char *track_state_name(enum track_state s);
const char *track_end_name(enum track_end e);
bool track_end_parse(struct slice name, enum track_end *e_r);
/* Nothing more is to come for him. */
bool track_end_final(enum track_end e);

enum rc track_db_open(const char *state, enum db_mode mode, struct db **db_r,
    struct arena *a, struct slice *why_r);

struct slice track_key(struct arena *a, struct slice address);

static inline int64_t
track_mid(int64_t ms)
{
	return ms << TRACK_SEQ_BITS;
}

static inline int64_t
track_ms(int64_t mid)
{
	return mid >> TRACK_SEQ_BITS;
}

#endif
