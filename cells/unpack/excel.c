/*
 * [MS-XLS]: records, each a type, a length and so many bytes; what does not fit
 * into one goes on in records Continue. Strings of cells stand once, in a table
 * that comes before the sheets.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "cells/unpack/bytes.h"
#include "cells/unpack/codepage.h"
#include "cells/unpack/legacy.h"

enum {
	FORMULA = 0x06, HEADER = 0x14, FOOTER = 0x15, NOTE = 0x1c,
	FILEPASS = 0x2f, CONTINUE = 0x3c, CODEPAGE = 0x42, BOUNDSHEET = 0x85,
	MULRK = 0xbd, RSTRING = 0xd6, SST = 0xfc, LABELSST = 0xfd,
	TXO = 0x1b6, NUMBER = 0x203, LABEL = 0x204, STRING = 0x207,
	RK = 0x27e, BOF = 0x809, SERIESTEXT = 0x100d,
	BIFF8 = 0x600,
	WIDE = 1, ASIAN = 4, RICH = 8,	/* flags of a string */
	STRINGS = 1 << 20,		/* of a table */
	FIGURE = 40,
};

/* Bytes of a record and of those that continue it. */
struct reader {
	struct slice rest;		/* of the record at hand */
	struct slice behind;		/* the records behind it */
};

/* A string of the table, in the sink's text of strings. */
struct shared {
	size_t at, len;
	bool shown;
};

struct excel {
	struct sink sink;
	struct buf strings;		/* the table's, UTF-8 */
	struct shared *shared;
	size_t n, cap, max;
	unsigned codepage;
	uint32_t version;		/* of the last BOF */
	uint32_t row;
	bool encrypted;
};

static bool
next_record(struct slice *rest, uint32_t *type_r, struct slice *bytes_r)
{
	uint32_t len = bytes_le16(*rest, 2);

	if (rest->len < 4)
		return false;
	*type_r = bytes_le16(*rest, 0);
	*bytes_r = slice_sub(*rest, 4, len);
	*rest = slice_after(*rest, 4 + (size_t)len);
	return true;
}

static bool
go_on(struct reader *r)
{
	struct slice behind = r->behind, bytes;
	uint32_t type;

	if (!next_record(&behind, &type, &bytes) || type != CONTINUE)
		return false;
	r->rest = bytes;
	r->behind = behind;
	return true;
}

static void
skip(struct reader *r, size_t n)
{
	while (n > r->rest.len) {
		n -= r->rest.len;
		r->rest = SLICE("");
		if (!go_on(r))
			return;
	}
	r->rest = slice_after(r->rest, n);
}

/* Up to count characters of what is left of the record; how many. */
static size_t
some_characters(struct sink *out, struct reader *r, size_t count, bool wide)
{
	size_t n = r->rest.len / (wide ? 2 : 1);

	n = n < count ? n : count;
	if (wide)
		sink_utf16(out, slice_sub(r->rest, 0, n * 2));
	else
		for (size_t i = 0; i < n; i++)
			sink_put(out, (unsigned char)r->rest.ptr[i]);
	r->rest = slice_after(r->rest, wide ? n * 2 : n);
	return n;
}

/* The characters of a string. Where it goes on in a new record, that says anew
 * how wide they are. */
static void
characters(struct sink *out, struct reader *r, size_t count, bool wide)
{
	while (count > 0) {
		count -= some_characters(out, r, count, wide);
		if (count == 0)
			return;
		if (!go_on(r) || r->rest.len == 0) {
			out->whole = false;
			return;
		}
		wide = (r->rest.ptr[0] & WIDE) != 0;
		r->rest = slice_after(r->rest, 1);
	}
}

/* XLUnicodeRichExtendedString, and with no flags but WIDE the plain ones. */
static bool
string(struct sink *out, struct reader *r, size_t count)
{
	unsigned flags;
	size_t behind = 0;

	if (r->rest.len == 0 && !go_on(r))
		return false;
	if (r->rest.len == 0)
		return false;
	flags = (unsigned char)r->rest.ptr[0];
	r->rest = slice_after(r->rest, 1);
	if (flags & RICH) {
		behind += (size_t)bytes_le16(r->rest, 0) * 4;
		r->rest = slice_after(r->rest, 2);
	}
	if (flags & ASIAN) {
		behind += bytes_le32(r->rest, 0);
		r->rest = slice_after(r->rest, 4);
	}
	characters(out, r, count, (flags & WIDE) != 0);
	skip(r, behind);
	return true;
}

