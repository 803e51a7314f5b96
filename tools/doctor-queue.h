/*
 * doctor-queue - what postqueue -j says, counted; pure but for its memory
 *
 * queue_line	one line (a JSON object a message); others are passed over
 * queue_take	any piece of the output, in order; lines may be cut anywhere
 * queue_old	how many of the deferred messages came before that time
 *
 * Bounds: a line of QUEUE_LINE bytes (what is longer is passed over),
 * QUEUE_MESSAGES in all; queue_take returns false when it has those.
 */
#ifndef TOOLS_DOCTOR_QUEUE_H
#define TOOLS_DOCTOR_QUEUE_H

#include "base/buf.h"

enum { QUEUE_LINE = 1 << 20, QUEUE_MESSAGES = 200000 };

struct queue_count {
	struct buf line;		/* what came of the next one */
	bool skip;			/* its rest: it is too long */
	size_t messages, held, deferred, active;
	int64_t oldest_held, oldest_deferred;	/* arrival; 0: none */
	char held_id[64];
	int64_t old_before;		/* set before: deferred ones are old */
	size_t deferred_old;
};

void queue_line(struct queue_count *q, struct slice line);
bool queue_take(struct queue_count *q, struct slice piece);

#endif
