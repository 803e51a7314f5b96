/*
 * punycode - labels of international names (RFC 3492)
 *
 * punycode_encode	appends "xn--..." for a label of UTF-8; a label that is
 *			ASCII is appended as it is. False, nothing is appended:
 *			ill-formed, or over PUNYCODE_MAX characters
 * punycode_decode	appends the UTF-8 of a label that begins with "xn--", in
 *			any letter case. False, nothing is appended: no such
 *			label, or it stands for no text
 *
 * The bare algorithm: whether a name is allowed is asked of libidn2
 * (domain_ascii, text/weburl.h). Here it is about what a label shows to whom
 * it is to deceive. Pure; at most PUNYCODE_MAX squared steps.
 */
#ifndef TEXT_PUNYCODE_H
#define TEXT_PUNYCODE_H

#include "base/buf.h"

enum { PUNYCODE_MAX = 256 };

bool punycode_encode(struct slice label, struct buf *out);
bool punycode_decode(struct slice label, struct buf *out);

#endif
