#include "text/lookalike.h"

#include <string.h>

#include "base/buf.h"
#include "text/punycode.h"
#include "text/utf8.h"

/* ---- letters ---- */

/* Latin letters with something to them, and what is left without it (Unicode's
 * NFKD, and by eye for those that have none). '.': nothing Latin. */
static const struct range {
	uint32_t first, last;
	const char *letters;
} latin[] = {
	{ 0xc0, 0x24f,
	    "aaaaaaaceeeeiiiidnooooo.ouuuuypsaaaaaaaceeeeiiiidnooooo."
	    "ouuuuypyaaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiii"
	    "iiiijjkkkllllll..llnnnnnn.nnoooooooorrrrrrsssssssstttttt"
	    "uuuuuuuuuuuuwwyyyzzzzzzsbbbb..cccdddd...effg..iikkl.wnno"
	    "oo..ppr....ttttuu.vyyzz.............dddlllnnnaaiioouuuuu"
	    "uuuuu.aaaa....ggkkoooo..jdddgg..nnaa....aaaaeeeeiiiioooo"
	    "rrrruuuusstt..hhnd....aaeeooooooooyylntj.....l.sz..bu.ee"
	    "jj..rryy" },
	{ 0x250, 0x2af,
	    ".a.bc.dd...e....ggg...h.iii....w.mnnno......rrr.r.s....."
	    "tu.v.m.yzz.......b..h..l................" },
	{ 0x1e00, 0x1eff,
	    "aabbbbbbccddddddddddeeeeeeeeeeffgghhhhhhhhhhiiiikkkkkkll"
	    "llllllmmmmmmnnnnnnnnoooooooopppprrrrrrrrsssssssssstttttt"
	    "ttuuuuuuuuuuvvvvwwwwwwwwwwxxxxyyzzzzzzhtwy.s..s.aaaaaaaa"
	    "aaaaaaaaaaaaaaaaeeeeeeeeeeeeeeeeiiiioooooooooooooooooooo"
	    "oooouuuuuuuuuuuuuuyyyyyyyy......" },
};

