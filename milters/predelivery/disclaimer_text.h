/*
 * disclaimer_text - where in a text/plain part it goes
 *
 * For disclaimer.c: the offset of a line's begin, in the decoded text, whose
 * bytes are ASCII where ASCII is read. Pure, linear.
 *
 * What is quoted at the end, for DISCLAIMER_REPLY, begins with the first of
 *
 *	a separator	"-----Original Message-----" and its like in any
 *			language, or a line of '_', with fields of a header
 *			("From: ...") behind it; such fields alone: three or
 *			more, the first one From, in some languages
 *	lines with '>'	up to the end of the text, or to a separator, without
 *			a line of one's own among them; with the lines before
 *			that say who wrote ("On ... wrote:"): up to three, the
 *			last one with ':' at its end, and a date or an address
 *			in them
 *
 * Who answers below or within what he quotes gets it at the end.
 *
 * disclaimer_pgp	a PGP message or signed text stands in it
 */
#ifndef PREDELIVERY_DISCLAIMER_TEXT_H
#define PREDELIVERY_DISCLAIMER_TEXT_H

#include "disclaimer.h"

struct text_spot {
	size_t at;
	bool signature;			/* "-- " stands before it, unquoted */
	bool lf;			/* lines end in LF alone */
};

struct text_spot disclaimer_text_spot(struct slice text,
    enum disclaimer_place place);
enum disclaimer_done disclaimer_pgp(struct slice text);

#endif
