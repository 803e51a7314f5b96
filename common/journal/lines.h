/*
 * lines - the bytes of a journal as events; used by journal_each
 *
 * Fed in pieces of any size. visit gets each whole line (one JSON object),
 * valid during the call. Empty lines are nothing; what else is no object, or
 * over JOURNAL_LINE, is counted as torn.
 */
#ifndef JOURNAL_LINES_H
#define JOURNAL_LINES_H

#include "base/buf.h"

struct lines {
	bool (*visit)(struct slice line, void *arg);
	void *arg;
	size_t torn;
	bool stopped;			/* visit said so */
	struct buf held;		/* a line that is not over yet */
	bool too_long;			/* this line is passed over */
};

void lines_feed(struct lines *l, struct slice bytes);
/* The file is over: what is held is a line too. */
void lines_end(struct lines *l);
void lines_free(struct lines *l);

#endif
