/*
 * param - values with parameters (RFC 2045, 5.1; RFC 2183; RFC 2231)
 *
 * Content-Type, Content-Disposition and their like: a value, then name=value
 * pairs behind semicolons, with quoted strings and comments anywhere.
 *
 * params_read	reads a field's body (folds as they are). Whatever stands
 *		there gives an answer; what is odd gives a flag as well
 * params_find	the parameter that a reader takes who takes the first of that
 *		name, whatever its form; NULL when there is none
 * params_next	the next one of the same name behind p
 *
 * RFC 2231 sections (name*0, name*1*) are joined into one parameter and its
 * percent-escapes undone: value holds bytes in `charset`, not yet converted.
 * Where readers disagree, `value` is what the RFC says and `other` what a
 * common lax reader makes of the same bytes: the backslashes of a quoted
 * string kept, the string ended at the semicolon although the quote is open,
 * a token that runs on to the semicolon, sections joined across a gap.
 *
 * Results live in the arena or borrow from body. Linear in its length; beyond
 * PARAMS_MAX parameters (sections counted one by one) the rest is not read
 * and flagged.
 */
#ifndef TEXT_PARAM_H
#define TEXT_PARAM_H

#include "base/arena.h"

enum { PARAMS_MAX = 200 };

enum {
	PARAM_EXTENDED = 1,		/* name*=charset'language'value */
	PARAM_SECTIONS = 2,		/* name*0, name*1 */
	PARAM_GAP = 4,			/* a section is missing or came twice */
	PARAM_JUNK = 8,			/* `other` differs, or bytes between */
	PARAM_DUPLICATE = 16,		/* one of this name stands before it */
	PARAM_BAD_PERCENT = 32,		/* a '%' without two hex digits */
	PARAM_LIMIT = 64		/* of the whole: more than PARAMS_MAX */
};

struct param {
	struct param *next;		/* in the order of the field */
	struct slice name;		/* lower case, without the stars */
	struct slice value;		/* without quotes; "" when empty */
	struct slice other;		/* SLICE_NONE when nobody disagrees */
	struct slice charset, language;	/* RFC 2231; SLICE_NONE without */
	unsigned flags;
};

struct params {
	struct slice value;		/* "text/html": lower case, no blanks
					   around, comments gone */
	struct param *first;
	size_t count;
	unsigned flags;			/* PARAM_*: of all of them */
};

void params_read(struct arena *a, struct slice body, struct params *params_r);
const struct param *params_find(const struct params *params,
    struct slice name);
const struct param *params_next(const struct param *p);

#endif
