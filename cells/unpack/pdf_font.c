#include "cells/unpack/pdf_font.h"

#include <stdlib.h>
#include <string.h>

#include "text/utf8.h"

enum { RANGES = 70000, CODE = 4, DESTINATION = 64 };

/* ---- strings ---- */

/* Behind a backslash; how many bytes that were. */
static size_t
escaped(struct slice s, struct buf *out)
{
	static const char from[] = "nrtbf", to[] = "\n\r\t\b\f";
	const char *which;
	unsigned value = 0;
	size_t n = 0;

	while (n < 3 && n < s.len && s.ptr[n] >= '0' && s.ptr[n] <= '7')
		value = value * 8 + (unsigned)(s.ptr[n++] - '0');
	if (n > 0) {
		buf_addc(out, (char)value);
		return n;
	}
	if (s.len == 0)
		return 0;
	if (s.ptr[0] == '\r' || s.ptr[0] == '\n')
		return slice_starts(s, SLICE("\r\n")) ? 2 : 1;
	which = s.ptr[0] != '\0' ? strchr(from, s.ptr[0]) : NULL;
	buf_addc(out, which != NULL ? to[which - from] : s.ptr[0]);
	return 1;
}

static void
hex_string(struct slice s, struct buf *out)
{
	int high = -1;

	for (size_t i = 0; i < s.len; i++) {
		int digit = ascii_hex(s.ptr[i]);

		if (digit < 0)
			continue;
		if (high >= 0)
			buf_addc(out, (char)(high << 4 | digit));
		high = high >= 0 ? -1 : digit;
	}
	if (high >= 0)
		buf_addc(out, (char)(high << 4));
}

void
pdf_string(struct slice written, struct buf *out)
{
	struct slice s = slice_after(written, 1);

	if (slice_ends(s, SLICE(")")) || slice_ends(s, SLICE(">")))
		s.len--;
	if (slice_starts(written, SLICE("<"))) {
		hex_string(s, out);
		return;
	}
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] == '\\')
			i += escaped(slice_after(s, i + 1), out);
		else
			buf_addc(out, s.ptr[i]);
	}
}

static uint32_t
unit_at(struct slice s, size_t i, bool little)
{
	unsigned a = (unsigned char)s.ptr[i], b = (unsigned char)s.ptr[i + 1];

	return little ? b << 8 | a : a << 8 | b;
}

/* By hand: iconv(3) would read files, and behind the cell's walls there are
 * none. A surrogate without its other half is U+FFFD. */
static void
from_utf16(struct slice s, bool little, struct buf *out)
{
	char utf8[4];

	for (size_t i = 0; i + 2 <= s.len; i += 2) {
		uint32_t cp = unit_at(s, i, little), low;

		if (cp >= 0xd800 && cp < 0xdc00 && i + 4 <= s.len &&
		    (low = unit_at(s, i + 2, little)) >= 0xdc00 &&
		    low < 0xe000) {
			cp = 0x10000 + ((cp - 0xd800) << 10) + (low - 0xdc00);
			i += 2;
		}
		buf_add(out, slice_make(utf8, utf8_put(utf8, cp)));
	}
}

/* windows-1252, which is near to all encodings of one byte in use. */
static void
from_byte(unsigned char c, struct buf *out)
{
	static const uint16_t high[32] = { 0x20ac, 0x81, 0x201a, 0x192,
	    0x201e, 0x2026, 0x2020, 0x2021, 0x2c6, 0x2030, 0x160, 0x2039,
	    0x152, 0x8d, 0x17d, 0x8f, 0x90, 0x2018, 0x2019, 0x201c, 0x201d,
	    0x2022, 0x2013, 0x2014, 0x2dc, 0x2122, 0x161, 0x203a, 0x153,
	    0x9d, 0x17e, 0x178 };
	char utf8[4];

	buf_add(out, slice_make(utf8, utf8_put(utf8, c >= 0x80 && c < 0xa0 ?
	    high[c - 0x80] : c)));
}

void
pdf_words(struct slice s, struct buf *out)
{
	if (slice_starts(s, SLICE("\xfe\xff")))
		from_utf16(slice_after(s, 2), false, out);
	else if (slice_starts(s, SLICE("\xff\xfe")))
		from_utf16(slice_after(s, 2), true, out);
	else if (slice_starts(s, SLICE("\xef\xbb\xbf")))
		buf_add(out, slice_after(s, 3));
	else
		for (size_t i = 0; i < s.len; i++)
			from_byte((unsigned char)s.ptr[i], out);
}

/* ---- ToUnicode ---- */

