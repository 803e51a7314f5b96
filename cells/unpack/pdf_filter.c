#include "cells/unpack/pdf_filter.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/buf.h"
#include "cells/unpack/pdf_object.h"

enum {
	PIECE = 64 * 1024,
	LZW_CLEAR = 256, LZW_END = 257, LZW_FIRST = 258, LZW_CODES = 4096,
	COLUMNS = 1 << 20, COLORS = 32,
};

struct filter {
	struct buf out;
	size_t *left;
	bool whole;
};

static bool
room(struct filter *f, size_t n)
{
	if (n > *f->left) {
		f->whole = false;
		return false;
	}
	*f->left -= n;
	return true;
}

static void
put(struct filter *f, char c)
{
	if (room(f, 1))
		buf_addc(&f->out, c);
}

static void
flate(struct filter *f, struct slice s)
{
	z_stream z = { .next_in = (Bytef *)(uintptr_t)s.ptr,
	    .avail_in = s.len < UINT32_MAX ? (uInt)s.len : UINT32_MAX };
	int rc = Z_OK;

	if (inflateInit(&z) != Z_OK) {
		f->whole = false;
		return;
	}
	while (rc == Z_OK && *f->left > 0) {
		size_t piece = *f->left < PIECE ? *f->left : PIECE;

		z.next_out = (Bytef *)buf_room(&f->out, piece);
		z.avail_out = (uInt)piece;
		rc = inflate(&z, Z_NO_FLUSH);
		buf_took(&f->out, piece - z.avail_out);
		*f->left -= piece - z.avail_out;
	}
	inflateEnd(&z);
	f->whole = f->whole && rc == Z_STREAM_END;
}

static void
hex(struct filter *f, struct slice s)
{
	int high = -1;

	for (size_t i = 0; i < s.len && s.ptr[i] != '>'; i++) {
		int digit = ascii_hex(s.ptr[i]);

		if (digit < 0)
			continue;
		if (high >= 0)
			put(f, (char)(high << 4 | digit));
		high = high >= 0 ? -1 : digit;
	}
	if (high >= 0)
		put(f, (char)(high << 4));
}

static void
ascii85(struct filter *f, struct slice s)
{
	uint32_t group = 0;
	unsigned n = 0;

	for (size_t i = 0; i < s.len && s.ptr[i] != '~'; i++) {
		if (s.ptr[i] == 'z' && n == 0)
			for (int k = 0; k < 4; k++)
				put(f, '\0');
		if (s.ptr[i] < '!' || s.ptr[i] > 'u')
			continue;
		group = group * 85 + (uint32_t)(s.ptr[i] - '!');
		if (++n < 5)
			continue;
		for (n = 4; n > 0; n--)
			put(f, (char)(group >> (n - 1) * 8));
		group = 0;
	}
	for (unsigned k = n; k > 0 && k < 5; k++)
		group = group * 85 + 84;
	for (unsigned k = 1; k < n; k++)
		put(f, (char)(group >> (4 - k) * 8));
}

/* A length and so many bytes, or one byte so many times; 128 ends it. */
static void
run_length(struct filter *f, struct slice s)
{
	while (s.len > 0) {
		size_t n = (unsigned char)s.ptr[0];

		s = slice_after(s, 1);
		if (n == 128)
			return;
		if (n < 128) {
			struct slice run = slice_sub(s, 0, n + 1);

			if (!room(f, run.len))
				return;
			buf_add(&f->out, run);
			s = slice_after(s, n + 1);
		} else if (s.len > 0) {
			for (size_t i = 0; i < 257 - n; i++)
				put(f, s.ptr[0]);
			s = slice_after(s, 1);
		}
	}
}

/* A code stands for a place in what was put out already, and a length: each
 * new one is the one before and the byte that follows it. */
struct lzw {
	size_t at[LZW_CODES];
	uint16_t len[LZW_CODES];
	unsigned n;			/* codes so far */
	size_t last;			/* where the one before was put */
	unsigned last_len;		/* 0: there was none */
};

static void
lzw_learn(struct lzw *z)
{
	if (z->last_len == 0 || z->n >= LZW_CODES || z->last_len == UINT16_MAX)
		return;
	z->at[z->n] = z->last;
	z->len[z->n++] = (uint16_t)(z->last_len + 1);
}

/* False: no such code, or no room. */
static bool
lzw_put(struct filter *f, struct lzw *z, unsigned code)
{
	size_t from = f->out.len, n = 1;

	if (code < 256) {
		put(f, (char)code);
		lzw_learn(z);
	} else {
		/* The newest code may be used at once: its last byte is the
		 * first of itself. */
		lzw_learn(z);
		if (code >= z->n || z->len[code] == 0)
			return false;
		n = z->len[code];
		if (!room(f, n))
			return false;
		for (size_t i = 0; i < n; i++)
			buf_addc(&f->out, f->out.ptr[z->at[code] + i]);
	}
	z->last = from;
	z->last_len = (unsigned)n;
	return f->out.len == from + n;
}

