/* Charsets and encoded words. */
#include <string.h>

#include "text/charset.h"
#include "text/encoded.h"
#include "text/utf8.h"
#include "t/tap.h"

static struct arena *arena;

#define IN(lit)	{ "" lit, sizeof (lit) - 1 }

static const struct {
	const char *charset;
	struct slice in, want;
	unsigned flags;
} texts[] = {
	{ "utf-8", IN("J\xc3\xb6rg"), IN("J\xc3\xb6rg"), 0 },
	{ "UTF8", IN("a\xff" "b"), IN("a\xef\xbf\xbd" "b"), CHARSET_INVALID },
	{ "us-ascii", IN("abc"), IN("abc"), 0 },
	{ "us-ascii", IN("\xc3\xb6"), IN("\xc3\xb6"), CHARSET_INVALID },
	{ "us-ascii", IN("\xf6"), IN("\xc3\xb6"), CHARSET_INVALID },
	{ "ISO-8859-1", IN("\xf6\x80"), IN("\xc3\xb6\xe2\x82\xac"), 0 },
	{ "windows-1252", IN("\x81"), IN("\xc2\x81"), 0 },
	{ "iso_8859-15", IN("\xa4"), IN("\xe2\x82\xac"), 0 },
	{ "ISO-8859-2", IN("\xb1"), IN("\xc4\x85"), 0 },
	{ "KOI8-R", IN("\xc1"), IN("\xd0\xb0"), 0 },
	{ "windows-1251", IN("\xe0"), IN("\xd0\xb0"), 0 },
	{ "iso-8859-8-i", IN("\xe0"), IN("\xd7\x90"), 0 },
	{ "gb2312", IN("\xc4\xe3"), IN("\xe4\xbd\xa0"), 0 },
	{ "GBK", IN("\x81\x40"), IN("\xe4\xb8\x82"), 0 },
	{ "big5", IN("\xa7\x41"), IN("\xe4\xbd\xa0"), 0 },
	{ "x-sjis", IN("\x93\xfa"), IN("\xe6\x97\xa5"), 0 },
	{ "Shift_JIS", IN("\x87\x40"), IN("\xe2\x91\xa0"), 0 },
	{ "euc-jp", IN("\xc6\xfc"), IN("\xe6\x97\xa5"), 0 },
	{ "ISO-2022-JP", IN("\x1b$BF|\x1b(B"), IN("\xe6\x97\xa5"), 0 },
	{ "ks_c_5601-1987", IN("\xb0\xa1"), IN("\xea\xb0\x80"), 0 },
	{ "euc-kr", IN("\x81\x41"), IN("\xea\xb0\x82"), 0 },
	{ "utf-7", IN("+AGE-"), IN("a"), 0 },
	{ "utf-16", IN("\xfe\xff\0a"), IN("a"), 0 },
	{ "utf-16", IN("a\0"), IN("a"), 0 },
	{ "utf-16be", IN("\0a"), IN("a"), 0 },
	{ "utf-16be", IN("\xd8\x00\0a"), IN("\xef\xbf\xbd"), 99 },
	{ "shift_jis", IN("a\x93"), IN("a\xef\xbf\xbd"), CHARSET_INVALID },
	{ "x-unknown", IN("a\xc3\xb6"), IN("a\xc3\xb6"), CHARSET_UNKNOWN },
	{ "x-unknown", IN("a\xf6"), IN("a\xc3\xb6"), CHARSET_UNKNOWN },
	{ "", IN("a"), IN("a"), CHARSET_UNKNOWN },
	{ "UTF-8//TRANSLIT", IN("a"), IN("a"), CHARSET_UNKNOWN },
	{ "../../tmp/evil", IN("a"), IN("a"), CHARSET_UNKNOWN },
};

static void
charsets(void)
{
	struct buf b = { 0 };

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		unsigned flags;

		buf_clear(&b);
		flags = charset_utf8(slice_of(texts[i].charset), texts[i].in,
		    1000, &b);
		/* How many characters a broken surrogate costs, libc knows. */
		if (texts[i].flags == 99) {
			tap_ok((flags & CHARSET_INVALID) != 0 &&
			    utf8_valid(buf_slice(&b)), "broken surrogates");
			continue;
		}
		tap_is(buf_slice(&b), texts[i].want, "charset %zu: %s", i,
		    texts[i].charset);
		tap_is_int(flags, texts[i].flags, "its flags");
	}
	buf_free(&b);
	tap_ok(charset_name(SLICE("utf\0-8")) == NULL, "a NUL in a name");
	tap_ok(charset_name(SLICE("utf-8")) == charset_name(SLICE("UTF_8")),
	    "names fold");
	tap_ok(charset_keeps_state(SLICE("iso-2022-jp")) &&
	    !charset_keeps_state(SLICE("gb2312")), "state");
}

