/*
 * record - a line of an object's log: what happened to its rows
 *
 * ID.log stands beside the object and is only ever appended to. Whatever
 * changes in the index is first a line in it, synced; then the same record is
 * applied to the index. So the logs alone make the index again, row for row.
 *
 *	adopted		the object came in, or came again: its facts, and a row
 *			for each recipient that is now held (or deleted, where
 *			it is a mere record of mail that was never kept)
 *	moved		a row went from one state to another, or stays held and
 *			something is noted about it
 *	hold		legal hold set or lifted; recipient absent: all rows
 *	expires		another time to expire
 *	bodyless	the message itself was removed
 *
 * record_write	one JSON object and a newline
 * record_read	RC_BAD: no such line (torn, foreign, of a later kind)
 * record_apply	to the index. *done_r: it did something. A record that was
 *		applied before, or does not fit what is there, does nothing
 *
 * Text lives in the arena.
 */
#ifndef STORE_RECORD_H
#define STORE_RECORD_H

#include "base/buf.h"
#include "store/index.h"

enum record_kind { RECORD_ADOPTED, RECORD_MOVED, RECORD_HOLD, RECORD_EXPIRES,
    RECORD_BODYLESS, RECORD_KINDS };

enum { RECORD_LINE = 4 << 20 };		/* bytes of a line */

struct record_row {
	struct slice recipient;
	enum store_state state;		/* held or deleted */
	int64_t expires;
};

struct record {
	enum record_kind kind;
	int64_t time;
	struct slice actor;
	struct store_object object;	/* adopted: all; else its id only */
	struct record_row *rows;	/* adopted */
	size_t nrows;
	struct slice recipient;		/* the others */
	enum store_state from, to;	/* moved */
	struct store_change change;	/* moved; expires */
	bool on;			/* hold */
};

void record_write(struct buf *out, const struct record *r);
enum rc record_read(struct slice line, struct slice id, struct arena *a,
    struct record *r_r);
enum rc record_apply(struct store_index *x, const struct record *r,
    struct arena *a, bool *done_r);

#endif
