/*
 * field - header fields of a block (RFC 5322, 2.2)
 *
 * field_next		takes the next field, its folded lines included, from
 *			*rest; false at the end. A line that is no field (no
 *			colon, or blanks in the name) is returned with an empty
 *			name and its bytes in raw, so nothing is lost
 * field_value		the value as a person reads it: unfolded (RFC 5322,
 *			2.2.3), leading and trailing blanks cut; NUL and other
 *			bytes kept. In the arena, or borrowed where no fold is
 *
 * A name is printable ASCII (RFC 5322, 3.6.8), as Postfix reads it too. Lines
 * end in LF or CRLF; a CR elsewhere is a byte like any other. A line that
 * begins with a blank continues the one before it, even when nothing but
 * blanks stands in it; an empty line stands alone and is no field.
 */
#ifndef TEXT_FIELD_H
#define TEXT_FIELD_H

#include "base/arena.h"

struct field {
	struct slice raw;		/* all of it, final CRLF included */
	struct slice name;		/* before the colon, blanks cut */
	struct slice body;		/* after the colon, folds as they are,
					   leading space kept, no final CRLF */
};

bool field_next(struct slice *rest, struct field *f);
struct slice field_value(struct arena *a, const struct field *f);

#endif
