/*
 * told - what each milter reported of a message, kept for printing
 *
 * told_take is a session's witness: it copies what it needs out of the
 * message's arena. told_json and told_text print one milter's part.
 */
#ifndef TOOLS_TOLD_H
#define TOOLS_TOLD_H

#include "milter/report.h"
#include "text/json.h"

struct told_verdict {
	struct slice address;		/* absent: for all recipients */
	const char *verdict, *rule;
	const char *cause;		/* NULL: of none that has one */
	struct slice reason;
	struct slice scope;		/* the level that decided, or empty */
};

struct told_edit {
	struct told_edit *next;
	const char *what;		/* insert, append, change, delete */
	struct slice name, before, after; /* values; absent where none is */
};

struct told_pair {
	struct told_pair *next;
	const char *key;
	struct slice value;
};

struct told {
	struct told *next;
	const char *milter;
	struct told_verdict all, *recipients;	/* as many as the message has */
	size_t nrecipients;		/* 0: none differs */
	struct slice coverage;
	int64_t us;
	struct told_edit *edits;
	struct slice body_diff;		/* empty: the body is as it was */
	struct told_pair *facts, *findings;
};

struct told_list {
	struct arena *a;
	struct told *first, **last;
	enum direction direction;
};

void told_take(void *list, const struct report *report);
/* applied: the edits reached the message; else they are left out. */
void told_json(struct json *w, const struct told *t, bool applied);
void told_text(struct buf *out, struct arena *a, const struct told *t,
    bool applied);

#endif
