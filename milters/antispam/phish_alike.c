/* Names that look alike: what a label of a domain shows, in Latin letters. */
#include "phish_alike.h"

#include <stdlib.h>
#include <string.h>

#include "text/punycode.h"
#include "text/utf8.h"

/*
 * Letters that are taken for Latin ones: of Latin with marks, of Cyrillic,
 * Greek, Armenian and others. Ours; the idea is that of UTS #39. Debian ships
 * no confusables.txt (unicode-data 15.0 leaves it out).
 */
static const struct alike {
	uint16_t from;
	char to[3];
} alikes[] = {
	{ 0xb5, "u" }, { 0xd7, "x" }, { 0xdf, "ss" }, { 0xe0, "a" },
	{ 0xe1, "a" }, { 0xe2, "a" }, { 0xe3, "a" }, { 0xe4, "a" },
	{ 0xe5, "a" }, { 0xe6, "ae" }, { 0xe7, "c" }, { 0xe8, "e" },
	{ 0xe9, "e" }, { 0xea, "e" }, { 0xeb, "e" }, { 0xec, "i" },
	{ 0xed, "i" }, { 0xee, "i" }, { 0xef, "i" }, { 0xf1, "n" },
	{ 0xf2, "o" }, { 0xf3, "o" }, { 0xf4, "o" }, { 0xf5, "o" },
	{ 0xf6, "o" }, { 0xf8, "o" }, { 0xf9, "u" }, { 0xfa, "u" },
	{ 0xfb, "u" }, { 0xfc, "u" }, { 0xfd, "y" }, { 0xfe, "th" },
	{ 0xff, "y" }, { 0x101, "a" }, { 0x103, "a" }, { 0x105, "a" },
	{ 0x107, "c" }, { 0x109, "c" }, { 0x10b, "c" }, { 0x10d, "c" },
	{ 0x10f, "d" }, { 0x111, "d" }, { 0x113, "e" }, { 0x115, "e" },
	{ 0x117, "e" }, { 0x119, "e" }, { 0x11b, "e" }, { 0x11d, "g" },
	{ 0x11f, "g" }, { 0x121, "g" }, { 0x123, "g" }, { 0x125, "h" },
	{ 0x127, "h" }, { 0x129, "i" }, { 0x12b, "i" }, { 0x12d, "i" },
	{ 0x12f, "i" }, { 0x131, "i" }, { 0x135, "j" }, { 0x137, "k" },
	{ 0x138, "k" }, { 0x13a, "l" }, { 0x13c, "l" }, { 0x13e, "l" },
	{ 0x140, "l" }, { 0x142, "l" }, { 0x144, "n" }, { 0x146, "n" },
	{ 0x148, "n" }, { 0x14b, "n" }, { 0x14d, "o" }, { 0x14f, "o" },
	{ 0x151, "o" }, { 0x153, "oe" }, { 0x155, "r" }, { 0x157, "r" },
	{ 0x159, "r" }, { 0x15b, "s" }, { 0x15d, "s" }, { 0x15f, "s" },
	{ 0x161, "s" }, { 0x163, "t" }, { 0x165, "t" }, { 0x167, "t" },
	{ 0x169, "u" }, { 0x16b, "u" }, { 0x16d, "u" }, { 0x16f, "u" },
	{ 0x171, "u" }, { 0x173, "u" }, { 0x175, "w" }, { 0x177, "y" },
	{ 0x17a, "z" }, { 0x17c, "z" }, { 0x17e, "z" }, { 0x17f, "f" },
	{ 0x185, "b" }, { 0x188, "c" }, { 0x192, "f" }, { 0x199, "k" },
	{ 0x19e, "n" }, { 0x1a1, "o" }, { 0x1ad, "t" }, { 0x1b0, "u" },
	{ 0x1b4, "y" }, { 0x1b6, "z" }, { 0x1bd, "s" }, { 0x1bf, "p" },
	{ 0x1c0, "l" }, { 0x1ce, "a" }, { 0x1d0, "i" }, { 0x1d2, "o" },
	{ 0x1d4, "u" }, { 0x1d6, "u" }, { 0x1d8, "u" }, { 0x1da, "u" },
	{ 0x1dc, "u" }, { 0x1df, "a" }, { 0x1e1, "a" }, { 0x1e5, "g" },
	{ 0x1e7, "g" }, { 0x1e9, "k" }, { 0x1eb, "o" }, { 0x1ed, "o" },
	{ 0x1f0, "j" }, { 0x1f5, "g" }, { 0x1f9, "n" }, { 0x1fb, "a" },
	{ 0x201, "a" }, { 0x203, "a" }, { 0x205, "e" }, { 0x207, "e" },
	{ 0x209, "i" }, { 0x20b, "i" }, { 0x20d, "o" }, { 0x20f, "o" },
	{ 0x211, "r" }, { 0x213, "r" }, { 0x215, "u" }, { 0x217, "u" },
	{ 0x219, "s" }, { 0x21b, "t" }, { 0x21f, "h" }, { 0x227, "a" },
	{ 0x229, "e" }, { 0x22b, "o" }, { 0x22d, "o" }, { 0x22f, "o" },
	{ 0x231, "o" }, { 0x233, "y" }, { 0x24d, "r" }, { 0x251, "a" },
	{ 0x253, "b" }, { 0x255, "c" }, { 0x256, "d" }, { 0x257, "d" },
	{ 0x259, "e" }, { 0x25b, "e" }, { 0x260, "g" }, { 0x261, "g" },
	{ 0x266, "h" }, { 0x268, "i" }, { 0x269, "i" }, { 0x26b, "l" },
	{ 0x26d, "l" }, { 0x26f, "w" }, { 0x271, "m" }, { 0x272, "n" },
	{ 0x275, "o" }, { 0x27e, "r" }, { 0x280, "r" }, { 0x282, "s" },
	{ 0x28b, "u" }, { 0x28f, "y" }, { 0x290, "z" }, { 0x291, "z" },
	{ 0x29d, "j" }, { 0x2a0, "q" }, { 0x390, "i" }, { 0x3ae, "n" },
	{ 0x3af, "i" }, { 0x3b1, "a" }, { 0x3b3, "y" }, { 0x3b5, "e" },
	{ 0x3b7, "n" }, { 0x3b9, "i" }, { 0x3ba, "k" }, { 0x3bc, "u" },
	{ 0x3bd, "v" }, { 0x3bf, "o" }, { 0x3c1, "p" }, { 0x3c2, "c" },
	{ 0x3c3, "o" }, { 0x3c4, "t" }, { 0x3c5, "u" }, { 0x3c7, "x" },
	{ 0x3c9, "w" }, { 0x3ca, "i" }, { 0x3cc, "o" }, { 0x3cd, "u" },
	{ 0x3ce, "w" }, { 0x3dd, "f" }, { 0x3f2, "c" }, { 0x3f3, "j" },
	{ 0x42c, "b" }, { 0x430, "a" }, { 0x432, "b" }, { 0x433, "r" },
	{ 0x435, "e" }, { 0x43a, "k" }, { 0x43c, "m" }, { 0x43d, "h" },
	{ 0x43e, "o" }, { 0x43f, "n" }, { 0x440, "p" }, { 0x441, "c" },
	{ 0x442, "t" }, { 0x443, "y" }, { 0x445, "x" }, { 0x446, "u" },
	{ 0x448, "w" }, { 0x44a, "b" }, { 0x44c, "b" }, { 0x454, "e" },
	{ 0x455, "s" }, { 0x456, "i" }, { 0x457, "i" }, { 0x458, "j" },
	{ 0x45e, "y" }, { 0x461, "w" }, { 0x475, "v" }, { 0x48f, "p" },
	{ 0x49b, "k" }, { 0x49d, "k" }, { 0x4ab, "c" }, { 0x4af, "y" },
	{ 0x4b3, "x" }, { 0x4bb, "h" }, { 0x4bd, "e" }, { 0x4c4, "k" },
	{ 0x4ca, "h" }, { 0x4cf, "i" }, { 0x4d1, "a" }, { 0x4d3, "a" },
	{ 0x4d5, "ae" }, { 0x4d7, "e" }, { 0x4e9, "o" }, { 0x501, "d" },
	{ 0x51b, "q" }, { 0x51d, "w" }, { 0x563, "q" }, { 0x566, "q" },
	{ 0x56a, "d" }, { 0x570, "h" }, { 0x572, "n" }, { 0x575, "j" },
	{ 0x578, "n" }, { 0x57c, "n" }, { 0x57d, "u" }, { 0x581, "g" },
	{ 0x585, "o" }, { 0x5d8, "v" }, { 0x966, "o" }, { 0x9e6, "o" },
	{ 0xbe6, "o" }, { 0xe50, "o" }, { 0xed0, "o" }, { 0x10e7, "y" },
	{ 0x10ff, "o" }, { 0x13c2, "h" }, { 0x13cf, "b" }, { 0x1d00, "a" },
	{ 0x1d04, "c" }, { 0x1d0b, "k" }, { 0x1d0d, "m" }, { 0x1d0e, "n" },
	{ 0x1d0f, "o" }, { 0x1d1c, "u" }, { 0x1d20, "v" }, { 0x1d21, "w" },
	{ 0x1d22, "z" }, { 0x1d26, "r" }, { 0x1d83, "g" }, { 0x1e01, "a" },
	{ 0x1e03, "b" }, { 0x1e05, "b" }, { 0x1e07, "b" }, { 0x1e09, "c" },
	{ 0x1e0b, "d" }, { 0x1e0d, "d" }, { 0x1e0f, "d" }, { 0x1e11, "d" },
	{ 0x1e13, "d" }, { 0x1e15, "e" }, { 0x1e17, "e" }, { 0x1e19, "e" },
	{ 0x1e1b, "e" }, { 0x1e1d, "e" }, { 0x1e1f, "f" }, { 0x1e21, "g" },
	{ 0x1e23, "h" }, { 0x1e25, "h" }, { 0x1e27, "h" }, { 0x1e29, "h" },
	{ 0x1e2b, "h" }, { 0x1e2d, "i" }, { 0x1e2f, "i" }, { 0x1e31, "k" },
	{ 0x1e33, "k" }, { 0x1e35, "k" }, { 0x1e37, "l" }, { 0x1e39, "l" },
	{ 0x1e3b, "l" }, { 0x1e3d, "l" }, { 0x1e3f, "m" }, { 0x1e41, "m" },
	{ 0x1e43, "m" }, { 0x1e45, "n" }, { 0x1e47, "n" }, { 0x1e49, "n" },
	{ 0x1e4b, "n" }, { 0x1e4d, "o" }, { 0x1e4f, "o" }, { 0x1e51, "o" },
	{ 0x1e53, "o" }, { 0x1e55, "p" }, { 0x1e57, "p" }, { 0x1e59, "r" },
	{ 0x1e5b, "r" }, { 0x1e5d, "r" }, { 0x1e5f, "r" }, { 0x1e61, "s" },
	{ 0x1e63, "s" }, { 0x1e65, "s" }, { 0x1e67, "s" }, { 0x1e69, "s" },
	{ 0x1e6b, "t" }, { 0x1e6d, "t" }, { 0x1e6f, "t" }, { 0x1e71, "t" },
	{ 0x1e73, "u" }, { 0x1e75, "u" }, { 0x1e77, "u" }, { 0x1e79, "u" },
	{ 0x1e7b, "u" }, { 0x1e7d, "v" }, { 0x1e7f, "v" }, { 0x1e81, "w" },
	{ 0x1e83, "w" }, { 0x1e85, "w" }, { 0x1e87, "w" }, { 0x1e89, "w" },
	{ 0x1e8b, "x" }, { 0x1e8d, "x" }, { 0x1e8f, "y" }, { 0x1e91, "z" },
	{ 0x1e93, "z" }, { 0x1e95, "z" }, { 0x1e96, "h" }, { 0x1e97, "t" },
	{ 0x1e98, "w" }, { 0x1e99, "y" }, { 0x1e9d, "f" }, { 0x1ea1, "a" },
	{ 0x1ea3, "a" }, { 0x1ea5, "a" }, { 0x1ea7, "a" }, { 0x1ea9, "a" },
	{ 0x1eab, "a" }, { 0x1ead, "a" }, { 0x1eaf, "a" }, { 0x1eb1, "a" },
	{ 0x1eb3, "a" }, { 0x1eb5, "a" }, { 0x1eb7, "a" }, { 0x1eb9, "e" },
	{ 0x1ebb, "e" }, { 0x1ebd, "e" }, { 0x1ebf, "e" }, { 0x1ec1, "e" },
	{ 0x1ec3, "e" }, { 0x1ec5, "e" }, { 0x1ec7, "e" }, { 0x1ec9, "i" },
	{ 0x1ecb, "i" }, { 0x1ecd, "o" }, { 0x1ecf, "o" }, { 0x1ed1, "o" },
	{ 0x1ed3, "o" }, { 0x1ed5, "o" }, { 0x1ed7, "o" }, { 0x1ed9, "o" },
	{ 0x1edb, "o" }, { 0x1edd, "o" }, { 0x1edf, "o" }, { 0x1ee1, "o" },
	{ 0x1ee3, "o" }, { 0x1ee5, "u" }, { 0x1ee7, "u" }, { 0x1ee9, "u" },
	{ 0x1eeb, "u" }, { 0x1eed, "u" }, { 0x1eef, "u" }, { 0x1ef1, "u" },
	{ 0x1ef3, "y" }, { 0x1ef5, "y" }, { 0x1ef7, "y" }, { 0x1ef9, "y" },
	{ 0x1eff, "y" }, { 0x1fb3, "a" }, { 0x217c, "l" }, { 0xa731, "s" },
};