static void
bounds(void)
{
	static const char *const names[] = { "utf-8", "iso-8859-1", "koi8-r",
	    "iso-2022-jp", "utf-16", "x-unknown" };
	struct slice in = slice_make(memset(arena_alloc(arena, 100000), 0xc1,
	    100000), 100000);
	struct buf b = { 0 };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		for (size_t max = 0; max < 70; max++) {
			unsigned flags;

			buf_clear(&b);
			flags = charset_utf8(slice_of(names[i]), in, max, &b);
			if (b.len > max || b.len + 4 + 32 < max ||
			    (flags & CHARSET_CUT) == 0 ||
			    !utf8_valid(buf_slice(&b)))
				tap_ok(false, "%s cut at %zu", names[i], max);
		}
		buf_clear(&b);
		charset_utf8(slice_of(names[i]), in, 1 << 20, &b);
		tap_ok(utf8_valid(buf_slice(&b)) && b.len >= 100000,
		    "%s: 100 kB of nonsense, in full or cut", names[i]);
	}
	buf_free(&b);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		b = (struct buf){ 0 };
		charset_utf8(slice_of(names[i]), SLICE(""), 0, &b);
		charset_utf8(slice_of(names[i]), in, 0, &b);
		tap_is_int((long long)b.len, 0, "%s: nothing into nothing",
		    names[i]);
		buf_free(&b);
	}
}

