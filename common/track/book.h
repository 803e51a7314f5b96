/*
 * book - lines and events become messages
 *
 * The one that writes track.db puts what it reads into a book, in the order of
 * time as well as it can, and flushes it at the end of each batch:
 *
 *	db_begin; book_line ... book_event ... book_flush; places; db_commit
 *
 * Between two flushes a book keeps what it touched; after one it remembers
 * nothing, so when a batch fails there is nothing to be taken back but the
 * transaction (book_forget), and the batch is read again.
 *
 * book_line	one line of Postfix's log
 * book_event	one event of a journal (journal/event.h), and its line
 * book_flush	writes. The first trouble since the last flush: RC_RETRY, or
 *		RC_BAD for a damaged file
 * book_sweep	what was begun and never queued, with nothing said of it for
 *		BOOK_ABANDON of the log's own time, was given up by the client;
 *		at most `limit` of them. Call it within a batch
 *
 * A queue id comes again when it is short, so lines and events find their
 * message by id and time: the one that has the id now; else one that was
 * closed at most BOOK_LATE before, for journals and logs are read side by
 * side. A new client=, pickup or message-id= line always begins a new one.
 *
 * Each thing that a SIEM may want to hear is given to `emit` at the flush,
 * when the message is known as well as it will be: the JSON of the outbox is
 * made by common/track/emit.c. NULL: none is wanted.
 */
#ifndef TRACK_BOOK_H
#define TRACK_BOOK_H

#include <jansson.h>

#include "track/db.h"
#include "track/postfix.h"

enum {
	BOOK_ABANDON = 2 * 3600 * 1000,	/* ms; over Postfix's time-outs */
	BOOK_LATE = 120 * 1000,		/* ms */
	BOOK_STEPS = 200,		/* of a message in one batch */
	BOOK_VALUE = 2000,		/* bytes of a field that is kept */
};

/* What is known of a message. Absent: not known. */
struct track_message {
	int64_t mid, last;		/* last: ms, when it was named last */
	enum track_state state;
	struct slice instance, service, qid, gid, parent, relation, direction,
	    sender, msgid, subject, client, ip, helo, user, tls;
	int64_t size, nrcpt;		/* -1: not known */
};

/* One thing that happened, for the SIEM. */
struct track_emit {
	const struct track_message *message;
	int64_t t;			/* ms */
	bool fate;			/* of a recipient; else a finding */
	enum track_end end;
	struct slice rcpt, orig, relay, dsn, reply, next, tls;
	const json_t *event;		/* of a finding */
};

struct track_book;

struct track_book *book_new(struct db *db, bool subjects,
    enum rc (*emit)(void *arg, const struct track_emit *e), void *arg);
void book_line(struct track_book *b, const struct postfix_line *l);
void book_event(struct track_book *b, const json_t *event, struct slice line,
    int64_t ms);
enum rc book_flush(struct track_book *b);
void book_forget(struct track_book *b);
enum rc book_sweep(struct track_book *b, unsigned limit);
/* Messages, recipients and findings that were new, since book_new. */
uint64_t book_written(const struct track_book *b);
void book_free(struct track_book *b);

#endif
