/* Transfer encodings: what clients make of them, and back. */
#include <stdio.h>
#include <string.h>

#include "t/tap.h"
#include "text/transfer.h"

enum { J = TRANSFER_JUNK, P = TRANSFER_AFTER_PAD, S = TRANSFER_SHORT,
    CUT = TRANSFER_CUT };

static const struct {
	const char *what;
	enum transfer kind;
	struct slice in, want;
	unsigned flags;
} cases[] = {
	{ "nothing", TRANSFER_BASE64, SLICE(""), SLICE(""), 0 },
	{ "one quantum", TRANSFER_BASE64, SLICE("QUJD"), SLICE("ABC"), 0 },
	{ "two bytes", TRANSFER_BASE64, SLICE("QUI="), SLICE("AB"), 0 },
	{ "one byte", TRANSFER_BASE64, SLICE("QQ=="), SLICE("A"), 0 },
	{ "lines", TRANSFER_BASE64, SLICE("QUJD\r\nREVG\r\n"),
	  SLICE("ABCDEF"), 0 },
	{ "a line break in a quantum", TRANSFER_BASE64, SLICE("QU\r\nJDRA=\n="),
	  SLICE("ABCD"), 0 },
	{ "junk between", TRANSFER_BASE64, SLICE("Q-U*J\0D"), SLICE("ABC"), J },
	{ "8-bit junk", TRANSFER_BASE64, SLICE("\xffQUJD\xfe"), SLICE("ABC"),
	  J },
	{ "no padding", TRANSFER_BASE64, SLICE("QUI"), SLICE("AB"), S },
	{ "one digit left", TRANSFER_BASE64, SLICE("QUJDQ"), SLICE("ABC"), S },
	{ "data behind padding", TRANSFER_BASE64, SLICE("QQ==QUJD"),
	  SLICE("AABC"), P },
	{ "padding on its own line", TRANSFER_BASE64, SLICE("QQ=\r\n=\r\nQQ=="),
	  SLICE("AA"), P },
	{ "padding first", TRANSFER_BASE64, SLICE("=QUJD"), SLICE("ABC"),
	  J | P },
	{ "all alphabet", TRANSFER_BASE64,
	  SLICE("+/+/"), SLICE("\xfb\xff\xbf"), 0 },

	{ "plain", TRANSFER_QP, SLICE("abc\r\ndef"), SLICE("abc\r\ndef"), 0 },
	{ "escapes", TRANSFER_QP, SLICE("=41=c3=A4=00"),
	  SLICE("A\xc3\xa4\0"), 0 },
	{ "soft break", TRANSFER_QP, SLICE("ab=\r\ncd=\nef"),
	  SLICE("abcdef"), 0 },
	{ "blanks behind a soft break", TRANSFER_QP, SLICE("ab= \t\r\ncd"),
	  SLICE("abcd"), 0 },
	{ "soft break at the end", TRANSFER_QP, SLICE("ab="), SLICE("ab"), 0 },
	{ "blanks before a line end", TRANSFER_QP, SLICE("a \t\r\n b \n c "),
	  SLICE("a\r\n b\n c"), 0 },
	{ "blanks kept by an escape", TRANSFER_QP, SLICE("a =20\r\n"),
	  SLICE("a  \r\n"), 0 },
	{ "a lone =", TRANSFER_QP, SLICE("a=b =4 ="), SLICE("a=b =4 "), J },
	{ "= and blanks", TRANSFER_QP, SLICE("a=  b"), SLICE("a=  b"), J },
	{ "bare CR", TRANSFER_QP, SLICE("a=\rb \rc"), SLICE("a=\rb \rc"), J },

	{ "uuencode", TRANSFER_UUENCODE,
	  SLICE("begin 644 a.txt\r\n#0V%T\r\n`\r\nend\r\n"), SLICE("Cat"), 0 },
	{ "blanks for back quotes", TRANSFER_UUENCODE,
	  SLICE("text\nbegin 644 a\n#    \n \nend\nmore"), SLICE("\0\0\0"), 0 },
	{ "blanks lost", TRANSFER_UUENCODE, SLICE("begin 644 a\n#\nend\n"),
	  SLICE("\0\0\0"), S },
	{ "no end", TRANSFER_UUENCODE, SLICE("begin 644 a\n#0V%T\n"),
	  SLICE("Cat"), S },
	{ "no begin", TRANSFER_UUENCODE, SLICE("#0V%T\nend\n"), SLICE("Cat"),
	  J },
	{ "nothing behind begin", TRANSFER_UUENCODE, SLICE("begin 644 a"),
	  SLICE(""), S },

	{ "8bit is as it is", TRANSFER_8BIT, SLICE("=41\0 \r\n"),
	  SLICE("=41\0 \r\n"), 0 },
	{ "so is what nobody knows", TRANSFER_UNKNOWN, SLICE("=41"),
	  SLICE("=41"), 0 },
};

