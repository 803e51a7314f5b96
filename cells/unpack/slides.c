/*
 * [MS-PPT]: records in records. Those that hold others are entered and not
 * counted, so that depth costs nothing: what stands behind the head of one is
 * the head of the first in it.
 */
#include <zlib.h>

#include "cells/unpack/legacy.h"
#include "cells/unpack/sink.h"
#include "cells/unpack/utf16.h"

enum {
	HEAD = 8, CONTAINER = 0x0f,
	TEXT_WIDE = 0x0fa0, TEXT_NARROW = 0x0fa8, STRING = 0x0fba,
	OBJECT = 0x1011, ENCRYPTION = 0x2f14,
	PIECE = 64 * 1024,
};

struct record {
	uint32_t type, instance;
	struct slice bytes;		/* empty of one that holds others */
	bool cut;
};

static bool
next_record(struct slice document, size_t *at, struct record *r)
{
	struct slice head = slice_sub(document, *at, HEAD);
	uint32_t first = bytes_le16(head, 0), len = bytes_le32(head, 4);

	if (head.len < HEAD)
		return false;
	*r = (struct record){ bytes_le16(head, 2), first >> 4, SLICE(""),
	    false };
	*at += HEAD;
	if ((first & 0xf) == CONTAINER)
		return true;
	r->bytes = slice_sub(document, *at, len);
	r->cut = r->bytes.len < len;
	*at += r->bytes.len;
	return true;
}

static void
put(struct sink *sink, uint32_t cp)
{
	if (cp == '\r' || cp == 0x0b)
		sink_apart(sink, '\n');
	else if (cp >= 0x20 || cp == '\t')
		sink_put(sink, cp);
}

static void
put_text(struct sink *sink, const struct record *r)
{
	uint32_t cp;

	sink_apart(sink, '\n');
	if (r->type == TEXT_NARROW)
		for (size_t i = 0; i < r->bytes.len && !sink_full(sink); i++)
			put(sink, (unsigned char)r->bytes.ptr[i]);
	else
		for (size_t i = 0; !sink_full(sink) &&
		    (cp = utf16_next(r->bytes, &i)) != UTF8_BAD; )
			put(sink, cp);
}

enum legacy
slides_text(struct slice document, size_t max, struct buf *out)
{
	struct record r;
	struct sink sink;
	bool encrypted = false;
	size_t at = 0;

	sink_begin(&sink, max);
	while (!sink_full(&sink) && next_record(document, &at, &r)) {
		if (r.type == TEXT_WIDE || r.type == TEXT_NARROW ||
		    r.type == STRING)
			put_text(&sink, &r);
		encrypted |= r.type == ENCRYPTION;
		sink.whole &= !r.cut;
	}
	if (at == 0 || sink_full(&sink))
		sink.whole = false;
	sink_end(&sink, out);
	if (encrypted)
		return LEGACY_ENCRYPTED;
	return sink.whole ? LEGACY_WHOLE : LEGACY_PART;
}

static struct slice
inflated(struct slice s, size_t max, struct arena *a)
{
	struct buf out = buf_in(a);
	z_stream z = { .next_in = (Bytef *)(uintptr_t)s.ptr,
	    .avail_in = s.len < UINT32_MAX ? (uInt)s.len : UINT32_MAX };
	int rc = Z_OK;

	if (inflateInit(&z) != Z_OK)
		return SLICE("");
	while (rc == Z_OK && out.len < max) {
		z.next_out = (Bytef *)buf_room(&out, PIECE);
		z.avail_out = PIECE;
		rc = inflate(&z, Z_NO_FLUSH);
		buf_took(&out, PIECE - z.avail_out);
	}
	inflateEnd(&z);
	return buf_slice(&out);
}

struct slice
slides_object(struct slice document, size_t *at, size_t max, struct arena *a)
{
	struct record r;

	while (next_record(document, at, &r)) {
		/* An instance of 1: it is deflated, behind its length. */
		if (r.type == OBJECT && r.bytes.len > 0)
			return r.instance == 0 ? r.bytes :
			    inflated(slice_after(r.bytes, 4), max, a);
	}
	return SLICE_NONE;
}
