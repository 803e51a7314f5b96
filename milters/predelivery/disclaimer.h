/*
 * disclaimer - a text of ours in the texts of a message (R21)
 *
 * disclaimer_add	inserts it into the text/plain and text/html parts that
 *			a reader shows as the message, as byte patches, in each
 *			part's own charset and transfer encoding; all other
 *			bytes stay. Adds to `edits` or leaves it as it was, and
 *			says which and why
 * disclaimer_step	the step of decide.c: for outbound mail the disclaimers
 *			that are set for the sender, then those that rules
 *			asked for (work->disclaimers, by name, any direction)
 *
 * Which parts: of a multipart/alternative each text; of mixed, related and
 * others the first child with a text; of signed, encrypted and messages within
 * the message none; attachments (by disposition or file name) and calendars
 * never. Of a message without a text nothing is made.
 *
 * Where: DISCLAIMER_REPLY, before the quoted message that it answers, else at
 * the end, within the body of HTML; DISCLAIMER_END, always at the end;
 * DISCLAIMER_TOP, before all else. In text a signature ("-- ") stays last
 * under a disclaimer that begins with one of its own.
 *
 * Nothing is added (what comes back says why):
 *
 *	signed, encrypted	S/MIME, PGP/MIME, PGP in a text
 *	once a thread		it can be found already in the message, as in a
 *				quoted part of it: with blanks, marks of
 *				quotation and line ends left out, and all
 *				placeholders as anything, the longest fixed
 *				piece of its text is there
 *	no text			an attachment alone, a calendar, an image
 *	refused			a part that cannot be edited: an encoding or a
 *				charset that cannot take it, a broken message
 */
#ifndef PREDELIVERY_DISCLAIMER_H
#define PREDELIVERY_DISCLAIMER_H

#include "decide.h"

enum disclaimer_place { DISCLAIMER_REPLY, DISCLAIMER_END, DISCLAIMER_TOP };

/* A template: UTF-8, LF or CRLF, with placeholders (template.h). */
struct disclaimer {
	struct slice name;
	struct slice text;		/* text form; never empty */
	struct slice html;		/* SLICE_NONE: made from text */
	enum disclaimer_place place;
	bool once;			/* a thread */
};

/* What stands for {name}; SLICE_NONE: he has none. */
struct disclaimer_values {
	struct slice (*value)(const void *who, struct slice name);
	const void *who;
};

enum disclaimer_done { DISCLAIMER_ADDED, DISCLAIMER_THERE, DISCLAIMER_SIGNED,
    DISCLAIMER_ENCRYPTED, DISCLAIMER_NO_TEXT, DISCLAIMER_REFUSED };

enum disclaimer_done disclaimer_add(struct patches *edits,
    struct message *msg, const struct disclaimer *d,
    const struct disclaimer_values *values);
const char *disclaimer_done_name(enum disclaimer_done done);

step_work disclaimer_step;

#endif
