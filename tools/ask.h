/*
 * ask - a question to the store daemon (services/store/control.h)
 *
 * ask_begin	the request of an operation, for more pairs: json_put(&q.w, ...)
 * ask_store	sends it to STATE/store/sock and waits for the answer, a JSON
 *		object. 0: *answer_r is it, "ok" true (the caller's to json_decref);
 *		else the exit status, and what was wrong was told: 75 when the
 *		daemon is not there or has trouble, 78, 1 when it refused.
 *		quiet: a refusal is not told
 *
 * dir is the folder of gatehouse.conf, or NULL; state overrides its
 * state_directory, or NULL.
 */
#ifndef TOOLS_ASK_H
#define TOOLS_ASK_H

#include <jansson.h>

#include "text/json.h"

struct ask {
	struct buf line;
	struct json w;
	const char *dir, *state;
	bool quiet;
	struct arena *a;
};

void ask_begin(struct ask *q, struct arena *a, const char *operation);
int ask_store(struct ask *q, json_t **answer_r);

#endif
