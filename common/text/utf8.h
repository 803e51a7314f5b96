/*
 * utf8 - code points of a slice (RFC 3629)
 *
 * utf8_next	takes the first code point from *rest; an ill-formed byte is
 *		taken alone and given as UTF8_BAD. False at the end. Overlong
 *		forms, surrogates and what lies above U+10FFFF are ill-formed
 * utf8_valid	no ill-formed byte in it
 * utf8_put	writes a code point, returns how many bytes; one that is none
 *		(surrogate, too high) is written as U+FFFD
 * utf8_control	C0 and C1 controls and DEL; U+2028 and U+2029, which end a line
 * utf8_bidi	marks that turn the direction of what follows: they can make
 *		"exe.fdp" out of "pdf.exe" (UAX 9)
 * utf8_unseen	takes no room on the screen (zero width, soft hyphen, tags ...)
 */
#ifndef TEXT_UTF8_H
#define TEXT_UTF8_H

#include "base/slice.h"

#define UTF8_BAD	UINT32_MAX

bool utf8_next(struct slice *rest, uint32_t *cp_r);
bool utf8_valid(struct slice s);
size_t utf8_put(char out[4], uint32_t cp);
bool utf8_control(uint32_t cp);
bool utf8_bidi(uint32_t cp);
bool utf8_unseen(uint32_t cp);

#endif
