/*
 * utf16 - UTF-16LE as UTF-8
 *
 * By hand: iconv(3) would read files, and behind the cell's walls there are
 * none. Half of a pair is U+FFFD.
 *
 * utf16_next	the character at *at, which moves behind it; UTF8_BAD at the end
 * utf16_put	all of s
 */
#ifndef CELLS_UNPACK_UTF16_H
#define CELLS_UNPACK_UTF16_H

#include "base/buf.h"
#include "cells/unpack/bytes.h"
#include "text/utf8.h"

static inline uint32_t
utf16_next(struct slice s, size_t *at)
{
	uint32_t cp, low;

	if (s.len < 2 || *at > s.len - 2)
		return UTF8_BAD;
	cp = bytes_le16(s, *at);
	*at += 2;
	if (cp < 0xd800 || cp >= 0xdc00)
		return cp;
	low = bytes_le16(s, *at);
	if (low < 0xdc00 || low >= 0xe000)
		return cp;
	*at += 2;
	return 0x10000 + ((cp - 0xd800) << 10) + (low - 0xdc00);
}

static inline void
utf16_put(struct buf *out, struct slice s)
{
	char utf8[4];
	uint32_t cp;

	for (size_t at = 0; (cp = utf16_next(s, &at)) != UTF8_BAD; )
		buf_add(out, slice_make(utf8, utf8_put(utf8, cp)));
}

#endif
