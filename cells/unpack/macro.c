/*
 * Source text of macros ([MS-OVBA], 2.4.1), which stands compressed behind what
 * Office made of it.
 */
#include "base/buf.h"
#include "cells/unpack/bytes.h"
#include "cells/unpack/walk.h"

enum { CHUNK = 4096 };			/* of compressed source */

/* One token of a chunk: a byte as it is, or a copy of what stands before. */
static bool
expand_token(struct buf *out, size_t from, struct slice *rest, bool copy)
{
	size_t done = out->len - from, bits = 4;
	uint32_t token;
	size_t back, len;

	if (!copy) {
		buf_addc(out, rest->ptr[0]);
		*rest = slice_after(*rest, 1);
		return true;
	}
	while (((size_t)1 << bits) < done)
		bits++;
	token = bytes_le16(*rest, 0);
	back = (token >> (16 - bits)) + 1;
	len = (token & (0xffffU >> bits)) + 3;
	if (rest->len < 2 || back > done || done + len > CHUNK)
		return false;
	while (len-- > 0)
		buf_addc(out, out->ptr[out->len - back]);
	*rest = slice_after(*rest, 2);
	return true;
}

static bool
expand_chunk(struct buf *out, struct slice chunk)
{
	size_t from = out->len;

	while (chunk.len > 0) {
		unsigned flags = (unsigned char)chunk.ptr[0];

		chunk = slice_after(chunk, 1);
		for (int i = 0; i < 8 && chunk.len > 0; i++, flags >>= 1)
			if (out->len - from >= CHUNK ||
			    !expand_token(out, from, &chunk, flags & 1))
				return false;
	}
	return true;
}

/* [MS-OVBA] 2.4.1.3; false: it is none. */
static bool
expand(struct buf *out, struct slice s)
{
	if (s.len < 3 || s.ptr[0] != 1)
		return false;
	for (s = slice_after(s, 1); s.len >= 2; ) {
		uint32_t head = bytes_le16(s, 0);
		size_t len = (head & 0xfff) + 1;

		if ((head & 0x7000) != 0x3000)
			break;
		if (head & 0x8000) {
			if (!expand_chunk(out, slice_sub(s, 2, len)))
				return false;
		} else {
			buf_add(out, slice_sub(s, 2, CHUNK));
		}
		s = slice_after(s, 2 + len);
	}
	return out->len > 0;
}

/* A module's source stands compressed behind what Office compiled. Each one
 * begins with "Attribute", whose first eight letters are literals. */
bool
macro_read_member(struct walk *w, struct walk_entry *parent,
    struct slice name, struct slice s)
{
	struct slice mark = SLICE("\0Attribut");
	size_t at = slice_search(s, mark);
	struct buf out = buf_in(w->arena);

	if (at == s.len || at < 3 || !expand(&out, slice_after(s, at - 3)))
		return true;
	return walk_member(w, parent, arena_printf(w->arena, "%.*s.bas",
	    SLICE_ARG(name)), buf_slice(&out));
}
