/*
 * doctor-queue - what postqueue -j says, counted; pure but for its memory
 *
 * queue_line	one line (a JSON object a message); others are passed over.
 *		Returns false when it has QUEUE_MESSAGES of them
 *
 * arg is a struct queue_count, so that child_lines (child.h) can call it.
 */
#ifndef TOOLS_DOCTOR_QUEUE_H
#define TOOLS_DOCTOR_QUEUE_H

#include "base/slice.h"

enum { QUEUE_LINE = 1 << 20, QUEUE_MESSAGES = 200000 };

struct queue_count {
	size_t messages, held, deferred, active;
	int64_t oldest_held, oldest_deferred;	/* arrival; 0: none */
	char held_id[64];
	int64_t old_before;		/* set before: deferred ones are old */
	size_t deferred_old;
};

bool queue_line(struct slice line, void *arg);

#endif
