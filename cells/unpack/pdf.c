/*
 * PDF (ISO 32000): embedded files, and streams that hold them.
 *
 * Not a reader of PDF: it looks for streams by their key words, whatever the
 * cross-reference table says, since what one reader finds is what counts. A
 * stream whose dictionary says /EmbeddedFile is a member; object streams and
 * JavaScript are members too, inflated, for engines that do not do it. Filters
 * other than Flate, and none, are left as they are. Its text (pdf_text.h) is a
 * member of its own. Of an encrypted document that anybody can open
 * (pdf_crypt.h) the same streams are members, decrypted; of another it is said
 * that it is encrypted.
 */
#include <zlib.h>

#include "base/buf.h"
#include "cells/unpack/pdf_text.h"
#include "cells/unpack/walk.h"

enum {
	STREAMS = 20000,		/* looked at in one document */
	DICTIONARY = 8192,		/* bytes of it that are looked at */
	INFLATED = 64 << 20,		/* of one stream */
	TEXT = 16 << 20,		/* of one document */
};

/* The dictionary that stands before the word `stream`. */
static struct slice
dictionary(struct slice bytes, size_t at)
{
	size_t from = at > DICTIONARY ? at - DICTIONARY : 0;
	struct slice head = slice_sub(bytes, from, at - from);
	struct slice mark = SLICE(" obj");

	for (size_t i = head.len; i-- > 0; )
		if (slice_starts(slice_after(head, i), mark))
			return slice_after(head, i + mark.len);
	return head;
}

static bool
says(struct slice dictionary, struct slice word)
{
	return slice_search(dictionary, word) < dictionary.len;
}

static bool
wanted(struct slice d)
{
	return says(d, SLICE("EmbeddedFile")) || says(d, SLICE("ObjStm")) ||
	    says(d, SLICE("JavaScript")) || says(d, SLICE("/JS"));
}

static struct slice
inflated(struct arena *a, struct slice s)
{
	struct buf out = buf_in(a);
	z_stream z = { .next_in = (Bytef *)(uintptr_t)s.ptr,
	    .avail_in = s.len < UINT32_MAX ? (uInt)s.len : UINT32_MAX };
	int rc = Z_OK;

	if (inflateInit(&z) != Z_OK)
		return SLICE("");
	while (rc == Z_OK && out.len < INFLATED) {
		size_t room = 64 * 1024;

		z.next_out = (Bytef *)buf_room(&out, room);
		z.avail_out = (uInt)room;
		rc = inflate(&z, Z_NO_FLUSH);
		buf_took(&out, room - z.avail_out);
	}
	inflateEnd(&z);
	return buf_slice(&out);
}

/* The bytes of the stream whose word ends at `at`. */
static struct slice
stream_bytes(struct slice bytes, size_t at)
{
	struct slice s = slice_after(bytes, at);

	if (slice_starts(s, SLICE("\r\n")))
		s = slice_after(s, 2);
	else if (slice_starts(s, SLICE("\n")) || slice_starts(s, SLICE("\r")))
		s = slice_after(s, 1);
	return slice_sub(s, 0, slice_search(s, SLICE("endstream")));
}

/* What its pages say is a member too, and its name says whether that is all of
 * it: no member of a file is called so, for those have numbers. */
static bool
add_text(struct walk *w, struct walk_entry *container, struct pdf *pdf)
{
	struct buf out = buf_in(w->arena);
	bool whole = pdf_text(pdf, TEXT, &out);

	return walk_member(w, container, whole ? SLICE("text") :
	    SLICE("text, in part"), buf_slice(&out));
}

/* By its objects, for each has a key of its own. */
static void
add_decrypted(struct walk *w, struct walk_entry *container, struct pdf *pdf)
{
	size_t found = 0;

	for (size_t i = 0; i < pdf->n; i++) {
		struct slice body = pdf->objects[i].body, d, rest;
		bool whole;

		if (!pdf_value(body, &d, &rest) || !wanted(d))
			continue;
		if (slice_search(rest, SLICE("stream")) == rest.len)
			continue;
		if (!walk_member(w, container, arena_printf(w->arena,
		    "stream %zu", ++found), pdf_stream(pdf, body, &whole)))
			return;
		if (!whole)
			walk_why(container, UNPACK_DAMAGED);
	}
}

static void
add_streams(struct walk *w, struct walk_entry *container, struct slice bytes)
{
	struct slice word = SLICE("stream");
	size_t at = 0, found = 0;

	for (int i = 0; i < STREAMS; i++) {
		size_t next = at + slice_search(slice_after(bytes, at), word);
		struct slice d, s;

		if (next >= bytes.len)
			return;
		at = next + word.len;
		if (next >= 3 && slice_eq(slice_sub(bytes, next - 3, 3),
		    SLICE("end")))
			continue;
		d = dictionary(bytes, next);
		if (!wanted(d))
			continue;
		s = stream_bytes(bytes, at);
		at += s.len;
		if (says(d, SLICE("FlateDecode")) || says(d, SLICE("/Fl ")))
			s = inflated(w->arena, s);
		if (!walk_member(w, container, arena_printf(w->arena,
		    "stream %zu", ++found), s))
			return;
	}
	walk_why(container, UNPACK_TOO_MANY);
}

void
pdf_read_members(struct walk *w, struct walk_entry *container,
    struct slice bytes)
{
	struct pdf pdf;

	pdf_index(&pdf, bytes, w->arena);
	/* What says so anywhere may be what the next reader goes by. */
	if (pdf.crypt.lock == PDF_LOCKED || (pdf.crypt.lock == PDF_PLAIN &&
	    says(bytes, SLICE("/Encrypt"))))
		walk_why(container, UNPACK_ENCRYPTED);
	else if (!add_text(w, container, &pdf))
		return;
	if (pdf.crypt.lock == PDF_OPEN)
		add_decrypted(w, container, &pdf);
	else
		add_streams(w, container, bytes);
}
