/*
 * engine - the narrow door between a session of ours and who carries it
 *
 * The session knows nothing of libmilter: it is told events (session.h) and
 * answers through these calls at end of message, and only then. serve.c
 * implements them with libmilter, offline.c with a message in memory; an
 * engine of our own would be a third file beside these two.
 *
 * Values of header fields come and go with their leading space and with CRLF
 * folds; an engine turns them into what its peer wants. index counts fields
 * of the same name from 1. A false return means: the edit did not arrive;
 * the session then answers tempfail.
 */
#ifndef MILTER_ENGINE_H
#define MILTER_ENGINE_H

#include "base/slice.h"

enum answer {
	ANSWER_CONTINUE,		/* accepted: the next filter looks */
	ANSWER_REJECT,			/* with the reply that was set */
	ANSWER_TEMPFAIL,		/* the same */
	ANSWER_DISCARD,
	ANSWER_HELD,			/* taken: the store has it for all */
};

struct engine_ops {
	/* The macro's value, or NULL. */
	const char *(*macro)(void *ctx, const char *name);
	bool (*insert_field)(void *ctx, const char *name, struct slice body);
	bool (*append_field)(void *ctx, const char *name, struct slice body);
	/* body absent: the field is deleted. */
	bool (*change_field)(void *ctx, const char *name, unsigned index,
	    struct slice body);
	bool (*replace_body)(void *ctx, struct slice body);
	bool (*change_sender)(void *ctx, const char *address);
	/* quiet: NOTIFY=NEVER (RFC 3461). */
	bool (*add_recipient)(void *ctx, const char *address, bool quiet);
	bool (*remove_recipient)(void *ctx, const char *address);
	bool (*quarantine)(void *ctx, const char *reason);
	bool (*set_reply)(void *ctx, const char *code, const char *enhanced,
	    const char *text);
};

#endif
