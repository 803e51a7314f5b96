/*
 * hold - who gets the message, and what is kept of it for the others
 *
 * A milter has one answer for all recipients. With a store (store_key) a
 * recipient who is not to get the message is taken out of it, after an object
 * with his copy is durable (store/object.h); the rest goes on:
 *
 *	one is tempfail			tempfail for all, nothing is written
 *	all are reject			reject
 *	some are reject			option mixed_reject: held (with the cause
 *					of the verdict, or else policy), or reject
 *					for all. The same where an earlier filter
 *					has held for somebody
 *	quarantine, discard		an object for each cause and rule (of a
 *					discarded message a record, without its
 *					bytes), then the recipient is removed
 *	nobody is left			objects, then the message is taken: 250,
 *					and Postfix discards it. Its last recipient
 *					is never removed (PITFALLS L11)
 *
 * An address that comes twice counts once: Postfix removes both. Recipients
 * that Postfix itself refused (mailer "error") count for nothing.
 *
 * Without a store the message goes on hold in Postfix as a whole (rule "mixed"
 * where recipients differ).
 *
 * hold_settle	what the plan means for the message; fills in the outcome's
 *		verdict, each, held and addresses. Pure
 * hold_write	writes all that is held: NULL when every object is durable, else
 *		why not, for the log; the answer is then tempfail. What was
 *		written before the failure stays: the retry has the same id
 * hold_durable	is all that these filters hold on disk? Asked again where a
 *		message is taken or a recipient removed
 * hold_unread	the same as hold_write for a message that nobody may read (poison): its raw
 *		bytes without fields of our names, for all recipients
 * hold_content	sets the seal's content hash, unless an earlier filter has: of
 *		all bytes as the first filter saw them, for what it names is
 *		counted once. False: it cannot be made
 * hold_in_store	is there a store, and did the engine bring what it needs?
 */
#ifndef MILTER_HOLD_H
#define MILTER_HOLD_H

#include "milter/state.h"
#include "store/object.h"

struct held {
	struct held *next;
	struct object_meta meta;
	const struct message *msg;	/* as the filter found it */
	struct slice bytes;		/* of a file (files.h) */
	bool durable;			/* the object is on disk */
	bool merged;			/* and had been there */
};

bool hold_in_store(const struct session *s);
/* For whom there is nobody yet; all but what the message's own bytes say. */
struct held *hold_new(struct session *s, const struct envelope *e,
    const char *filter, const struct verdict *v);
void hold_settle(struct session *s, const struct job *job,
    struct outcome *out);
const char *hold_write(struct session *s, struct outcome *outs, size_t n);
bool hold_content(struct session *s);
bool hold_durable(const struct outcome *outs, size_t n);
const char *hold_unread(struct session *s, const struct verdict *verdict,
    struct slice head, struct slice body, struct held **held_r);

#endif
