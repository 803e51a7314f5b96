/*
 * disclaimer - a text of ours in the texts of a message (R21)
 *
 * A disclaimer is NAME.txt, and NAME.html where the HTML form is another than
 * the text with its line ends as <br>, in one folder: UTF-8, the language of
 * notice/template.h. A value is an attribute of the directory: {{name}},
 * {{#phone}}Tel. {{phone}}{{/phone}}; who has none has an empty one.
 *
 * disclaimers_load	reads the folder. RC_BAD with *why_r = "file:line: ...".
 *			trusted: only files that nobody else may change
 *			(conf/trust.h)
 * disclaimer_add	puts it into the text/plain and text/html parts that a
 *			reader shows as the message, as byte patches in each
 *			part's own charset and transfer encoding; all other
 *			bytes stay. Adds to `edits` or leaves it as it was, and
 *			says which and why
 * disclaimer_step	the step of decide.c: for outbound mail the disclaimers
 *			that are set for the sender, then those that rules
 *			asked for (work->disclaimers, by name, any direction)
 *
 * Which parts (disclaimer_parts.h): of an alternative each text, of a related
 * its root, of mixed and others the first child with a text. Attachments (by
 * disposition or file name), calendars, reports, messages within the message
 * and what is signed or encrypted never.
 *
 * Where (disclaimer_text.h, disclaimer_html.h): DISCLAIMER_REPLY is before the
 * message that is quoted below, else at the end; DISCLAIMER_END at the end;
 * DISCLAIMER_TOP before all else.
 *
 * What a part's charset or encoding cannot take becomes a reference in HTML,
 * and ASCII that reads alike in text (text/charset.h).
 *
 * DISCLAIMER_THERE	`once`, and it is in the message already, as in what is
 *			quoted: the longest piece of a line of it without values
 *			is found there, letters and digits compared and nothing
 *			else, so marks of quotation and new line breaks do not
 *			matter. A piece under 12 of these says nothing, and then
 *			it is added. Of DISCLAIMER_TOP: the text begins with it
 * DISCLAIMER_SIGNED, DISCLAIMER_ENCRYPTED
 *			S/MIME, PGP/MIME, PGP in a text, wherever in the message
 * DISCLAIMER_NO_TEXT	an attachment alone, a calendar, an image, a report
 * DISCLAIMER_REFUSED	a part that cannot be edited: an encoding or a charset
 *			that cannot take it, a message that readers disagree
 *			about, a part over DISCLAIMER_PART bytes
 * DISCLAIMER_EMPTY	with these values nothing is left of it
 */
#ifndef PREDELIVERY_DISCLAIMER_H
#define PREDELIVERY_DISCLAIMER_H

#include "decide.h"

enum {
	DISCLAIMER_PART = 4 << 20,	/* of a text, decoded */
	DISCLAIMER_LINE = 990,		/* ours are broken before that */
	DISCLAIMERS_MAX = 1000,
	DISCLAIMER_NAMES = 100,		/* values in one of them */
};

enum disclaimer_place { DISCLAIMER_REPLY, DISCLAIMER_END, DISCLAIMER_TOP };

struct disclaimer;
struct disclaimers;

/* What stands for {{name}}; SLICE_NONE: he has none. */
struct disclaimer_values {
	struct slice (*value)(const void *who, const char *name);
	const void *who;
};

enum disclaimer_done { DISCLAIMER_ADDED, DISCLAIMER_THERE, DISCLAIMER_SIGNED,
    DISCLAIMER_ENCRYPTED, DISCLAIMER_NO_TEXT, DISCLAIMER_REFUSED,
    DISCLAIMER_EMPTY };

enum rc disclaimers_load(struct arena *a, const char *folder, bool trusted,
    struct disclaimers **list_r, struct slice *why_r);
const struct disclaimer *disclaimers_find(const struct disclaimers *list,
    struct slice name);

enum disclaimer_done disclaimer_add(struct patches *edits,
    struct message *msg, const struct disclaimer *d,
    enum disclaimer_place place, bool once,
    const struct disclaimer_values *values);
const char *disclaimer_done_name(enum disclaimer_done done);

step_work disclaimer_step;

#endif