static uint32_t
code_of(struct slice written, size_t *bytes_r)
{
	struct buf out = { 0 };
	uint32_t code = 0;

	hex_string(written, &out);
	*bytes_r = out.len;
	for (size_t i = 0; i < out.len && i < CODE; i++)
		code = code << 8 | (unsigned char)out.ptr[i];
	buf_free(&out);
	return code;
}

static void
destination(struct pdf *pdf, struct slice written, struct pdf_range *r)
{
	struct buf bytes = buf_in(pdf->arena), utf8 = buf_in(pdf->arena);
	struct slice rest;

	hex_string(slice_sub(written, 0, DESTINATION), &bytes);
	from_utf16(buf_slice(&bytes), false, &utf8);
	rest = buf_slice(&utf8);
	if (utf8_next(&rest, &r->cp) && rest.len == 0)
		return;
	r->cp = 0;
	r->text = buf_slice(&utf8);
}

static void
add_range(struct pdf *pdf, struct pdf_font *f, uint32_t low, uint32_t high,
    struct slice to)
{
	if (f->nranges == RANGES || high < low) {
		pdf->whole = false;
		return;
	}
	if (f->nranges == f->cap) {
		struct pdf_range *more = arena_array(pdf->arena,
		    f->cap * 2 + 64, sizeof *more);

		if (f->nranges > 0)
			memcpy(more, f->ranges, f->nranges * sizeof *more);
		f->ranges = more;
		f->cap = f->cap * 2 + 64;
	}
	f->ranges[f->nranges] = (struct pdf_range){ .low = low, .high = high };
	destination(pdf, to, &f->ranges[f->nranges++]);
}

/* "<0041> <0041>" lines until `end`. */
static struct slice
chars(struct pdf *pdf, struct pdf_font *f, struct slice rest)
{
	struct slice from, to;
	size_t n;

	while (pdf_value(rest, &from, &rest) &&
	    slice_starts(from, SLICE("<")) && pdf_value(rest, &to, &rest)) {
		uint32_t code = code_of(from, &n);

		f->wide = f->wide || n > 1;
		add_range(pdf, f, code, code, to);
	}
	return rest;
}

/* "<00> <05> <0041>", or "[<0041> <0043>]" for each of them. */
static struct slice
ranges(struct pdf *pdf, struct pdf_font *f, struct slice rest)
{
	struct slice low, high, to, one;
	size_t n;

	while (pdf_value(rest, &low, &rest) &&
	    slice_starts(low, SLICE("<")) && pdf_value(rest, &high, &rest) &&
	    pdf_value(rest, &to, &rest)) {
		uint32_t from = code_of(low, &n), last = code_of(high, &n);

		f->wide = f->wide || n > 1;
		if (!slice_starts(to, SLICE("["))) {
			add_range(pdf, f, from, last, to);
			continue;
		}
		to = slice_after(to, 1);
		for (; from <= last && pdf_value(to, &one, &to) &&
		    slice_starts(one, SLICE("<")); from++)
			add_range(pdf, f, from, from, one);
	}
	return rest;
}

static int
by_low(const void *a, const void *b)
{
	const struct pdf_range *x = a, *y = b;

	return x->low < y->low ? -1 : x->low > y->low;
}

static void
read_map(struct pdf *pdf, struct pdf_font *f, struct slice map)
{
	struct slice rest = map, word, value;
	size_t n;

	while (pdf_value(rest, &word, &rest)) {
		if (slice_eq(word, SLICE("beginbfchar")))
			rest = chars(pdf, f, rest);
		else if (slice_eq(word, SLICE("beginbfrange")))
			rest = ranges(pdf, f, rest);
		else if (slice_eq(word, SLICE("begincodespacerange")) &&
		    pdf_value(rest, &value, &rest)) {
			code_of(value, &n);
			f->wide = n > 1;
		}
	}
	if (f->nranges > 0)
		qsort(f->ranges, f->nranges, sizeof *f->ranges, by_low);
}

/* ---- encodings ---- */