static const struct {
	const char *name;
	struct slice in, want;
	const char *flags;
} words[] = {
	{ "no word", IN("plain text"), IN("plain text"), "" },
	{ "empty", IN(""), IN(""), "" },
	{ "Q", IN("=?iso-8859-1?Q?J=F6rg_B?="), IN("J\xc3\xb6rg B"),
	  "words" },
	{ "B", IN("=?utf-8?B?SsO2cmc=?="), IN("J\xc3\xb6rg"), "words" },
	{ "letters of any case", IN("=?UtF-8?b?SsO2cmc=?="),
	  IN("J\xc3\xb6rg"), "words" },
	{ "within text", IN("Re: =?utf-8?Q?=C3=B6?= again"),
	  IN("Re: \xc3\xb6 again"), "words" },
	{ "two: blanks go", IN("=?utf-8?Q?a?= \r\n\t =?utf-8?Q?b?="),
	  IN("ab"), "words" },
	{ "two and text: blanks stay", IN("=?utf-8?Q?a?= x =?utf-8?Q?b?="),
	  IN("a x b"), "words" },
	{ "split character", IN("=?utf-8?Q?=C3?= =?UTF-8?Q?=B6?="),
	  IN("\xc3\xb6"), "words" },
	{ "split over Q and B", IN("=?utf-8?Q?=C3?= =?utf-8?B?tg==?="),
	  IN("\xc3\xb6"), "words" },
	{ "split over charsets", IN("=?utf-8?Q?=C3?= =?koi8-r?Q?=C1?="),
	  IN("\xef\xbf\xbd\xd0\xb0"), "words invalid" },
	{ "state is not carried", IN("=?iso-2022-jp?B?GyRCRnw=?= "
	  "=?iso-2022-jp?Q?a?="), IN("\xe6\x97\xa5" "a"), "words" },
	{ "language", IN("=?utf-8*de-AT?Q?a?= =?utf-8*en?Q?b?="), IN("ab"),
	  "words" },
	{ "comment", IN("(=?utf-8?Q?a?= b)"), IN("(a b)"), "words" },
	{ "empty text", IN("a =?utf-8?Q?\?= b"), IN("a  b"), "words" },
	{ "phrase", IN("=?utf-8?Q?a?=<x@y>"), IN("a<x@y>"), "words" },
	{ "question mark", IN("=?utf-8?Q?a=3Fb=3D?="), IN("a?b="), "words" },
	{ "fold in text", IN("a\r\n b"), IN("a\r\n b"), "" },
	{ "UTF-8 in text", IN("\xc3\xb6"), IN("\xc3\xb6"), "" },

	{ "in quotes", IN("\"=?utf-8?Q?a?=\" <x@y>"), IN("\"a\" <x@y>"),
	  "words lax" },
	{ "deep in quotes", IN("\"x =?utf-8?Q?a?= y\""), IN("\"x a y\""),
	  "words lax" },
	{ "within a word", IN("x=?utf-8?Q?a?=y"), IN("xay"), "words lax" },
	{ "nothing between", IN("=?utf-8?Q?a?==?utf-8?Q?b?="), IN("ab"),
	  "words lax" },
	{ "no padding", IN("=?utf-8?B?YQ?="), IN("a"), "words lax" },
	{ "too little padding", IN("=?utf-8?B?YQ=?="), IN("a"), "words lax" },
	{ "too much padding", IN("=?utf-8?B?YWJj=?="), IN("abc"),
	  "words lax" },
	{ "behind padding", IN("=?utf-8?B?YQ==Yg==?="), IN("ab"),
	  "words lax" },
	{ "no base64 in it", IN("=?utf-8?B?Y!Q==?="), IN("a"), "words lax" },
	{ "blanks in B", IN("=?utf-8?B?YW Jj?="), IN("abc"), "words lax" },
	{ "blanks in Q", IN("=?utf-8?Q?a b?="), IN("a b"), "words lax" },
	{ "half a code", IN("=?utf-8?Q?a=4?="), IN("a=4"), "words lax" },
	{ "raw bytes in Q", IN("=?utf-8?Q?\xc3\xb6?="), IN("\xc3\xb6"),
	  "words lax" },
	{ "too long", IN("=?utf-8?Q?aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa?="),
	  IN("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), "words lax" },

	{ "unknown encoding", IN("=?utf-8?x?a?="), IN("=?utf-8?x?a?="),
	  "broken" },
	{ "no end", IN("=?utf-8?Q?a"), IN("=?utf-8?Q?a"), "broken" },
	{ "no charset", IN("=??Q?a?="), IN("=??Q?a?="), "broken" },
	{ "only a language", IN("=?*de?Q?a?="), IN("=?*de?Q?a?="),
	  "broken" },
	{ "NUL in charset", IN("=?utf\0?Q?a?="), IN("=?utf\0?Q?a?="),
	  "broken control" },
	{ "broken, then whole", IN("=?utf-8?Q?a =?utf-8?Q?b?="),
	  IN("=?utf-8?Q?a b"), "words broken" },
	{ "unknown charset", IN("=?x-y?Q?=F6?="), IN("\xc3\xb6"),
	  "words charset" },
	{ "invalid bytes", IN("=?utf-8?Q?=F6?="), IN("\xef\xbf\xbd"),
	  "words invalid" },
	{ "raw Latin-1", IN("J\xf6rg"), IN("J\xc3\xb6rg"), "8bit" },

	{ "NUL", IN("=?utf-8?Q?a=00?= x"), IN("a\0 x"), "words control" },
	{ "raw NUL", IN("a\0b"), IN("a\0b"), "control" },
	{ "line end", IN("=?utf-8?Q?a=0D=0ABcc:_x?="), IN("a\r\nBcc: x"),
	  "words control" },
	{ "a fold inside is none", IN("=?utf-8?Q?a=0D=0A_b?="),
	  IN("a\r\n b"), "words control" },
	{ "raw line end", IN("a\nb"), IN("a\nb"), "control" },
	{ "bidi", IN("=?utf-8?Q?=E2=80=AEfdp.exe?="),
	  IN("\xe2\x80\xae" "fdp.exe"), "words bidi" },
	{ "raw bidi", IN("\xe2\x80\xae"), IN("\xe2\x80\xae"), "bidi" },
	{ "zero width", IN("=?utf-8?Q?a=E2=80=8Bb?="), IN("a\xe2\x80\x8b" "b"),
	  "words unseen" },
	{ "word in word", IN("=?utf-8?Q?=3D=3Futf-8=3FQ=3Fa=3F=3D?="),
	  IN("=?utf-8?Q?a?="), "words nested" },
	{ "Mailsploit", IN("=?utf-8?b?cG90dXNAd2hpdGVob3VzZS5nb3Y=?="
	  "=?utf-8?Q?=00?=@mailsploit.example"),
	  IN("potus@whitehouse.gov\0@mailsploit.example"),
	  "words lax control" },
};

static struct slice
flag_names(unsigned flags)
{
	struct buf b = buf_in(arena);

	for (unsigned bit = 1; bit != 0; bit <<= 1) {
		if ((flags & bit) == 0)
			continue;
		if (b.len > 0)
			buf_addc(&b, ' ');
		buf_adds(&b, encoded_flag_name(bit));
	}
	return buf_slice(&b);
}

static void
decode(void)
{
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		unsigned flags;

		tap_is(encoded_decode(arena, words[i].in, &flags),
		    words[i].want, "%s", words[i].name);
		tap_is(flag_names(flags), slice_of(words[i].flags),
		    "%s: flags", words[i].name);
	}
	tap_ok(encoded_flag_name(1u << 11) == NULL, "no more flags");
}

enum { HUGE_SIZE = 1 << 18 };

static void
huge(void)
{
	static const char *const units[] = {
		"=?", "=?a?Q?", "=?a?Q?x?=", "=?a?Q?x?= ", "=?utf-8?B?", "?=",
		"=?iso-2022-jp?B?YQ==?= ", "\"", "=?a?Q?=", "\xff",
		"=?koi8-r?Q?=C1?=\r\n ",
	};
	char *text = arena_alloc(arena, HUGE_SIZE);

	for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
		struct arena *a = arena_new();
		struct slice in = slice_make(text, HUGE_SIZE), got;
		int64_t begun = tap_worked();
		unsigned flags;

		for (size_t n = 0; n < in.len; n++)
			text[n] = units[i][n % strlen(units[i])];
		got = encoded_decode(a, in, &flags);
		tap_ok(tap_worked() - begun < 5000 && got.len <= ENCODED_MAX &&
		    utf8_valid(got), "256 kB, pattern %zu, %d ms", i,
		    (int)(tap_worked() - begun));
		arena_free(a);
	}
}

