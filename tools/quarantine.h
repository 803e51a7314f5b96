/*
 * quarantine - what the verbs quarantine and store share: asking the daemon
 *
 * asking_open	finds the socket (state_directory of gatehouse.conf, or --state)
 *		and connects; 0, or the status that was told
 * asking_ask	sends what `w` wrote since asking_begin; 0 and the answer, whose
 *		"ok" is true; else the status, and why was told
 * asking_get	text of an answer's key as bytes; empty when absent
 * asking_text	the same as it may stand on a terminal: one line, valid UTF-8,
 *		no control, bidi or unseen characters
 */
#ifndef TOOLS_QUARANTINE_H
#define TOOLS_QUARANTINE_H

#include <jansson.h>

#include "base/buf.h"
#include "store/ask.h"
#include "text/json.h"

struct asking {
	struct arena *a;
	const char *config, *state;	/* options */
	struct ask *ask;
	struct buf out;
	struct json w;
	json_t *answer;			/* of the last question */
};

/* The verbs of gatehouse store that are about large files (store-files.c). */
bool store_files_verb(const char *name);
int store_files(int argc, char **argv, struct arena *a);

int asking_state(struct asking *q);
int asking_open(struct asking *q, int64_t ms);
void asking_begin(struct asking *q, const char *op);
void asking_put(struct asking *q, const char *key, const char *text);
int asking_ask(struct asking *q);
void asking_close(struct asking *q);
struct slice asking_get(struct asking *q, const json_t *from,
    const char *key);
const char *asking_text(struct asking *q, const json_t *from,
    const char *key);

#endif