/* Names of glyphs that numbers and addresses are made of. */
static const char *
glyph(struct arena *a, struct slice name)
{
	static const struct { const char *name, *is; } known[] = {
		{ "zero", "0" }, { "one", "1" }, { "two", "2" },
		{ "three", "3" }, { "four", "4" }, { "five", "5" },
		{ "six", "6" }, { "seven", "7" }, { "eight", "8" },
		{ "nine", "9" }, { "space", " " }, { "hyphen", "-" },
		{ "minus", "-" }, { "period", "." }, { "comma", "," },
		{ "slash", "/" }, { "colon", ":" }, { "at", "@" },
		{ "underscore", "_" }, { "plus", "+" }, { "parenleft", "(" },
		{ "parenright", ")" }, { "endash", "-" }, { "emdash", "-" },
		{ "quoteright", "'" }, { "fi", "fi" }, { "fl", "fl" },
		{ "ff", "ff" }, { "ffi", "ffi" }, { "nbspace", " " },
	};
	struct slice hex = slice_after(name, 3);
	uint32_t cp = 0;
	char out[5] = { 0 };

	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (slice_eq(name, slice_of(known[i].name)))
			return known[i].is;
	if (name.len == 1)
		return arena_str(a, name);
	if (!slice_starts(name, SLICE("uni")) || hex.len != 4)
		return NULL;
	for (size_t i = 0; i < 4; i++) {
		if (ascii_hex(hex.ptr[i]) < 0)
			return NULL;
		cp = cp << 4 | (uint32_t)ascii_hex(hex.ptr[i]);
	}
	return arena_copy(a, slice_make(out, utf8_put(out, cp))).ptr;
}

static void
read_differences(struct pdf *pdf, struct pdf_font *f, struct slice list)
{
	struct slice value;
	uint64_t code = 0;

	if (!slice_starts(list, SLICE("[")))
		return;
	list = slice_after(list, 1);
	f->named = true;
	while (pdf_value(list, &value, &list) && !slice_eq(value, SLICE("]"))) {
		if (slice_starts(value, SLICE("/"))) {
			const char *is = glyph(pdf->arena,
			    slice_after(value, 1));

			if (code < 256)
				f->names[code] = is != NULL ? is : "\x1a";
			code++;
		} else if (!slice_number(value, 255, &code)) {
			return;
		}
	}
}

void
pdf_font_read(struct pdf *pdf, struct slice dictionary,
    struct pdf_font *font_r)
{
	struct slice map = pdf_find(pdf, pdf_get(dictionary, "ToUnicode"));
	struct slice encoding = pdf_find(pdf, pdf_get(dictionary, "Encoding"));
	struct slice descriptor = pdf_find(pdf, pdf_get(dictionary,
	    "FontDescriptor"));
	bool composite = slice_starts(pdf_get(dictionary, "Subtype"),
	    SLICE("/Type0")), whole;

	*font_r = (struct pdf_font){ .wide = composite };
	if (map.len > 0) {
		read_map(pdf, font_r, pdf_stream(pdf, map, &whole));
		pdf->whole = pdf->whole && whole;
		font_r->wide = font_r->wide || composite;
	}
	if (!composite)
		read_differences(pdf, font_r, pdf_find(pdf, pdf_get(encoding,
		    "Differences")));
	/* Glyphs by number, or of a program of its own: who knows. */
	font_r->mute = font_r->nranges == 0 && (composite ||
	    (encoding.len == 0 && (pdf_get(descriptor, "FontFile").len > 0 ||
	    pdf_get(descriptor, "FontFile2").len > 0 ||
	    pdf_get(descriptor, "FontFile3").len > 0)));
}

static const struct pdf_range *
range_of(const struct pdf_font *f, uint32_t code)
{
	size_t low = 0, high = f->nranges;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (f->ranges[mid].low <= code)
			low = mid + 1;
		else
			high = mid;
	}
	return low > 0 && f->ranges[low - 1].high >= code ?
	    &f->ranges[low - 1] : NULL;
}

static bool
put_code(const struct pdf_font *f, uint32_t code, struct buf *out)
{
	const struct pdf_range *r = range_of(f, code);
	char utf8[4];

	if (r != NULL && r->cp == 0) {
		buf_add(out, r->text);
		return true;
	}
	if (r != NULL) {
		buf_add(out, slice_make(utf8, utf8_put(utf8,
		    r->cp + (code - r->low))));
		return true;
	}
	if (f->wide || f->mute)
		return false;
	if (f->names[code & 255] != NULL) {
		buf_adds(out, f->names[code & 255]);
		return f->names[code & 255][0] != '\x1a';
	}
	from_byte((unsigned char)code, out);
	return true;
}

bool
pdf_font_put(const struct pdf_font *font, struct slice bytes, struct buf *out)
{
	size_t step = font->wide ? 2 : 1;
	bool good = true;

	for (size_t i = 0; i + step <= bytes.len; i += step) {
		uint32_t code = (unsigned char)bytes.ptr[i];

		if (font->wide)
			code = code << 8 | (unsigned char)bytes.ptr[i + 1];
		if (!put_code(font, code, out))
			good = false;
	}
	return good;
}
