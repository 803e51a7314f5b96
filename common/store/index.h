/*
 * index - what is in the quarantine, for whom, and in which state
 *
 * A row is one object (store/object.h) for one recipient. The index is made
 * from the objects and the logs beside them and can be made again from them at
 * any time; nothing is kept in it alone. One process writes (gatehouse-store).
 *
 * A back end is a struct of functions, so that another data base can stand in
 * SQLite's place; t/store-index.c is what each of them must pass.
 *
 *	begin, commit, rollback	one batch; all that is between is written or
 *			nothing of it
 *	object_put	what the index keeps of an object; again for the same
 *			id: time, body, queue id and identity are the new ones,
 *			what else was there stays
 *	object_get	RC_OK and found or not
 *	row_put		a row. *put_r false: there is one that is alive (held or
 *			releasing) with the same content, sender, recipient and
 *			cause class, or one of this object and recipient
 *	row_get		one row, joined with its object
 *	row_same	the newest row of another object with the same content,
 *			sender, recipient and class
 *	move		THE way a state changes: only if it is `from` now and
 *			the table of states allows it. *moved_r says whether
 *	hold		sets or lifts the flag that keeps a row from expiring
 *			and being deleted; recipient absent: all of the object
 *	expire_at	another time to expire
 *	list		rows, newest first, at most filter->limit; visit returns
 *			false to stop. A next page begins behind
 *			filter->before_time, before_id, before_recipient
 *	due		rows of a state whose `expires` (or, releasing,
 *			`try_at`) is not after `until`, oldest first; but for
 *			releasing, none that is on hold
 *	waits		rows of a cause that are held or releasing, those that
 *			came in first before the others (by time, then by queue
 *			id: long ones grow with time)
 *	rows_of		all rows of an object
 *	restricted	is there any row with this content whose cause only an
 *			administrator may release, or one that waits?
 *	log_size	bytes of the object's log that the index knows
 *	ids		all objects whose id begins with prefix, in order
 *	forget		the object and its rows are gone; for a rebuild
 *	stats		see struct
 *	check		is what is stored whole?
 *
 * All return RC_OK, RC_RETRY (locked, disk full) or RC_BAD (damaged), with
 * the reason in `why` of the back end, valid until the next call. Slices of
 * rows live in the arena given. One thread at a time.
 */
#ifndef STORE_INDEX_H
#define STORE_INDEX_H

#include "base/arena.h"
#include "base/rc.h"

enum store_state {
	STORE_HELD = 0,			/* may be released */
	STORE_RELEASING,		/* on its way, or waits for a retry */
	STORE_RELEASED,			/* the next hop said 2xx */
	STORE_DELETED,			/* by somebody, or never kept */
	STORE_EXPIRED,			/* its time was over */
	STORE_NOT_ACCEPTED,		/* refused by Postfix or a later filter
					   after all: the sender has it */
	STORE_STATES
};

/* "held", "releasing", ...; the names stand in logs and answers. */
const char *store_state_name(enum store_state s);
bool store_state_parse(struct slice name, enum store_state *s_r);
/* May a row go from one to the other? */
bool store_may_move(enum store_state from, enum store_state to);

/* Causes whose mail only an administrator may release. */
bool store_restricted(struct slice cause);
/* Causes whose mail waits for a second look, and then goes on by itself: while
 * it does, it is as if it were restricted. */
bool store_waiting(struct slice cause);
/* Two verdicts on the same bytes are one row when their class is the same. */
enum store_class { STORE_CLASS_OPEN = 0, STORE_CLASS_RESTRICTED };
enum store_class store_class_of(struct slice cause);

enum { STORE_ID = 32, STORE_LIST_MAX = 1000 };

struct store_object {
	struct slice id;		/* 32 hex digits */
	struct slice content;		/* SHA-256 of the message, hex */
	bool body;			/* false: only a record of it */
	int64_t time;			/* when it was held (the last time,
					   if it came again), s since 1970 */
	uint64_t size;			/* of the message */
	struct slice sender;		/* reverse-path without <>; "" is <> */
	struct slice queue_id, identity, direction;
	struct slice client_ip, client_name, helo, user;
	struct slice filter, rule, cause, reason;
	struct slice from, subject, message_id;	/* display text, UTF-8 */
	uint64_t log_size;
};

struct store_row {
	struct store_object object;
	struct slice recipient;		/* without <>, as it came */
	enum store_state state;
	bool hold;			/* legal hold */
	int64_t expires;		/* s since 1970: when this state ends */
	int64_t changed;		/* of the state */
	struct slice actor;		/* who changed it */
	struct slice reply;		/* of the next hop, or a reason */
	unsigned tries;			/* releases begun */
	int64_t try_at;			/* releasing: not before */
};

