/*
 * encoded - words in header values as UTF-8 (RFC 2047; RFC 2231, 5)
 *
 * encoded_decode	the value with its encoded words decoded, the blanks
 *			between two of them dropped. A character that is split
 *			over words of one charset is put together again. Words
 *			that RFC 2047 forbids and clients decode all the same
 *			(in quotes, within text, without padding) are decoded
 *			and flagged. Text outside words that is no UTF-8 is read
 *			as windows-1252 and flagged. Always well-formed UTF-8,
 *			never over ENCODED_MAX, in the arena; *flags_r says what
 *			was odd. It may hold NULs, controls, line ends, bidi
 *			marks: they are flagged, and whoever prints it escapes
 *
 * For the value of a field, unfolded or not, or a piece of it such as a display
 * name. Which fields may have encoded words is for the caller to know.
 */
#ifndef TEXT_ENCODED_H
#define TEXT_ENCODED_H

#include "base/arena.h"

enum { ENCODED_MAX = 1 << 20 };

enum encoded_flag {
	ENCODED_WORDS = 1 << 0,		/* there was one */
	ENCODED_LAX = 1 << 1,		/* one that RFC 2047 forbids */
	ENCODED_BROKEN = 1 << 2,	/* looks like one, left as it was */
	ENCODED_CHARSET = 1 << 3,	/* unknown charset */
	ENCODED_INVALID = 1 << 4,	/* bytes that are not in the charset */
	ENCODED_8BIT = 1 << 5,		/* no UTF-8 outside words */
	ENCODED_CONTROL = 1 << 6,	/* NUL and other controls, line ends but
					   folds */
	ENCODED_BIDI = 1 << 7,		/* marks that turn the direction */
	ENCODED_UNSEEN = 1 << 8,	/* characters without width */
	ENCODED_NESTED = 1 << 9,	/* decoded text holds "=?" again */
	ENCODED_CUT = 1 << 10,		/* at ENCODED_MAX */
};

struct slice encoded_decode(struct arena *a, struct slice value,
    unsigned *flags_r);
/* Plain word for a flag ("bidi"); NULL for a bit that is none. */
const char *encoded_flag_name(unsigned bit);

#endif
