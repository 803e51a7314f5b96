/*
 * RTF: its text (rtf_text.c), and what stands behind \objdata, as hexadecimal
 * digits with anything that is none between them: an OLE 1.0 object, in it
 * perhaps a compound file.
 */
#include "base/buf.h"
#include "cells/unpack/bytes.h"
#include "cells/unpack/legacy.h"
#include "cells/unpack/walk.h"

enum { OBJECTS = 1000, TEXT = 16 << 20 };

/* The digits of a group, up to the brace that ends it. Control words between
 * them are passed over, as Word does. */
static struct slice
object_bytes(struct arena *a, struct slice *rest)
{
	struct buf out = buf_in(a);
	int high = -1, depth = 0;
	size_t i = 0;

	for (; i < rest->len && depth >= 0; i++) {
		char c = rest->ptr[i];
		int digit = ascii_hex(c);

		if (c == '{')
			depth++;
		else if (c == '}')
			depth--;
		else if (c == '\\')
			while (i + 1 < rest->len &&
			    ascii_alnum(rest->ptr[i + 1]))
				i++;
		else if (digit >= 0 && high < 0)
			high = digit;
		else if (digit >= 0) {
			buf_addc(&out, (char)(high << 4 | digit));
			high = -1;
		}
	}
	*rest = slice_after(*rest, i);
	return buf_slice(&out);
}

/* Behind version and format stand class, topic and item, each with its length
 * before it; then length and data. */
static struct slice
payload(struct slice object, struct slice *class_r)
{
	size_t at = 8;

	*class_r = slice_sub(object, at + 4, bytes_le32(object, at));
	for (int i = 0; i < 3; i++)
		at += 4 + (size_t)bytes_le32(object, at);
	return at + 4 <= object.len ? slice_sub(object, at + 4,
	    bytes_le32(object, at)) : SLICE("");
}

static bool
take_object(struct walk *w, struct walk_entry *container, int number,
    struct slice object)
{
	struct slice class, inner = payload(object, &class);

	if (slice_starts(class, SLICE("Package")) &&
	    package_read_member(w, container, inner))
		return true;
	/* Whatever else it is, whole. */
	if (inner.len == 0)
		inner = object;
	return inner.len == 0 || walk_member(w, container,
	    arena_printf(w->arena, "object %d", number), inner);
}

static bool
add_text(struct walk *w, struct walk_entry *container, struct slice bytes)
{
	struct buf out = { 0 };
	bool whole = rtf_text(bytes, TEXT, &out) == LEGACY_WHOLE;
	bool more = walk_member(w, container, whole ? SLICE("text") :
	    SLICE("text, in part"), buf_slice(&out));

	buf_free(&out);
	return more;
}

void
rtf_read_members(struct walk *w, struct walk_entry *container,
    struct slice bytes)
{
	struct slice word = SLICE("\\objdata"), rest = bytes;

	if (!add_text(w, container, bytes))
		return;
	for (int i = 0; i < OBJECTS; i++) {
		size_t at = slice_search(rest, word);

		if (at == rest.len)
			return;
		rest = slice_after(rest, at + word.len);
		if (!take_object(w, container, i + 1,
		    object_bytes(w->arena, &rest)))
			return;
	}
	walk_why(container, UNPACK_TOO_MANY);
}
