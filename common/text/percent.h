/*
 * percent - bytes as a part of a URL (RFC 3986, 2.1)
 *
 * percent_encode	appends s: letters, digits and "-._~" as they are, and
 *			what `also` names; all else as %XX
 */
#ifndef TEXT_PERCENT_H
#define TEXT_PERCENT_H

#include "base/buf.h"

void percent_encode(struct buf *out, struct slice s, const char *also);

#endif
