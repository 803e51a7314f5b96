/*
 * lzfu - compressed RTF of Outlook ([MS-OXRTFCP])
 *
 * lzfu_expand	adds at most max bytes to *out; false: not all of it, for it is
 *		damaged, of another kind, or larger. Its check sum is not looked
 *		at: what a reader shows of it counts
 */
#ifndef CELLS_UNPACK_LZFU_H
#define CELLS_UNPACK_LZFU_H

#include "base/buf.h"

bool lzfu_expand(struct slice bytes, size_t max, struct buf *out);

#endif