/* ---- the table ---- */

static void
remember(struct excel *x, size_t at, size_t len)
{
	if (x->n == x->cap) {
		x->cap = x->cap * 2 + 256;
		x->shared = mem_grow(x->shared, x->cap * sizeof *x->shared);
	}
	x->shared[x->n++] = (struct shared){ at, len, false };
}

static void
read_table(struct excel *x, struct reader r)
{
	uint32_t count = bytes_le32(r.rest, 4);
	struct sink out;

	if (x->n > 0)
		return;
	sink_begin(&out, x->max);
	r.rest = slice_after(r.rest, 8);
	for (uint32_t i = 0; i < count && !sink_full(&out); i++) {
		size_t at = out.of[0].len;
		uint32_t len;

		if (i == STRINGS || (r.rest.len == 0 && !go_on(&r))) {
			out.whole = false;
			break;
		}
		len = bytes_le16(r.rest, 0);
		r.rest = slice_after(r.rest, 2);
		if (!string(&out, &r, len)) {
			out.whole = false;
			break;
		}
		remember(x, at, out.of[0].len - at);
	}
	x->sink.whole = x->sink.whole && out.whole && x->n == count;
	sink_end(&out, &x->strings);
}

static void
put_shared(struct excel *x, struct shared *s)
{
	sink_add(&x->sink, slice_sub(buf_slice(&x->strings), s->at, s->len));
	s->shown = true;
}

/* What no cell shows: an old value, say. */
static void
put_unshown(struct excel *x)
{
	x->sink.unseen = true;
	for (size_t i = 0; i < x->n && !sink_full(&x->sink); i++) {
		if (x->shared[i].shown)
			continue;
		put_shared(x, &x->shared[i]);
		sink_apart(&x->sink, '\n');
	}
}

/* ---- cells ---- */

static void
cell(struct excel *x, struct slice bytes)
{
	uint32_t row = bytes_le16(bytes, 0);

	sink_apart(&x->sink, row == x->row ? '\t' : '\n');
	x->row = row;
}

/* As people write it: 5500000000000004, not 5.5e+15. */
static void
figure(struct excel *x, double value)
{
	char text[FIGURE];
	bool whole = fabs(value) < 1e18 && value >= floor(value) &&
	    value <= floor(value);
	int n = snprintf(text, sizeof text, whole ? "%.0f" : "%.15g", value);

	sink_add(&x->sink, slice_make(text, n > 0 ? (size_t)n : 0));
}

static double
double_at(struct slice s, size_t at)
{
	union { uint64_t bits; double value; } u = { .bits =
	    (uint64_t)bytes_le32(s, at + 4) << 32 | bytes_le32(s, at) };

	return u.value;
}

/* RkNumber: 30 bits of an integer, or the high ones of a number; the lowest
 * says whether it counts hundredths. */
static void
rk(struct excel *x, uint32_t bits)
{
	union { uint64_t bits; double value; } u = { .bits =
	    (uint64_t)(bits & ~3U) << 32 };
	double value = bits & 2 ? (double)((int32_t)bits >> 2) : u.value;

	figure(x, bits & 1 ? value / 100 : value);
}

static void
mulrk(struct excel *x, struct slice bytes)
{
	cell(x, bytes);
	for (size_t at = 4; at + 6 < bytes.len; at += 6) {
		if (at > 4)
			sink_apart(&x->sink, '\t');
		rk(x, bytes_le32(bytes, at + 2));
	}
}