static void
decodes(void)
{
	struct arena *a = arena_new();

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		unsigned flags = 99;

		tap_is(transfer_decode(a, cases[i].kind, cases[i].in, SIZE_MAX,
		    &flags), cases[i].want, "%s: %s",
		    transfer_name(cases[i].kind), cases[i].what);
		tap_is_int(flags, cases[i].flags, "- flags");
		for (size_t limit = 0; limit <= cases[i].want.len; limit++) {
			struct slice got = transfer_decode(a, cases[i].kind,
			    cases[i].in, limit, &flags);

			if (slice_eq(got, slice_sub(cases[i].want, 0, limit)) &&
			    ((flags & CUT) != 0) == (limit < cases[i].want.len))
				continue;
			tap_ok(false, "- cut at %zu", limit);
		}
	}
	tap_is(transfer_decode_unpadded(a, SLICE("QQ==QU"), SIZE_MAX, NULL),
	    SLICE("A\x04\x14"), "padding skipped");
	arena_free(a);
}

static const struct { const char *body; enum transfer want; } named[] = {
	{ " base64", TRANSFER_BASE64 }, { " BASE64 ", TRANSFER_BASE64 },
	{ "Quoted-Printable\r\n (x)", TRANSFER_QP }, { "", TRANSFER_7BIT },
	{ " (c (d)) 8bit(e)", TRANSFER_8BIT }, { " base64;", TRANSFER_BASE64 },
	{ " \"base64\"", TRANSFER_BASE64 }, { "binary", TRANSFER_BINARY },
	{ " x-uue", TRANSFER_UUENCODE }, { " base 64", TRANSFER_UNKNOWN },
	{ " base65", TRANSFER_UNKNOWN }, { "\r\n\t7BIT", TRANSFER_7BIT },
};

static void
parses(void)
{
	for (size_t i = 0; i < sizeof named / sizeof *named; i++)
		tap_is_int(transfer_parse(slice_of(named[i].body)),
		    named[i].want, "name %zu", i);
	tap_is_str(transfer_name(TRANSFER_QP), "quoted-printable", "name");
	tap_is_str(transfer_name(TRANSFER_UNKNOWN), "unknown", "no name");
}

static bool
lines_within(struct slice s, size_t most)
{
	struct slice line;

	while (slice_line(&s, &line))
		if (line.len > most)
			return false;
	return true;
}

/* All bytes, all lengths: what is encoded is decoded to itself. */
static void
round_trips(void)
{
	struct arena *a = arena_new();
	char bytes[700];
	bool same = true, within = true, clean = true;

	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (char)(i % 5 == 0 ? ' ' : i % 7 == 0 ? '\r' :
		    i % 7 == 1 ? '\n' : (int)(i * 11 % 256));
	for (size_t len = 0; len <= sizeof bytes; len++) {
		struct buf b64 = buf_in(a), qp = buf_in(a);
		struct slice in = slice_make(bytes, len);
		unsigned f1, f2;

		encode_base64(&b64, in);
		encode_qp(&qp, in);
		same = same && slice_eq(in, transfer_decode(a, TRANSFER_BASE64,
		    buf_slice(&b64), SIZE_MAX, &f1)) &&
		    slice_eq(in, transfer_decode(a, TRANSFER_QP,
		    buf_slice(&qp), SIZE_MAX, &f2));
		clean = clean && f1 == 0 && f2 == 0;
		within = within && lines_within(buf_slice(&b64), 76) &&
		    lines_within(buf_slice(&qp), 76);
		if (len % 50 == 0)
			arena_reset(a);
	}
	tap_ok(same, "encoded and decoded is the same");
	tap_ok(clean, "and nothing odd is met");
	tap_ok(within, "no line is over 76");
	arena_free(a);
}

/* Long and hostile input takes a time in step with its length. */
static void
long_input(void)
{
	struct arena *a = arena_new();
	size_t len = 4 << 20;
	char *ptr = arena_alloc(a, len);
	static const char *const patterns[] = { "=", " ", "= ", "\t=\r", "Q",
	    "=\r\n", "-", "Q=", "M\n", "QQ=\r\n" };

	for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
		size_t n = strlen(patterns[i]);

		for (size_t at = 0; at < len; at++)
			ptr[at] = patterns[i][at % n];
		for (int kind = TRANSFER_QP; kind <= TRANSFER_UUENCODE; kind++)
			transfer_decode(a, (enum transfer)kind,
			    slice_make(ptr, len), len, NULL);
	}
	tap_ok(true, "long runs end");
	arena_free(a);
}

int
main(void)
{
	decodes();
	parses();
	round_trips();
	long_input();
	return tap_done();
}