/* Letters of other scripts and the Latin one that they look like. Sorted. */
static const struct alike {
	uint16_t cp;
	char looks;
} alike[] = {
	{ 0x037f, 'j' }, { 0x0386, 'a' }, { 0x0388, 'e' }, { 0x0389, 'h' },
	{ 0x038a, 'i' }, { 0x038c, 'o' }, { 0x038e, 'y' }, { 0x0391, 'a' },
	{ 0x0392, 'b' }, { 0x0395, 'e' }, { 0x0396, 'z' }, { 0x0397, 'h' },
	{ 0x0398, 'o' }, { 0x0399, 'i' }, { 0x039a, 'k' }, { 0x039c, 'm' },
	{ 0x039d, 'n' }, { 0x039f, 'o' }, { 0x03a1, 'p' }, { 0x03a3, 'e' },
	{ 0x03a4, 't' }, { 0x03a5, 'y' }, { 0x03a7, 'x' }, { 0x03a9, 'o' },
	{ 0x03ac, 'a' }, { 0x03ad, 'e' }, { 0x03ae, 'n' }, { 0x03af, 'i' },
	{ 0x03b1, 'a' }, { 0x03b2, 'b' }, { 0x03b3, 'y' }, { 0x03b4, 'd' },
	{ 0x03b5, 'e' }, { 0x03b6, 'z' }, { 0x03b7, 'n' }, { 0x03b8, 'o' },
	{ 0x03b9, 'i' }, { 0x03ba, 'k' }, { 0x03bb, 'a' }, { 0x03bc, 'u' },
	{ 0x03bd, 'v' }, { 0x03be, 'e' }, { 0x03bf, 'o' }, { 0x03c0, 'n' },
	{ 0x03c1, 'p' }, { 0x03c2, 'c' }, { 0x03c3, 'o' }, { 0x03c4, 't' },
	{ 0x03c5, 'u' }, { 0x03c7, 'x' }, { 0x03c9, 'w' }, { 0x03ca, 'i' },
	{ 0x03cb, 'u' }, { 0x03cc, 'o' }, { 0x03cd, 'u' }, { 0x03ce, 'w' },
	{ 0x03f1, 'p' }, { 0x03f2, 'c' }, { 0x03f3, 'j' }, { 0x03f5, 'e' },
	{ 0x03f9, 'c' }, { 0x0401, 'e' }, { 0x0405, 's' }, { 0x0406, 'i' },
	{ 0x0407, 'i' }, { 0x0408, 'j' }, { 0x0410, 'a' }, { 0x0412, 'b' },
	{ 0x0413, 'r' }, { 0x0415, 'e' }, { 0x041a, 'k' }, { 0x041c, 'm' },
	{ 0x041d, 'h' }, { 0x041e, 'o' }, { 0x041f, 'n' }, { 0x0420, 'p' },
	{ 0x0421, 'c' }, { 0x0422, 't' }, { 0x0423, 'y' }, { 0x0425, 'x' },
	{ 0x042c, 'b' }, { 0x0430, 'a' }, { 0x0431, '6' }, { 0x0432, 'b' },
	{ 0x0433, 'r' }, { 0x0434, 'a' }, { 0x0435, 'e' }, { 0x0437, 'e' },
	{ 0x0438, 'u' }, { 0x043a, 'k' }, { 0x043b, 'n' }, { 0x043c, 'm' },
	{ 0x043d, 'h' }, { 0x043e, 'o' }, { 0x043f, 'n' }, { 0x0440, 'p' },
	{ 0x0441, 'c' }, { 0x0442, 't' }, { 0x0443, 'y' }, { 0x0445, 'x' },
	{ 0x0446, 'u' }, { 0x0448, 'w' }, { 0x044c, 'b' }, { 0x044f, 'r' },
	{ 0x0450, 'e' }, { 0x0451, 'e' }, { 0x0452, 'h' }, { 0x0454, 'e' },
	{ 0x0455, 's' }, { 0x0456, 'i' }, { 0x0457, 'i' }, { 0x0458, 'j' },
	{ 0x045b, 'h' }, { 0x045e, 'y' }, { 0x0474, 'v' }, { 0x0475, 'v' },
	{ 0x0492, 'f' }, { 0x0493, 'f' }, { 0x049b, 'k' }, { 0x04a3, 'h' },
	{ 0x04aa, 'c' }, { 0x04ab, 'c' }, { 0x04ae, 'y' }, { 0x04af, 'y' },
	{ 0x04b3, 'x' }, { 0x04ba, 'h' }, { 0x04bb, 'h' }, { 0x04bd, 'e' },
	{ 0x04c0, 'i' }, { 0x04c4, 'k' }, { 0x04cf, 'l' }, { 0x04d3, 'a' },
	{ 0x04d9, 'e' }, { 0x04e7, 'o' }, { 0x04e8, 'o' }, { 0x04e9, 'o' },
	{ 0x0501, 'd' }, { 0x050c, 'g' }, { 0x050d, 'g' }, { 0x051a, 'q' },
	{ 0x051b, 'q' }, { 0x051c, 'w' }, { 0x051d, 'w' }, { 0x053c, 'l' },
	{ 0x0540, 'h' }, { 0x054d, 'u' }, { 0x054f, 's' }, { 0x0555, 'o' },
	{ 0x0561, 'w' }, { 0x0565, 't' }, { 0x0566, 'q' }, { 0x056c, 'l' },
	{ 0x0570, 'h' }, { 0x0576, 'u' }, { 0x0578, 'n' }, { 0x057c, 'n' },
	{ 0x057d, 'u' }, { 0x0581, 'g' }, { 0x0584, 'p' }, { 0x0585, 'o' },
	{ 0x13a0, 'd' }, { 0x13a1, 'r' }, { 0x13a2, 't' }, { 0x13aa, 'a' },
	{ 0x13ab, 'j' }, { 0x13ac, 'e' }, { 0x13b3, 'w' }, { 0x13b7, 'm' },
	{ 0x13bb, 'h' }, { 0x13c0, 'g' }, { 0x13c3, 'z' }, { 0x13d9, 'v' },
	{ 0x13da, 's' }, { 0x13de, 'l' }, { 0x13df, 'c' }, { 0x13e2, 'p' },
	{ 0x13e6, 'k' }, { 0x13f4, 'b' }, { 0x1d00, 'a' }, { 0x1d04, 'c' },
	{ 0x1d05, 'd' }, { 0x1d07, 'e' }, { 0x1d0a, 'j' }, { 0x1d0b, 'k' },
	{ 0x1d0d, 'm' }, { 0x1d0f, 'o' }, { 0x1d18, 'p' }, { 0x1d1b, 't' },
	{ 0x1d1c, 'u' }, { 0x1d20, 'v' }, { 0x1d21, 'w' }, { 0x1d22, 'z' },
	{ 0x2102, 'c' }, { 0x210a, 'g' }, { 0x210b, 'h' }, { 0x210c, 'h' },
	{ 0x210d, 'h' }, { 0x210e, 'h' }, { 0x2110, 'i' }, { 0x2111, 'i' },
	{ 0x2112, 'l' }, { 0x2113, 'l' }, { 0x2115, 'n' }, { 0x2119, 'p' },
	{ 0x211a, 'q' }, { 0x211b, 'r' }, { 0x211c, 'r' }, { 0x211d, 'r' },
	{ 0x2124, 'z' }, { 0x2128, 'z' }, { 0x212a, 'k' }, { 0x212c, 'b' },
	{ 0x212d, 'c' }, { 0x212f, 'e' }, { 0x2130, 'e' }, { 0x2131, 'f' },
	{ 0x2133, 'm' }, { 0x2134, 'o' }, { 0x2160, 'i' }, { 0x2164, 'v' },
	{ 0x2169, 'x' }, { 0x216c, 'l' }, { 0x216d, 'c' }, { 0x216e, 'd' },
	{ 0x216f, 'm' }, { 0x2170, 'i' }, { 0x2174, 'v' }, { 0x2179, 'x' },
	{ 0x217c, 'l' }, { 0x217d, 'c' }, { 0x217e, 'd' }, { 0x217f, 'm' },
	{ 0xa4d0, 'b' }, { 0xa4d1, 'p' }, { 0xa4d2, 'p' }, { 0xa4d3, 'd' },
	{ 0xa4d4, 't' }, { 0xa4d6, 'g' }, { 0xa4d7, 'k' }, { 0xa4d9, 'j' },
	{ 0xa4da, 'c' }, { 0xa4dc, 'z' }, { 0xa4dd, 'f' }, { 0xa4df, 'm' },
	{ 0xa4e0, 'n' }, { 0xa4e1, 'l' }, { 0xa4e2, 's' }, { 0xa4e3, 'r' },
	{ 0xa4e6, 'v' }, { 0xa4e7, 'h' }, { 0xa4ea, 'w' }, { 0xa4eb, 'x' },
	{ 0xa4ec, 'y' }, { 0xa4ee, 'a' }, { 0xa4f0, 'e' }, { 0xa4f2, 'l' },
	{ 0xa4f3, 'o' }, { 0xa4f4, 'u' }, { 0xa644, 's' }, { 0xa730, 'f' },
	{ 0xa731, 's' }, { 0xa78c, '\'' },
};