static int
compare(const void *key, const void *row)
{
	return (int)*(const uint32_t *)key - ((const struct alike *)row)->from;
}

static const char *
alike(uint32_t cp)
{
	const struct alike *row = cp > 0xffff ? NULL : bsearch(&cp, alikes,
	    sizeof alikes / sizeof *alikes, sizeof *alikes, compare);

	return row != NULL ? row->to : NULL;
}

/* Two letters that look like one, and digits like letters. */
static const struct pair {
	char two[3], one;
} pairs[] = { { "rn", 'm' }, { "vv", 'w' } };

static char
digit_alike(char c)
{
	return c == '0' ? 'o' : c == '1' ? 'l' : c == '3' ? 'e' : c == '5' ?
	    's' : c == '4' ? 'a' : c;
}

static struct slice
fold(struct arena *a, struct slice s)
{
	char *out = arena_alloc(a, s.len + 1);
	size_t n = 0;

	for (size_t i = 0; i < s.len; i++) {
		char c = digit_alike(s.ptr[i]);

		for (size_t k = 0; k < sizeof pairs / sizeof *pairs; k++)
			if (i + 1 < s.len && s.ptr[i] == pairs[k].two[0] &&
			    s.ptr[i + 1] == pairs[k].two[1]) {
				c = pairs[k].one;
				i++;
				break;
			}
		/* What is told apart by a dot alone is not told apart. */
		out[n++] = c == 'i' ? 'l' : c;
	}
	return slice_make(out, n);
}

