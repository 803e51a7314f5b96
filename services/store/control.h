/*
 * control - the socket at which the quarantine is asked
 *
 * STATE/store/sock, a stream of lines: a request (request.h), an answer. The
 * peer is known by his user id alone: root, our own user and `admins` may ask
 * everything; `users` ask as mail users, for one recipient at a time;
 * `sandbox_users` ask what begins with sandbox-, and nothing else. Anybody else
 * is hung up on. An answer is one JSON object in a line:
 *	{"ok":true, ...}	or	{"ok":false,"error":"...","why":"..."}
 * and, for the operation raw, "bytes":N with so many bytes of message behind
 * the line. Fewer than N: the stored message could not be read to its end, and
 * nothing of it may be believed.
 *
 * What is asked is in ops.c; a struct operation a row of its table. A room that
 * brings operations of its own adds a table to op_tables.
 */
#ifndef STORE_CONTROL_H
#define STORE_CONTROL_H

#include "services/store/request.h"
#include "services/store/store.h"
#include "text/json.h"

enum { CONTROL_IDLE_MS = 60 * 1000 };

/* One request while it is answered. */
struct asked {
	struct store *store;
	const struct request *request;
	struct slice actor;		/* who it is, as it is written down */
	bool admin;
	struct arena *arena;
	struct json *answer;		/* an open object, "ok" not yet in it */
	/* raw: what follows the line. */
	struct object *object;
};

/* Who may ask: a mail user's rights are for one recipient; where the request
 * itself is the proof (a token), he need not be named. */
enum asker { ASKER_RECIPIENT = 0, ASKER_ADMIN, ASKER_ANYBODY,
    ASKER_SANDBOX };

/* Puts its part of the answer, or calls asked_fails. */
struct operation {
	const char *name;
	enum asker asker;
	void (*answer)(struct asked *q);
};

extern const struct operation store_operations[];	/* name NULL at end */

void asked_ok(struct asked *q);
void asked_fails(struct asked *q, const char *error, struct slice why);

#endif