static char
foreign_letter(uint32_t cp)
{
	size_t low = 0, high = sizeof alike / sizeof *alike;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (alike[mid].cp == cp)
			return alike[mid].looks;
		if (alike[mid].cp < cp)
			low = mid + 1;
		else
			high = mid;
	}
	return '\0';
}

/* Forms of the same letters: full width, mathematics, in rings, in flags. */
static char
formed_letter(uint32_t cp)
{
	if (cp >= 0xff01 && cp <= 0xff5e)
		return ascii_lower((char)(cp - 0xff01 + '!'));
	if (cp >= 0x1d400 && cp <= 0x1d6a3)
		return (char)('a' + (cp - 0x1d400) % 26);
	if (cp >= 0x1d7ce && cp <= 0x1d7ff)
		return (char)('0' + (cp - 0x1d7ce) % 10);
	if (cp >= 0x24b6 && cp <= 0x24e9)
		return (char)('a' + (cp - 0x24b6) % 26);
	if (cp >= 0x249c && cp <= 0x24b5)
		return (char)('a' + (cp - 0x249c));
	if (cp >= 0x1f110 && cp <= 0x1f189)
		return (cp - 0x1f110) % 0x20 < 26 ?
		    (char)('a' + (cp - 0x1f110) % 0x20) : '\0';
	if (cp >= 0x1f1e6 && cp <= 0x1f1ff)
		return (char)('a' + (cp - 0x1f1e6));
	return '\0';
}

