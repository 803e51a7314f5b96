/* What the files of book.c share; nobody else includes this. */
#ifndef TRACK_BOOK_PART_H
#define TRACK_BOOK_PART_H

#include "base/map.h"
#include "track/book.h"

struct live {
	struct track_message m;
	struct live *next;		/* of the same queue id */
	bool fresh;			/* no row yet */
	bool dirty;
	bool begun;			/* its first line was seen */
	bool pending;			/* has a row in pending */
	unsigned steps;
};

struct session {
	int64_t t;
	struct slice peer, tls;
	bool known;			/* has a row */
	bool gone, dirty;
};

struct emission {
	struct emission *next;
	struct live *live;
	struct track_emit e;
	json_t *event;			/* a reference of ours */
};

struct track_book {
	struct db *db;
	struct arena *arena;		/* of the batch */
	struct map *live;		/* by queue id */
	struct map *sessions;
	struct map *numbers;		/* by ms: mids given in this batch */
	struct emission *first, **last;
	bool subjects;
	enum rc (*emit)(void *arg, const struct track_emit *e);
	void *arg;
	enum rc rc;			/* the first trouble */
	int64_t newest;			/* time of Postfix's log, ms */
	uint64_t written;
};

/* Runs it; trouble is kept for book_flush. */
void part_run(struct track_book *b, struct db_query *q);

enum part_begin { PART_NEW, PART_JOIN, PART_LATE };

/*
 * The message of that id at that time, or a new one. PART_NEW: this line
 * begins one, unless what is there has no beginning yet; PART_JOIN: a line of
 * the log; PART_LATE: an event of a journal.
 */
struct live *part_message(struct track_book *b, struct slice qid,
    struct slice instance, int64_t ms, enum part_begin how);
/* That very one, if this batch has met it; it may not be in the file yet. */
struct live *part_known(struct track_book *b, struct slice qid, int64_t mid);
/* One without an id, closed at once. */
struct live *part_lone(struct track_book *b, int64_t ms,
    enum track_state state);

/* Sets a field of the message, cut and copied, when it is not set yet. */
void part_set(struct track_book *b, struct live *m, struct slice *field,
    struct slice value);
void part_state(struct live *m, enum track_state state);
void part_step(struct track_book *b, struct live *m, int64_t ms,
    const char *what, struct slice rcpt, struct slice text);

/* A recipient and what became of him; empty fields leave what is there. */
struct part_end {
	struct slice rcpt, orig, relay, dsn, reply, next, tls;
	int64_t t, delay;
	enum track_end end;
};
void part_recipient(struct track_book *b, struct live *m,
    const struct part_end *p);
/* Named by somebody, with nothing decided: does not change what is known. */
void part_named(struct track_book *b, struct live *m, struct slice rcpt,
    int64_t ms, enum track_end end);
/* All recipients that are not finished. */
void part_rest(struct track_book *b, struct live *m, int64_t ms,
    enum track_end end, struct slice reply);

void part_emit_fate(struct track_book *b, struct live *m,
    const struct part_end *p);
void part_emit_event(struct track_book *b, struct live *m, int64_t ms,
    const json_t *event);

struct session *part_session(struct track_book *b, struct slice name);

#endif
