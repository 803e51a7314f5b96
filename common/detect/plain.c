#include "detect/plain.h"

#include <string.h>

#include "text/utf8.h"

/* Where ten decimal digits begin (Unicode, general category Nd). */
static const uint32_t zeros[] = { 0x0660, 0x06f0, 0x07c0, 0x0966, 0x09e6,
    0x0a66, 0x0ae6, 0x0b66, 0x0be6, 0x0c66, 0x0ce6, 0x0d66, 0x0de6, 0x0e50,
    0x0ed0, 0x0f20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80,
    0x1a90, 0x1b50, 0x1bb0, 0x1c40, 0x1c50, 0xa620, 0xa8d0, 0xa900, 0xa9d0,
    0xa9f0, 0xaa50, 0xabf0, 0xff10, 0x104a0, 0x1d7ce, 0x1d7d8, 0x1d7e2,
    0x1d7ec, 0x1d7f6, 0x1fbf0 };

static bool
blank(uint32_t cp)
{
	return cp == 0xa0 || cp == 0x1680 || (cp >= 0x2000 && cp <= 0x200a) ||
	    cp == 0x202f || cp == 0x205f || cp == 0x3000;
}

static bool
dash(uint32_t cp)
{
	return (cp >= 0x2010 && cp <= 0x2015) || cp == 0x2212 ||
	    cp == 0x2e3a || cp == 0x2e3b || cp == 0xfe58 || cp == 0xfe63 ||
	    cp == 0xff0d;
}

/* Digits above ASCII, as '0' to '9'; 0: none. */
static char
digit(uint32_t cp)
{
	for (size_t i = 0; i < sizeof zeros / sizeof zeros[0]; i++)
		if (cp >= zeros[i] && cp < zeros[i] + 10)
			return (char)('0' + (cp - zeros[i]));
	/* Superscripts and subscripts are read as digits too. */
	if (cp == 0xb9 || cp == 0xb2 || cp == 0xb3)
		return cp == 0xb9 ? '1' : cp == 0xb2 ? '2' : '3';
	if (cp == 0x2070 || (cp >= 0x2074 && cp <= 0x2079))
		return (char)('0' + (cp - 0x2070));
	if (cp >= 0x2080 && cp <= 0x2089)
		return (char)('0' + (cp - 0x2080));
	return '\0';
}

/* Pairs of a capital and the small letter behind it. */
static bool
paired(uint32_t cp, uint32_t first, uint32_t last)
{
	return cp >= first && cp <= last && (cp - first) % 2 == 0;
}

/* The small letter of a capital (Unicode, simple case folding) of the scripts
 * that have the two and that keywords are written in. */
static uint32_t
small(uint32_t cp)
{
	if ((cp >= 0xc0 && cp <= 0xde && cp != 0xd7) ||
	    (cp >= 0x391 && cp <= 0x3ab && cp != 0x3a2) ||
	    (cp >= 0x410 && cp <= 0x42f))
		return cp + 0x20;
	if (cp >= 0x400 && cp <= 0x40f)
		return cp + 0x50;
	if (paired(cp, 0x100, 0x137) || paired(cp, 0x139, 0x147) ||
	    paired(cp, 0x14a, 0x176) || paired(cp, 0x179, 0x17d) ||
	    paired(cp, 0x460, 0x480) || paired(cp, 0x48a, 0x4be) ||
	    paired(cp, 0x1e00, 0x1e94) || paired(cp, 0x1ea0, 0x1efe))
		return cp + 1;
	if (cp == 0x386 || (cp >= 0x388 && cp <= 0x38a))
		return cp == 0x386 ? 0x3ac : cp + 0x25;
	if (cp == 0x38c || cp == 0x38e || cp == 0x38f)
		return cp == 0x38c ? 0x3cc : cp + 0x3f;
	return cp == 0x178 ? 0xff : cp;
}

/* What one code point becomes, at *out. */
static char *
put(char *out, uint32_t cp, struct slice as_written)
{
	char c;

	if (cp == UTF8_BAD || blank(cp)) {
		*out++ = ' ';
	} else if (utf8_unseen(cp) || utf8_bidi(cp)) {
		return out;
	} else if (dash(cp)) {
		*out++ = '-';
	} else if (cp > 0xff10 + 9 && cp <= 0xff5e) {
		*out++ = (char)(cp - 0xff01 + '!');
	} else if ((c = digit(cp)) != '\0') {
		*out++ = c;
	} else if (small(cp) != cp) {
		out += utf8_put(out, small(cp));
	} else {
		memcpy(out, as_written.ptr, as_written.len);
		out += as_written.len;
	}
	return out;
}

static size_t
ascii_run(struct slice s)
{
	size_t n = 0;
	uint64_t eight;

	for (; n + 8 <= s.len; n += 8) {
		memcpy(&eight, s.ptr + n, 8);
		if ((eight & UINT64_C(0x8080808080808080)) != 0)
			break;
	}
	while (n < s.len && (unsigned char)s.ptr[n] < 0x80)
		n++;
	return n;
}

struct slice
plain_text(struct arena *a, struct slice text)
{
	size_t n = ascii_run(text);
	char *start, *out;

	if (n == text.len)
		return text;
	start = out = arena_alloc(a, text.len);
	for (;;) {
		struct slice rest = slice_after(text, n), next = rest;
		uint32_t cp;

		if (n > 0)
			memcpy(out, text.ptr, n);
		out += n;
		if (!utf8_next(&next, &cp))
			break;
		out = put(out, cp, slice_sub(rest, 0, rest.len - next.len));
		text = next;
		n = ascii_run(text);
	}
	return slice_make(start, (size_t)(out - start));
}