/* A string with its length, of one or two bytes, before it. */
static void
counted(struct excel *x, struct reader r, size_t bytes_of_count)
{
	size_t count = bytes_of_count == 1 ?
	    bytes_le16(r.rest, 0) & 0xff : bytes_le16(r.rest, 0);

	if (r.rest.len < bytes_of_count)
		return;
	r.rest = slice_after(r.rest, bytes_of_count);
	if (count == 0)
		return;
	if (x->version < BIFF8)
		codepage_text(&x->sink, x->codepage, slice_sub(r.rest, 0,
		    count));
	else if (!string(&x->sink, &r, count))
		x->sink.whole = false;
}

static void
line_of(struct excel *x, struct reader r, size_t at, size_t bytes_of_count)
{
	r.rest = slice_after(r.rest, at);
	sink_apart(&x->sink, '\n');
	counted(x, r, bytes_of_count);
	x->row = UINT32_MAX;
}

/* The text of a drawing or a comment stands in the records that follow. */
static void
drawing(struct excel *x, struct reader r)
{
	size_t count = bytes_le16(r.rest, 10);

	r.rest = SLICE("");
	sink_apart(&x->sink, '\n');
	if (count > 0 && !string(&x->sink, &r, count))
		x->sink.whole = false;
	x->row = UINT32_MAX;
}

static void
read_cell(struct excel *x, uint32_t type, struct reader r)
{
	size_t number = bytes_le32(r.rest, 6);

	cell(x, r.rest);
	if (type == LABELSST && number < x->n)
		put_shared(x, &x->shared[number]);
	else if (type == NUMBER)
		figure(x, double_at(r.rest, 6));
	else if (type == RK)
		rk(x, bytes_le32(r.rest, 6));
	else if (type == FORMULA && bytes_le16(r.rest, 12) != 0xffff)
		figure(x, double_at(r.rest, 6));
	else if (type == LABEL || type == RSTRING) {
		r.rest = slice_after(r.rest, 6);
		counted(x, r, 2);
	}
}

static void
begin(struct excel *x, struct slice bytes)
{
	/* A sheet of an older kind within a newer book is not of this world;
	 * one that says so may not change how the rest is read. */
	if (x->version == 0)
		x->version = bytes_le16(bytes, 0);
	x->row = UINT32_MAX;
}

static void
read_record(struct excel *x, uint32_t type, struct reader r)
{
	bool old = x->version < BIFF8;

	switch (type) {
	case BOF:
		begin(x, r.rest);
		break;
	case FILEPASS:
		x->encrypted = true;
		break;
	case CODEPAGE:
		x->codepage = bytes_le16(r.rest, 0);
		break;
	case SST:
		read_table(x, r);
		break;
	case LABELSST: case NUMBER: case RK: case FORMULA: case LABEL:
	case RSTRING:
		read_cell(x, type, r);
		break;
	case MULRK:
		mulrk(x, r.rest);
		break;
	case STRING:
		counted(x, r, 2);
		break;
	case HEADER: case FOOTER:
		line_of(x, r, 0, old ? 1 : 2);
		break;
	case BOUNDSHEET:
		line_of(x, r, 6, 1);
		break;
	case SERIESTEXT:
		line_of(x, r, 2, 1);
		break;
	case NOTE:
		if (old)
			sink_apart(&x->sink, '\n');
		if (old)
			codepage_text(&x->sink, x->codepage,
			    slice_after(r.rest, 6));
		break;
	case TXO:
		drawing(x, r);
		break;
	default:
		break;
	}
}

enum legacy
excel_text(struct slice book, size_t max, struct buf *out)
{
	struct excel x = { .codepage = 1252, .row = UINT32_MAX, .max = max };
	struct reader r = { .behind = book };
	uint32_t type;

	sink_begin(&x.sink, max);
	while (!x.encrypted && !sink_full(&x.sink) &&
	    next_record(&r.behind, &type, &r.rest))
		read_record(&x, type, r);
	if (x.version == 0)
		x.sink.whole = false;
	put_unshown(&x);
	if (sink_full(&x.sink))
		x.sink.whole = false;
	sink_end(&x.sink, out);
	buf_free(&x.strings);
	free(x.shared);
	if (x.encrypted)
		return LEGACY_ENCRYPTED;
	return x.sink.whole ? LEGACY_WHOLE : LEGACY_PART;
}
