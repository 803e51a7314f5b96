/*
 * term - one entry of a list of attachments, as options have it
 *
 * Conditions joined by "+"; all of them have to hold for one item (a part of
 * the message, or a member of an archive at any depth):
 *
 *	ext:exe		an extension of it, in any reading of its names
 *	mime:audio/mp3	its declared type, or libmagic's; "mime:audio/" and "*": all
 *			of these
 *	type:pe		what its bytes are (filetype.h), or libmagic's word
 *	class:script	a class of it; archive-encrypted, incomplete too
 *	name:*.pdf.*	its name, without regard to case; * and ? as in a shell
 *	larger:10M	its size is above that
 *	member		it is in an archive; attachment: it is not
 *
 * term_parse	RC_BAD with *why_r: what is wrong, what would be right
 * term_holds	does it hold for that item? libmagic's word counts unless
 *		`ours_only`, for lists that let something pass
 *
 * Pure.
 */
#ifndef ATTACHMENT_TERM_H
#define ATTACHMENT_TERM_H

#include "base/rc.h"
#include "items.h"

enum term_kind { TERM_EXT, TERM_MIME, TERM_TYPE, TERM_CLASS, TERM_NAME,
    TERM_LARGER, TERM_MEMBER, TERM_ATTACHMENT };

enum { TERM_CONDITIONS = 8 };

struct term_condition {
	enum term_kind kind;
	struct slice text;
	const struct filetype *type;
	unsigned classes;		/* all of these */
	bool incomplete;
	uint64_t bytes;
};

struct term {
	struct slice text;		/* as it was written */
	bool ours_only;
	struct term_condition conditions[TERM_CONDITIONS];
	size_t n;
};

enum rc term_parse(struct slice text, struct term *term_r, struct arena *a,
    struct slice *why_r);
bool term_holds(const struct term *term, const struct item *item);

#endif