static char
latin_letter(uint32_t cp)
{
	for (size_t i = 0; i < sizeof latin / sizeof *latin; i++)
		if (cp >= latin[i].first && cp <= latin[i].last) {
			char c = latin[i].letters[cp - latin[i].first];

			return c != '.' ? c : '\0';
		}
	return '\0';
}

/* Accents that stand apart from their letter. */
static bool
combining(uint32_t cp)
{
	return (cp >= 0x300 && cp <= 0x36f) || (cp >= 0x1ab0 && cp <= 0x1aff) ||
	    (cp >= 0x1dc0 && cp <= 0x1dff) || (cp >= 0x20d0 && cp <= 0x20ff) ||
	    (cp >= 0xfe20 && cp <= 0xfe2f);
}

static bool
blank(uint32_t cp)
{
	return cp == ' ' || (cp >= '\t' && cp <= '\r') || cp == 0xa0 ||
	    cp == 0x1680 || (cp >= 0x2000 && cp <= 0x200a) || cp == 0x2028 ||
	    cp == 0x2029 || cp == 0x202f || cp == 0x205f || cp == 0x3000;
}

/* Its letter at a glance, or NUL: there is none. */
static char
letter(uint32_t cp)
{
	char c = '\0';

	if (cp < 0x80)
		return ascii_lower((char)cp);
	if (cp >= 0x2010 && cp <= 0x2015)
		return '-';
	if (cp == 0x2018 || cp == 0x2019 || cp == 0x02bc)
		return '\'';
	c = latin_letter(cp);
	if (c == '\0')
		c = formed_letter(cp);
	return c != '\0' ? c : foreign_letter(cp);
}

static bool
plain_byte(char c)
{
	return c > ' ' && c < 0x7f;
}

/* A run of ASCII without blanks; how long it is. */
static size_t
add_plain(struct buf *out, struct slice text)
{
	size_t n = 1;
	char *to;

	while (n < text.len && plain_byte(text.ptr[n]))
		n++;
	to = buf_room(out, n);
	for (size_t i = 0; i < n; i++)
		to[i] = ascii_lower(text.ptr[i]);
	buf_took(out, n);
	return n;
}

struct slice
look_skeleton(struct arena *a, struct slice text)
{
	struct buf out = buf_in(a);
	bool gap = false;
	uint32_t cp;

	buf_room(&out, text.len);
	while (text.len > 0) {
		char c, utf8[4];

		/* Most text is this. */
		if (plain_byte(text.ptr[0])) {
			if (gap)
				buf_addc(&out, ' ');
			gap = false;
			text = slice_after(text, add_plain(&out, text));
			continue;
		}
		if (text.ptr[0] == ' ') {
			gap = out.len > 0;
			text = slice_after(text, 1);
			continue;
		}
		utf8_next(&text, &cp);
		if (cp == UTF8_BAD || utf8_unseen(cp) || utf8_bidi(cp) ||
		    combining(cp))
			continue;
		if (blank(cp)) {
			gap = out.len > 0;
			continue;
		}
		if (utf8_control(cp))
			continue;
		if (gap)
			buf_addc(&out, ' ');
		gap = false;
		c = letter(cp);
		if (c != '\0')
			buf_addc(&out, c);
		else
			buf_add(&out, slice_make(utf8, utf8_put(utf8, cp)));
	}
	return buf_slice(&out);
}

/* In one word: a name may be written in two scripts, word by word. */
bool
look_mixed(struct slice text)
{
	bool plain = false, other = false;
	uint32_t cp;

	while (utf8_next(&text, &cp)) {
		if (blank(cp))
			plain = other = false;
		else if (cp < 0x80 ? ascii_alpha((char)cp) :
		    latin_letter(cp) != '\0')
			plain = true;
		else if (formed_letter(cp) != '\0' ||
		    foreign_letter(cp) != '\0')
			other = true;
		if (plain && other)
			return true;
	}
	return false;
}