static void
lzw(struct filter *f, struct slice s, bool early)
{
	struct lzw *z = mem_alloc(sizeof *z);
	uint32_t bits = 0;
	unsigned nbits = 0, width = 9;
	bool ended = false;

	*z = (struct lzw){ .n = LZW_FIRST };
	for (size_t i = 0; !ended && i < s.len; ) {
		unsigned code;

		for (; nbits < width && i < s.len; i++, nbits += 8)
			bits = bits << 8 | (unsigned char)s.ptr[i];
		if (nbits < width)
			break;
		code = bits >> (nbits -= width) & ((1u << width) - 1);
		if (code == LZW_CLEAR) {
			z->n = LZW_FIRST;
			z->last_len = 0;
		} else if (code == LZW_END) {
			ended = true;
		} else if (!lzw_put(f, z, code)) {
			break;
		}
		for (width = 9; width < 12 && z->n + early >= 1u << width; )
			width++;
	}
	f->whole = f->whole && ended;
	free(z);
}

/* ---- predictors ---- */

static uint64_t
number(struct slice parameters, const char *key, uint64_t max, uint64_t usual)
{
	uint64_t value;

	return slice_number(pdf_get(parameters, key), max, &value) ? value :
	    usual;
}

static unsigned char
paeth(int left, int up, int corner)
{
	int p = left + up - corner, a = p > left ? p - left : left - p;
	int b = p > up ? p - up : up - p, c = p > corner ? p - corner :
	    corner - p;

	return (unsigned char)(a <= b && a <= c ? left : b <= c ? up : corner);
}

/* A row of PNG: each byte is a difference from what stands around it; kind 1
 * looks at its own row only. */
static void
png_row(unsigned char *row, const unsigned char *up, size_t n, size_t pixel,
    unsigned char kind)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char left = i >= pixel ? row[i - pixel] : 0;

		if (kind == 1)
			row[i] = (unsigned char)(row[i] + left);
		else if (kind == 2)
			row[i] = (unsigned char)(row[i] + up[i]);
		else if (kind == 3)
			row[i] = (unsigned char)(row[i] + (left + up[i]) / 2);
		else if (kind == 4)
			row[i] = (unsigned char)(row[i] + paeth(left, up[i],
			    i >= pixel ? up[i - pixel] : 0));
	}
}

/* Each row has a byte before it that says how it was predicted. */
static struct slice
png(struct arena *a, struct slice s, size_t row, size_t pixel)
{
	size_t rows = (s.len + row) / (row + 1);
	unsigned char *out = arena_array(a, rows + 1, row);

	/* The first row is of zeros, above all others. */
	for (size_t i = 0; i < rows; i++) {
		struct slice in = slice_sub(s, i * (row + 1), row + 1);

		if (in.len > 1)
			memcpy(out + (i + 1) * row, in.ptr + 1, in.len - 1);
		png_row(out + (i + 1) * row, out + i * row, row, pixel,
		    (unsigned char)in.ptr[0]);
	}
	return slice_make(out + row, s.len - rows);
}

/* Each byte of a row is a difference from the pixel to the left. */
static struct slice
tiff(struct arena *a, struct slice s, size_t row, size_t pixel)
{
	unsigned char *out = arena_alloc(a, s.len);

	memcpy(out, s.ptr, s.len);
	for (size_t at = 0; at < s.len; at += row)
		png_row(out + at, NULL, s.len - at < row ? s.len - at : row,
		    pixel, 1);
	return slice_make(out, s.len);
}

/* ISO 32000-1, 7.4.4.4. */
static struct slice
unpredicted(struct arena *a, struct slice parameters, struct slice s,
    bool *whole_r)
{
	uint64_t predictor = number(parameters, "Predictor", 15, 1);
	uint64_t component = number(parameters, "BitsPerComponent", 16, 8);
	uint64_t bits = number(parameters, "Colors", COLORS, 1) * component;
	size_t row = (size_t)((number(parameters, "Columns", COLUMNS, 1) *
	    bits + 7) / 8), pixel = (size_t)((bits + 7) / 8);

	if (predictor <= 1 || s.len == 0)
		return s;
	if (row > 0 && predictor >= 10)
		return png(a, s, row, pixel);
	if (row > 0 && predictor == 2 && component == 8)
		return tiff(a, s, row, pixel);
	*whole_r = false;
	return s;
}

static bool
is(struct slice name, const char *full, const char *brief)
{
	name = slice_after(name, 1);
	return pdf_name_is(name, full) || pdf_name_is(name, brief);
}

struct slice
pdf_filter_undo(struct arena *a, struct slice name, struct slice parameters,
    struct slice s, size_t *left, bool *whole_r)
{
	struct filter f = { .out = buf_in(a), .left = left, .whole = true };
	struct slice out;
	uint64_t early = number(parameters, "EarlyChange", 1, 1);

	if (is(name, "FlateDecode", "Fl"))
		flate(&f, s);
	else if (is(name, "LZWDecode", "LZW"))
		lzw(&f, s, early != 0);
	else if (is(name, "ASCIIHexDecode", "AHx"))
		hex(&f, s);
	else if (is(name, "ASCII85Decode", "A85"))
		ascii85(&f, s);
	else if (is(name, "RunLengthDecode", "RL"))
		run_length(&f, s);
	else
		f.whole = false;
	out = buf_slice(&f.out);
	if (is(name, "FlateDecode", "Fl") || is(name, "LZWDecode", "LZW"))
		out = unpredicted(a, parameters, out, &f.whole);
	*whole_r = *whole_r && f.whole;
	return out;
}