/* Does it wait for a second look, and nobody has judged it? It may go on by
 * itself; what was tried and is held again does not. */
bool store_row_waits(const struct store_row *row);

/* What comes with a new state. */
struct store_change {
	int64_t time;
	struct slice actor, reply;
	unsigned tries;
	int64_t try_at;
	int64_t expires;		/* 0: as it was */
};

/* Absent slices and zeroes ask for nothing. */
struct store_filter {
	struct slice object;		/* id, or its first digits */
	struct slice recipient;		/* whole, any letter case; "@domain" */
	struct slice sender;		/* the same */
	struct slice cause;
	struct slice queue_id, message_id;
	struct slice text;		/* in From or Subject */
	int64_t since, until;		/* of object.time */
	unsigned states;		/* bits 1 << state; 0: all but
					   not-accepted */
	bool only_hold;
	unsigned limit;			/* 0, or over STORE_LIST_MAX: that */
	int64_t before_time;		/* of the last row of the page before */
	struct slice before_id, before_recipient;
};

struct store_stats {
	uint64_t rows[STORE_STATES], bytes[STORE_STATES];
	uint64_t objects, on_hold;
	uint64_t stored;		/* bytes of messages that are there */
	int64_t oldest;			/* held; 0: none */
};

typedef bool store_visit(const struct store_row *row, void *arg);

struct store_index;

struct store_backend {
	const char *name;
	enum rc (*begin)(struct store_index *x);
	enum rc (*commit)(struct store_index *x);
	void (*rollback)(struct store_index *x);
	enum rc (*object_put)(struct store_index *x,
	    const struct store_object *o);
	enum rc (*object_get)(struct store_index *x, struct slice id,
	    struct arena *a, struct store_object *o_r, bool *found_r);
	enum rc (*row_put)(struct store_index *x, const struct store_row *row,
	    bool *put_r);
	enum rc (*row_get)(struct store_index *x, struct slice id,
	    struct slice recipient, struct arena *a, struct store_row *row_r,
	    bool *found_r);
	enum rc (*row_same)(struct store_index *x,
	    const struct store_object *o, struct slice recipient,
	    struct arena *a, struct store_row *row_r, bool *found_r);
	enum rc (*move)(struct store_index *x, struct slice id,
	    struct slice recipient, enum store_state from,
	    enum store_state to, const struct store_change *change,
	    bool *moved_r);
	enum rc (*hold)(struct store_index *x, struct slice id,
	    struct slice recipient, bool on, uint64_t *rows_r);
	enum rc (*expire_at)(struct store_index *x, struct slice id,
	    struct slice recipient, int64_t expires);
	enum rc (*list)(struct store_index *x, const struct store_filter *f,
	    struct arena *a, store_visit *visit, void *arg);
	enum rc (*due)(struct store_index *x, enum store_state state,
	    int64_t until, unsigned limit, struct arena *a,
	    store_visit *visit, void *arg);
	enum rc (*waits)(struct store_index *x, struct slice cause,
	    unsigned limit, struct arena *a, store_visit *visit, void *arg);
	enum rc (*rows_of)(struct store_index *x, struct slice id,
	    struct arena *a, store_visit *visit, void *arg);
	enum rc (*restricted)(struct store_index *x, struct slice content,
	    bool *restricted_r);
	enum rc (*log_size)(struct store_index *x, struct slice id,
	    uint64_t size);
	enum rc (*ids)(struct store_index *x, struct slice prefix,
	    struct arena *a, bool (*visit)(struct slice id, uint64_t log_size,
	    void *arg), void *arg);
	enum rc (*forget)(struct store_index *x, struct slice id);
	enum rc (*stats)(struct store_index *x, struct store_stats *stats_r);
	enum rc (*check)(struct store_index *x, bool whole);
	void (*close)(struct store_index *x);
};

/* An open index; each back end has more behind it. */
struct store_index {
	const struct store_backend *does;
	struct slice why;		/* of the last call that failed */
};

enum store_mode { STORE_WRITE, STORE_READ };

/* SQLite in the file `path`; NULL: in memory, gone when closed. RC_RETRY or
 * RC_BAD as db_open (store/db.h). */
enum rc index_sqlite_open(const char *path, enum store_mode mode,
    struct store_index **x_r, struct arena *a, struct slice *why_r);
/* The file itself, for those who own other tables in it (store/token.h);
 * NULL when another back end is in use. */
struct db *index_sqlite_db(struct store_index *x);

#endif