/* ---- host names ---- */

static struct slice
readable(struct arena *a, struct slice host)
{
	struct buf out = buf_in(a);

	while (host.ptr != NULL) {
		struct slice label = slice_cut(host, '.', &host);

		if (!slice_starts_nocase(label, SLICE("xn--")) ||
		    !punycode_decode(label, &out))
			buf_add(&out, label);
		if (host.ptr != NULL)
			buf_addc(&out, '.');
	}
	return buf_slice(&out);
}

/* Two letters that look like one. */
static char
joined(char c, char next)
{
	if (c == 'r' && next == 'n')
		return 'm';
	if (c == 'v' && next == 'v')
		return 'w';
	if (c == 'c' && next == 'l')
		return 'd';
	return '\0';
}

static char
same_in_ascii(char c)
{
	switch (c) {
	case '0': return 'o';
	case '1': case 'i': case '|': return 'l';
	case '5': return 's';
	default: return c;
	}
}

struct slice
look_host(struct arena *a, struct slice host)
{
	struct slice s = look_skeleton(a, readable(a, host));
	struct buf out = buf_in(a);

	for (size_t i = 0; i < s.len; i++) {
		char two = i + 1 < s.len ? joined(s.ptr[i], s.ptr[i + 1]) :
		    '\0';

		buf_addc(&out, two != '\0' ? two : same_in_ascii(s.ptr[i]));
		i += two != '\0';
	}
	return buf_slice(&out);
}

static unsigned
least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

unsigned
look_distance(struct slice a, struct slice b, unsigned most)
{
	unsigned rows[3][LOOK_DISTANCE + 1];
	unsigned *before = rows[0], *last = rows[1], *now = rows[2];

	if (a.len > LOOK_DISTANCE || b.len > LOOK_DISTANCE)
		return most + 1;
	memset(rows, 0, sizeof rows);
	for (unsigned k = 0; k <= b.len; k++)
		last[k] = k;
	for (unsigned i = 1; i <= a.len; i++) {
		unsigned *spare = before;

		now[0] = i;
		for (unsigned k = 1; k <= b.len; k++) {
			bool same = a.ptr[i - 1] == b.ptr[k - 1];

			now[k] = least(last[k - 1] + !same,
			    least(last[k], now[k - 1]) + 1);
			if (i > 1 && k > 1 && a.ptr[i - 1] == b.ptr[k - 2] &&
			    a.ptr[i - 2] == b.ptr[k - 1])
				now[k] = least(now[k], before[k - 2] + 1);
		}
		before = last;
		last = now;
		now = spare;
	}
	return least(last[b.len], most + 1);
}

/* A name of fewer letters has honest neighbours everywhere. */
enum { SHORTEST_TYPO = 6, SHORTEST_PART = 5 };

static struct slice
without(struct slice domain, struct slice suffix)
{
	return suffix.len > 0 && suffix.len + 1 < domain.len ?
	    slice_sub(domain, 0, domain.len - suffix.len - 1) : domain;
}

/* The name stands in it as a word: at an end, with a dash beside it. */
static bool
part_of(struct slice name, struct slice of)
{
	if (of.len < SHORTEST_PART || name.len <= of.len + 1)
		return false;
	return (slice_starts(name, of) && name.ptr[of.len] == '-') ||
	    (slice_ends(name, of) && name.ptr[name.len - of.len - 1] == '-');
}

enum look
look_domain(struct arena *a, struct slice domain, struct slice suffix,
    struct slice of, struct slice of_suffix)
{
	struct slice name = without(domain, suffix);
	struct slice its = without(of, of_suffix), one, other;

	if (slice_eq(domain, of))
		return LOOK_SAME;
	if (slice_eq(name, its))
		return LOOK_ENDING;
	one = look_host(a, name);
	other = look_host(a, its);
	if (slice_eq(one, other))
		return LOOK_CONFUSABLE;
	if (its.len >= SHORTEST_TYPO && (look_distance(one, other, 1) == 1 ||
	    look_distance(name, its, 1) == 1))
		return LOOK_TYPO;
	return part_of(name, its) ? LOOK_PART : LOOK_NOT;
}