static void
encoding(void)
{
	static const struct {
		const char *charset, *in, *reference, *ascii;
	} list[] = {
		{ "utf-8", "a\u00e4\u20ac", "a\xc3\xa4\xe2\x82\xac",
		    "a\xc3\xa4\xe2\x82\xac" },
		{ "iso-8859-1", "\u00e4\u20ac", "\xe4&#8364;", "\xe4" "EUR" },
		{ "latin1", "\u201ea\u201c", "&#8222;a&#8220;", "\"a\"" },
		{ "windows-1252", "\u20ac", "\x80", "\x80" },
		{ "us-ascii", "\u00fc\u2013\u0160\u65e5",
		    "&#252;&#8211;&#352;&#26085;", "ue-S?" },
		{ "", "\u00df", "&#223;", "ss" },
		{ "iso-8859-15", "\u20ac", "\xa4", "\xa4" },
		{ "koi8-r", "\u0430\u00e4", "\xc1&#228;", "\xc1" "ae" },
		{ "iso-2022-jp", "a\u3042b\u00e4",
		    "a\x1b$B$\"\x1b(Bb&#228;", "a\x1b$B$\"\x1b(Bbae" },
		{ "iso-2022-jp", "\u3042", "\x1b$B$\"\x1b(B",
		    "\x1b$B$\"\x1b(B" },
		{ "gb2312", "\u4f60\u20ac", "\xc4\xe3&#8364;",
		    "\xc4\xe3" "EUR" },
		{ "gbk", "\u4f60", "\xc4\xe3", "\xc4\xe3" },
		{ "utf-16", "a", NULL, NULL },
		{ "utf-7", "a", NULL, NULL },
		{ "nobody-knows", "a", NULL, NULL },
	};

	for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
		const char *want[] = { list[i].reference, list[i].ascii };

		for (unsigned k = 0; k < 2; k++) {
			struct buf b = buf_in(arena);
			bool is = charset_encode(slice_of(list[i].charset),
			    slice_of(list[i].in), k == 0 ? CHARSET_REFERENCE :
			    CHARSET_ASCII, &b);

			tap_ok(is == (want[k] != NULL), "%s takes it or not",
			    list[i].charset);
			tap_is(buf_slice(&b), slice_of(is ? want[k] : ""),
			    "%s %s: written so", list[i].charset, list[i].in);
		}
	}
}

int
main(void)
{
	arena = arena_new();
	charsets();
	encoding();
	bounds();
	decode();
	huge();
	arena_free(arena);
	return tap_done();
}
