/*
 * external - mail from outside that bears a name of ours is marked (R25)
 *
 * external_from	a From field's body with the mark in front of each
 *			display name: an encoded word (RFC 2047) of its own,
 *			all other bytes stay. An address without a name gets the
 *			mark as its name, and angle brackets where it has none;
 *			where a comment is its name the mark goes into that.
 *			What cannot be read as addresses gets it at its begin.
 *			SLICE_NONE: nothing to do: it begins with the mark,
 *			or each name has it already, or there is no sender at
 *			all
 * external_ours	does the From of this message use a domain of ours: in
 *			an address, or in what a reader sees of a name?
 *			Subdomains are ours too
 * external_step	the step of decide.c: mark, banner and subject tag, as
 *			they are set for a recipient
 *
 * The mark breaks a DKIM signature that covers From (all do). auth-check has
 * verified before, and its results stay; whoever verifies behind us sees a
 * failure. The edit is in the plan's list of patches, whose undo gives the
 * signed bytes again.
 */
#ifndef PREDELIVERY_EXTERNAL_H
#define PREDELIVERY_EXTERNAL_H

#include "decide.h"

enum { EXTERNAL_MARK = 20 };		/* bytes: one encoded word holds it */

struct external_ours {
	bool (*is)(const void *arg, struct slice domain);	/* A-labels */
	const void *arg;
};

struct slice external_from(struct arena *a, struct slice body,
    struct slice mark);
bool external_ours(struct arena *a, const struct message *msg,
    const struct external_ours *ours);

step_work external_step;

#endif
