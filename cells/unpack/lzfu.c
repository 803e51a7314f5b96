#include "cells/unpack/lzfu.h"

#include <string.h>

#include "cells/unpack/bytes.h"

enum {
	HEAD = 16, COMPRESSED = 0x75465a4c, PLAIN = 0x414c454d,
	RING = 4096,
};

/* What the ring holds before the first byte. */
static const char first[] =
    "{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman "
    "\\fswiss \\fmodern \\fscript \\fdecor MS Sans SerifSymbolArialTimes New "
    "RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par "
    "\\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx";

struct ring {
	char bytes[RING];
	size_t at;
	struct buf *out;
};

static void
put(struct ring *r, char c)
{
	buf_addc(r->out, c);
	r->bytes[r->at] = c;
	r->at = (r->at + 1) % RING;
}

/* A place in the ring and a length; false: the end, which is a place that
 * nothing was written to yet. */
static bool
copy(struct ring *r, unsigned token)
{
	size_t from = token >> 4, len = (token & 0xf) + 2;

	if (from == r->at)
		return false;
	for (size_t i = 0; i < len; i++)
		put(r, r->bytes[(from + i) % RING]);
	return true;
}

bool
lzfu_expand(struct slice bytes, size_t max, struct buf *out)
{
	struct ring r = { .at = sizeof first - 1, .out = out };
	size_t from = out->len, size = bytes_le32(bytes, 4);
	struct slice s = slice_sub(slice_after(bytes, HEAD), 0,
	    bytes_le32(bytes, 0) > HEAD - 4 ?
	    bytes_le32(bytes, 0) - (HEAD - 4) : 0);

	if (bytes_le32(bytes, 8) == PLAIN) {
		buf_add(out, slice_sub(s, 0, size < max ? size : max));
		return out->len - from == size;
	}
	if (bytes_le32(bytes, 8) != COMPRESSED)
		return false;
	memcpy(r.bytes, first, sizeof first - 1);
	while (s.len > 0 && out->len - from < max) {
		unsigned flags = (unsigned char)s.ptr[0];

		s = slice_after(s, 1);
		for (int i = 0; i < 8 && s.len > 0; i++, flags >>= 1) {
			if ((flags & 1) == 0) {
				put(&r, s.ptr[0]);
				s = slice_after(s, 1);
				continue;
			}
			if (s.len < 2)
				return false;
			if (!copy(&r, (unsigned)(unsigned char)s.ptr[0] << 8 |
			    (unsigned char)s.ptr[1]))
				return out->len - from >= size;
			s = slice_after(s, 2);
		}
	}
	return s.len == 0 && out->len - from >= size;
}
