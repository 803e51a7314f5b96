/* [MS-DOC] 2.4.1: the document's text is pieces, each of them a run of one or
 * two bytes a character somewhere in the stream. */
#include "cells/unpack/codepage.h"
#include "cells/unpack/legacy.h"
#include "cells/unpack/utf16.h"

enum {
	MAGIC_97 = 0xa5ec, MAGIC_6 = 0xa5dc,
	FLAGS = 0x0a, COMPLEX = 0x0004, ENCRYPTED = 0x0100, TABLE = 0x0200,
	FIRST_97 = 106,			/* nFib; smaller: Word 6 and 95 */
	CLX_97 = 0x1a2, CLX_6 = 0x160,
	TEXT_FROM = 0x18, TEXT_TO = 0x1c,
	PRC = 1, PCDT = 2,
	NARROW = 0x40000000,		/* of a place: one byte a character */
	SPARE = 4096,
	CELL = 0x07, FIELD = 0x13, FIELD_END = 0x15, FIELDS = 64,
};

struct word {
	struct slice document;
	struct sink sink;
	unsigned codepage;
	bool old;			/* one byte a character, always */
	bool cell;			/* one has just ended */
	unsigned depth;			/* of fields in fields */
	uint64_t instructions;		/* a bit for each field that is in its
					   instruction still */
	uint64_t left;			/* characters that may be looked at */
};

/* The code page of a language (the low ten bits of [MS-LCID]). */
static unsigned
codepage_of(uint32_t lid)
{
	static const struct { uint16_t language, codepage; } table[] = {
		{ 0x01, 1256 }, { 0x02, 1251 }, { 0x04, 936 }, { 0x05, 1250 },
		{ 0x08, 1253 }, { 0x0d, 1255 }, { 0x0e, 1250 }, { 0x11, 932 },
		{ 0x12, 949 }, { 0x15, 1250 }, { 0x18, 1250 }, { 0x19, 1251 },
		{ 0x1a, 1250 }, { 0x1b, 1250 }, { 0x1c, 1250 }, { 0x1e, 874 },
		{ 0x1f, 1254 }, { 0x22, 1251 }, { 0x23, 1251 }, { 0x24, 1250 },
		{ 0x25, 1257 }, { 0x26, 1257 }, { 0x27, 1257 }, { 0x29, 1256 },
		{ 0x2a, 1258 }, { 0x2f, 1251 },
	};

	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
		if (table[i].language == (lid & 0x3ff))
			return table[i].codepage;
	return 1252;
}

/* A field is an instruction, perhaps what it shows, and its end. Deeper ones
 * than there are bits count as what is around them. */
static void
field(struct word *w, uint32_t cp)
{
	w->depth += cp == FIELD;
	if (w->depth > 0 && w->depth <= FIELDS) {
		uint64_t bit = UINT64_C(1) << (w->depth - 1);

		w->instructions = cp == FIELD ? w->instructions | bit :
		    w->instructions & ~bit;
	}
	w->depth -= cp == FIELD_END && w->depth > 0;
	w->sink.unseen = w->instructions != 0;
	if (cp == FIELD)
		sink_apart(&w->sink, '\n');
}

/* What Word uses as a sign of its own; false: it is none. */
static bool
sign(struct word *w, uint32_t cp)
{
	bool cell = w->cell;

	w->cell = cp == CELL;
	if (cp >= 0x20 || cp == '\t')
		return false;
	if (cp >= FIELD && cp <= FIELD_END)
		field(w, cp);
	else if (cp == CELL)		/* a second one ends the row */
		sink_apart(&w->sink, cell ? '\n' : '\t');
	else if (cp >= 0x0b && cp <= 0x0e)
		sink_apart(&w->sink, '\n');
	else if (cp == 0x1e)		/* a hyphen that does not break */
		sink_put(&w->sink, '-');
	return true;
}

static void
narrow_run(struct word *w, struct slice run)
{
	size_t from = 0;

	for (size_t i = 0; i <= run.len; i++) {
		if (i < run.len && (unsigned char)run.ptr[i] >= 0x20)
			continue;
		if (i > from) {
			codepage_text(&w->sink, w->codepage,
			    slice_sub(run, from, i - from));
			w->cell = false;
		}
		if (i < run.len && !sign(w, (unsigned char)run.ptr[i]))
			sink_put(&w->sink, (unsigned char)run.ptr[i]);
		from = i + 1;
	}
}

