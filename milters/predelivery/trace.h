/*
 * trace - has this rule dealt with this message before?
 *
 * Who rewrites, adds or routes can build a loop: what it sends away is
 * forwarded and comes back. So such a message gets a field, X-Gatehouse-Passed,
 * with a mark for each rule that did so: an HMAC over the rule, the Message-ID
 * and the body. A message that comes with it is not sent on by that rule again.
 * The mark names nobody, and fits no other message.
 *
 * trace_begin	of a message; key: of the seal, or empty, then whoever knows a
 *		rule's name can make marks
 * trace_passed	is that rule's mark in it?
 * trace_add	adds it to the field that trace_end inserts
 *
 * A message with more than TRACE_HOPS Received fields is taken for one that
 * goes round, whatever its marks: trace_passed says yes.
 */
#ifndef PREDELIVERY_TRACE_H
#define PREDELIVERY_TRACE_H

#include "base/buf.h"
#include "verdict/plan.h"

#define TRACE_FIELD	"X-Gatehouse-Passed"

enum { TRACE_HOPS = 30, TRACE_MARK = 16, TRACE_FIELDS = 20 };

struct trace {
	const struct message *msg;
	struct arena *arena;
	struct slice key;
	struct slice content;		/* Message-ID and SHA-256 of the body */
	struct buf add;
};

void trace_begin(struct trace *t, const struct message *msg, struct slice key,
    struct arena *a);
bool trace_passed(struct trace *t, struct slice rule);
void trace_add(struct trace *t, struct slice rule);
void trace_end(struct trace *t, struct plan *p);

#endif