struct slice
alike_skeleton(struct arena *a, struct slice label)
{
	struct buf utf8 = buf_in(a), out = buf_in(a);
	struct slice rest;
	char bytes[4];
	uint32_t cp;

	if (!punycode_decode(label, &utf8))
		return fold(a, label);
	for (rest = buf_slice(&utf8); utf8_next(&rest, &cp);) {
		const char *to = alike(cp);

		if (to != NULL)
			buf_adds(&out, to);
		else if (cp < 0x80)
			buf_addc(&out, ascii_lower((char)cp));
		else
			buf_add(&out, slice_make(bytes,
			    utf8_put(bytes, cp)));
	}
	return fold(a, buf_slice(&out));
}

/* Mathematical letters: 13 alphabets, capitals and small ones in turn. */
static uint32_t
of_mathematics(uint32_t cp)
{
	return cp >= 0x1d400 && cp < 0x1d6a4 ? 'a' + (cp - 0x1d400) % 26 : cp;
}

struct slice
alike_letters(struct arena *a, struct slice text)
{
	struct buf out = buf_in(a);
	char bytes[4];
	uint32_t cp;

	while (utf8_next(&text, &cp)) {
		const char *to;

		cp = of_mathematics(cp);
		if ((to = alike(cp)) != NULL)
			buf_adds(&out, to);
		else
			buf_add(&out, slice_make(bytes,
			    utf8_put(bytes, cp)));
	}
	return buf_slice(&out);
}

