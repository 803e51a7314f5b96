/*
 * report - one log line and one journal event a message a filter
 *
 * Both are printed from the verdict that was applied, so they cannot
 * disagree with what happened.
 */
#ifndef MILTER_REPORT_H
#define MILTER_REPORT_H

#include "milter/filter.h"

struct held;
struct journal;
struct mark;

struct report {
	const struct job *job;
	const struct plan *plan;	/* what the filter decided */
	const struct verdict *applied;	/* what was answered for the message */
	const struct verdict *each;	/* of each recipient; NULL: the same */
	const struct held *held;	/* those that are durable were written,
					   whatever was answered in the end */
	const struct held *files;	/* the same, for those who get it */
	const struct mark *release;	/* what it was let through by, or NULL */
	unsigned pass;			/* of a message that is split; else 0 */
	const char *form;		/* class of its recipients, or NULL */
	bool chain;			/* the line names the filter */
	int64_t us;			/* microseconds of ask and decide */
	uint64_t size;			/* of the message; 0: not seen */
};

/* ISO 8601 with milliseconds, UTC, as ECS wants @timestamp. */
struct slice report_timestamp(struct arena *a);
/* name[address], as Postfix writes a client. */
struct slice report_client(struct arena *a, const struct client *c);
void report_message(const struct report *r, struct journal *journal);

#endif
