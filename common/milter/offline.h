/*
 * offline - the engine without Postfix: a message from a file
 *
 * offline_run plays one SMTP session with one message to a session, as Postfix
 * would show it, and applies the edits to the bytes in memory. Fields that no
 * edit touches keep their exact bytes. What Postfix shows: the header block
 * ends at the first line that is no field (such a line begins the body), a
 * "From " line at the very top is an X-Mailbox-Line field, folds are kept.
 *
 * The result's slices live in the arena.
 */
#ifndef MILTER_OFFLINE_H
#define MILTER_OFFLINE_H

#include "milter/session.h"

struct offline_input {
	struct slice message;		/* CRLF or LF; LF is read as CRLF */
	struct client client;
	struct slice sender;
	const struct slice *recipients;
	size_t nrecipients;
	struct slice queue_id;
};

struct offline_result {
	enum answer answer;
	char code[4];			/* reply; empty when none was set */
	struct slice enhanced, text;
	bool held;
	struct slice held_reason;
	struct slice message;		/* as the filters leave it */
	struct slice body_before, body_after;	/* same slice: not replaced */
	struct slice sender;
	struct slice *recipients;
	size_t nrecipients;
};

void offline_run(struct host *host, const struct offline_input *in,
    struct arena *a, struct offline_result *result_r);

#endif