/* ---- edits ---- */

bool
alike_edited(struct slice a, struct slice b)
{
	size_t head = 0, tail = 0, m, n;

	if (slice_eq(a, b) || a.len > b.len + 1 || b.len > a.len + 1)
		return false;
	while (head < a.len && head < b.len && a.ptr[head] == b.ptr[head])
		head++;
	while (tail < a.len - head && tail < b.len - head &&
	    a.ptr[a.len - 1 - tail] == b.ptr[b.len - 1 - tail])
		tail++;
	m = a.len - head - tail;
	n = b.len - head - tail;
	return (m <= 1 && n <= 1) || (m == 2 && n == 2 &&
	    a.ptr[head] == b.ptr[head + 1] && a.ptr[head + 1] == b.ptr[head]);
}

/* ---- scripts ---- */

/* Of the letters that are mixed to deceive; 0: any other. */
static unsigned
script(uint32_t cp)
{
	if ((cp < 0x80 && ascii_alpha((char)cp)) ||
	    (cp >= 0xc0 && cp < 0x250 && cp != 0xd7 && cp != 0xf7) ||
	    (cp >= 0x1e00 && cp < 0x1f00))
		return 1;		/* Latin */
	if (cp >= 0x370 && cp < 0x400)
		return 2;		/* Greek */
	if (cp >= 0x400 && cp < 0x530)
		return 4;		/* Cyrillic */
	if (cp >= 0x530 && cp < 0x590)
		return 8;		/* Armenian */
	return cp >= 0x13a0 && cp < 0x1400 ? 16 : 0;	/* Cherokee */
}

bool
alike_mixed(struct arena *a, struct slice label)
{
	struct buf utf8 = buf_in(a);
	unsigned seen = 0;
	struct slice rest;
	uint32_t cp;

	if (!punycode_decode(label, &utf8))
		return false;
	for (rest = buf_slice(&utf8); utf8_next(&rest, &cp);)
		seen |= script(cp);
	return (seen & (seen - 1)) != 0;
}

bool
alike_words(struct slice text)
{
	unsigned seen = 0;
	uint32_t cp;

	while (utf8_next(&text, &cp)) {
		unsigned now = script(cp);

		/* What is no letter that could deceive ends the word. */
		seen = now == 0 && cp < 0x80 ? 0 : seen | now;
		if ((seen & (seen - 1)) != 0)
			return true;
	}
	return false;
}

struct slice
alike_shown(struct arena *a, struct slice host)
{
	struct buf out = buf_in(a);

	for (struct slice rest = host; rest.ptr != NULL;) {
		struct slice label = slice_cut(rest, '.', &rest);

		if (!punycode_decode(label, &out))
			buf_add(&out, label);
		if (rest.ptr != NULL)
			buf_addc(&out, '.');
	}
	return buf_slice(&out);
}