static void
wide_run(struct word *w, struct slice run)
{
	uint32_t cp;

	for (size_t at = 0; !sink_full(&w->sink) &&
	    (cp = utf16_next(run, &at)) != UTF8_BAD; )
		if (!sign(w, cp))
			sink_put(&w->sink, cp);
}

static void
piece(struct word *w, uint32_t place, uint32_t count)
{
	bool narrow = w->old || (place & NARROW) != 0;
	size_t from = narrow && !w->old ? (place & ~(uint32_t)NARROW) / 2 :
	    place, len = (size_t)count * (narrow ? 1 : 2);
	struct slice run = slice_sub(w->document, from, len);

	if (run.len < len)
		w->sink.whole = false;
	if (run.len > w->left) {
		run.len = (size_t)w->left;
		w->sink.whole = false;
	}
	w->left -= run.len;
	if (narrow)
		narrow_run(w, run);
	else
		wide_run(w, run);
}

/* Places of characters, one more than there are pieces; then the pieces. */
static void
pieces(struct word *w, struct slice table)
{
	size_t n = table.len >= 4 ? (table.len - 4) / 12 : 0;

	for (size_t i = 0; i < n && !sink_full(&w->sink); i++) {
		uint32_t from = bytes_le32(table, 4 * i);
		uint32_t to = bytes_le32(table, 4 * i + 4);

		if (to < from)
			w->sink.whole = false;
		else
			piece(w, bytes_le32(table, 4 * (n + 1) + 8 * i + 2),
			    to - from);
	}
}

/* Properties of pieces may stand before the pieces themselves. */
static bool
find_pieces(struct slice clx, struct slice *table_r)
{
	while (clx.len >= 5) {
		if (clx.ptr[0] == PCDT) {
			uint32_t len = bytes_le32(clx, 1);

			*table_r = slice_sub(clx, 5, len);
			return table_r->len == len && len > 4;
		}
		if (clx.ptr[0] != PRC)
			return false;
		clx = slice_after(clx, 3 + (size_t)bytes_le16(clx, 1));
	}
	return false;
}

static void
read_old(struct word *w, uint32_t flags)
{
	struct slice table;
	uint32_t from = bytes_le32(w->document, TEXT_FROM);
	uint32_t to = bytes_le32(w->document, TEXT_TO);

	if ((flags & COMPLEX) != 0 && find_pieces(slice_sub(w->document,
	    bytes_le32(w->document, CLX_6), bytes_le32(w->document,
	    CLX_6 + 4)), &table))
		pieces(w, table);
	else if ((flags & COMPLEX) == 0 && to >= from)
		piece(w, from, to - from);
	else
		w->sink.whole = false;
}

enum legacy
word_text(struct slice document, const struct slice tables[2], size_t max,
    struct buf *out)
{
	uint32_t magic = bytes_le16(document, 0), version =
	    bytes_le16(document, 2), flags = bytes_le16(document, FLAGS);
	struct word w = { .document = document, .old = version < FIRST_97,
	    .codepage = 1252, .left = (uint64_t)document.len * 2 + SPARE };
	struct slice clx, table;

	if (magic != MAGIC_97 && magic != MAGIC_6)
		return LEGACY_PART;
	if (flags & ENCRYPTED)
		return LEGACY_ENCRYPTED;
	sink_begin(&w.sink, max);
	if (w.old) {
		w.codepage = codepage_of(bytes_le16(document, 6));
		read_old(&w, flags);
	} else {
		clx = slice_sub(tables[(flags & TABLE) != 0],
		    bytes_le32(document, CLX_97),
		    bytes_le32(document, CLX_97 + 4));
		if (find_pieces(clx, &table))
			pieces(&w, table);
		else
			w.sink.whole = false;
	}
	sink_end(&w.sink, out);
	return w.sink.whole ? LEGACY_WHOLE : LEGACY_PART;
}
