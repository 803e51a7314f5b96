/* The MIME tree: strict and lax readings, limits, time. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "mime/message.h"
#include "t/tap.h"

/*
 * The tree as text: a part a line behind dots for its depth, '~' for lax, '+'
 * for a copy, the type, and the decoded content of leaves.
 */
static struct slice
print(struct arena *a, struct message *msg)
{
	struct buf b = buf_in(a);
	const struct part *root = message_parts(msg);

	for (const struct part *p = root; p != NULL; p = part_next(root, p)) {
		for (unsigned i = 0; i < p->depth; i++)
			buf_addc(&b, '.');
		buf_adds(&b, p->lax ? "~" : "");
		buf_adds(&b, p->copy ? "+" : "");
		buf_addf(&b, "%.*s/%.*s", SLICE_ARG(p->type),
		    SLICE_ARG(p->subtype));
		if (p->filename.ptr != NULL)
			buf_addf(&b, " {%.*s}", SLICE_ARG(p->filename));
		if (!part_multipart(p) && !part_is(p, "message", "rfc822")) {
			buf_adds(&b, " <");
			buf_add(&b, part_decoded(p, a, SIZE_MAX, NULL));
			buf_adds(&b, ">");
		}
		buf_adds(&b, "\n");
	}
	return buf_slice(&b);
}

static struct slice
print_flags(struct arena *a, uint64_t flags)
{
	struct buf b = buf_in(a);

	for (unsigned i = 0; i < 64; i++)
		if ((flags >> i & 1) != 0)
			buf_addf(&b, "%s%s", b.len > 0 ? " " : "",
			    message_flag_name(i));
	return buf_slice(&b);
}

#define V "MIME-Version: 1.0\n"
#define CT "Content-Type: "
#define CTE "Content-Transfer-Encoding: "
#define MIXED V CT "multipart/mixed; boundary=b\n\n"

static const struct {
	const char *what, *mail, *tree, *flags;
} cases[] = {
	{ "no MIME at all", "Subject: x\n\nhello\n",
	  "text/plain <hello\r\n>\n", "" },
	{ "nothing", "", "text/plain <>\n", "" },
	{ "two parts", MIXED "pre\n--b\n\none\n--b\n" CT
	  "text/html; charset=\"UTF-8\"\n\ntwo\n\n--b--\nepi\n",
	  "multipart/mixed\n.text/plain <one>\n.text/html <two\r\n>\n", "" },
	{ "empty parts", MIXED "--b\n\n--b\n\n\n--b--\n",
	  "multipart/mixed\n.text/plain <>\n.text/plain <>\n", "" },
	{ "blanks behind a delimiter", MIXED "--b \t\n\none\n--b-- \n",
	  "multipart/mixed\n.text/plain <one>\n", "" },
	{ "nested", MIXED "--b\n" CT "multipart/alternative; boundary=\"b c\"\n"
	  "\n--b c\n\none\n--b c\n" CT "text/html\n\ntwo\n--b c--\n--b\n" CT
	  "image/png; name=x.png\n" CTE "base64\n\nQUJD\n--b--\n",
	  "multipart/mixed\n.multipart/alternative\n..text/plain <one>\n"
	  "..text/html <two>\n.image/png {x.png} <ABC>\n", "" },
	{ "boundary that begins another", MIXED "--b\n" CT
	  "multipart/alternative; boundary=bb\n\n--bb\n\none\n--bb--\n--b--\n",
	  "multipart/mixed\n.multipart/alternative\n..text/plain <one>\n", "" },
	{ "a message", MIXED "--b\n" CT "message/rfc822\n\nSubject: x\n" V CT
	  "text/html\n\nhi\n--b--\n",
	  "multipart/mixed\n.message/rfc822\n..text/html <hi>\n", "" },
	{ "a digest", V CT "multipart/digest; boundary=b\n\n--b\n\nSubject: x\n"
	  "\nhi\n--b--\n",
	  "multipart/digest\n.message/rfc822\n..text/plain <hi>\n", "" },
	{ "a message in a message", V CT "message/rfc822\n\n" CT
	  "message/rfc822\n\nA: b\n\nhi\n",
	  "message/rfc822\n.message/rfc822\n..text/plain <hi\r\n>\n", "" },
	{ "final boundary missing", MIXED "--b\n\none\n",
	  "multipart/mixed\n.text/plain <one\r\n>\n", "not-closed" },
	{ "cut off in a header", MIXED "--b\n" CT "text/html\n",
	  "multipart/mixed\n.text/html <>\n", "header-cut-short not-closed" },
	{ "delimiter in a header",
	  MIXED "--b\n" CT "text/html\n--b\n\nx\n--b--",
	  "multipart/mixed\n.text/html <>\n.text/plain <x>\n",
	  "header-cut-short" },
	{ "inner one not closed", MIXED "--b\n" CT
	  "multipart/mixed; boundary=c\n\n--c\n\nx\n--b\n\ny\n--b--\n",
	  "multipart/mixed\n.multipart/mixed\n..text/plain <x>\n"
	  ".text/plain <y>\n", "not-closed" },
	{ "parts behind the end", MIXED "--b\n\nx\n--b--\nepi\n--b\n\ny\n",
	  "multipart/mixed\n.text/plain <x>\n.~text/plain <y\r\n>\n",
	  "parts-after-close" },
	{ "same boundary at two levels", MIXED "--b\n" CT
	  "multipart/mixed; boundary=b\n\n--b\n\nx\n--b--\n--b\n\ny\n--b--\n",
	  "multipart/mixed\n.multipart/mixed\n..text/plain <x>\n"
	  ".text/plain <y>\n", "" },
	{ "text behind a delimiter", MIXED "--b\n\nx\n--bc\n\ny\n--b--\n",
	  "multipart/mixed\n.text/plain <x\r\n--bc\r\n\r\ny>\n"
	  ".~multipart/mixed\n..~text/plain <x>\n..~text/plain <y>\n",
	  "delimiter-junk" },
	{ "no boundary", V CT "multipart/mixed\n\n--x\n\none\n--x--\n",
	  "multipart/mixed <--x\r\n\r\none\r\n--x--\r\n>\n"
	  ".~multipart/mixed\n..~text/plain <one>\n", "no-boundary" },
	{ "another boundary", MIXED "--x\n\none\n--x--\n",
	  "multipart/mixed\n.~multipart/mixed\n..~text/plain <one>\n",
	  "no-delimiter" },
	{ "an empty boundary",
	  V CT "multipart/mixed; boundary=\"\"\n\n--\n\nx\n",
	  "multipart/mixed <--\r\n\r\nx\r\n>\n", "bad-boundary no-boundary" },
	{ "two boundaries (T37)", V CT
	  "multipart/mixed; boundary=b; boundary=c\n\n"
	  "--b\n\none\n--b--\n--c\n\ntwo\n--c--\n",
	  "multipart/mixed\n.text/plain <one>\n.~multipart/mixed\n"
	  "..~text/plain <two>\n",
	  "duplicate-boundary duplicate-parameter" },
	{ "a boundary read in two ways", V CT
	  "multipart/mixed; boundary=b c\n\n--b\n\none\n--b--\n",
	  "multipart/mixed\n.~multipart/mixed\n..~text/plain <one>\n"
	  ".~multipart/mixed\n..~text/plain <one>\n",
	  "bad-parameter no-delimiter" },
	{ "two types (T37)", V CT "text/plain\n" CT
	  "multipart/mixed; boundary=b\n\n--b\n\none\n--b--\n",
	  "text/plain <--b\r\n\r\none\r\n--b--\r\n>\n"
	  ".~multipart/mixed\n..~text/plain <one>\n",
	  "duplicate-content-type" },
	{ "two types that agree", V CT "text/plain\n" CT "TEXT/plain\n\nx\n",
	  "text/plain <x\r\n>\n", "duplicate-content-type" },
	{ "two encodings (T37)", V CTE "7bit\n" CTE "base64\n\nQUJD\n",
	  "text/plain <QUJD\r\n>\n.~text/plain <ABC>\n",
	  "duplicate-transfer-encoding" },
	{ "two of both", V CT "text/plain\n" CTE "7bit\n" CT "text/html\n" CTE
	  "base64\n\nQUJD\n",
	  "text/plain <QUJD\r\n>\n.~text/html <QUJD\r\n>\n"
	  ".~text/plain <ABC>\n.~text/html <ABC>\n",
	  "duplicate-content-type duplicate-transfer-encoding" },
	{ "an encoded multipart", V CT "multipart/mixed; boundary=b\n" CTE
	  "base64\n\nLS1iCgpvbmUKLS1iLS0K\n",
	  "multipart/mixed\n.~+multipart/mixed\n..~+text/plain <one>\n",
	  "no-delimiter encoded-multipart" },
	{ "an encoded message", V CT "message/rfc822\n" CTE
	  "quoted-printable\n\nA: b\n\n=68i\n",
	  "message/rfc822\n.~+message/rfc822\n..~+text/plain <hi\r\n>\n",
	  "encoded-multipart" },
	{ "junk in a part's header", MIXED "--b\njunk\n" CTE
	  "base64\n\nQUJD\n--b--\n",
	  "multipart/mixed\n.text/plain <ABC>\n..~text/plain <junk\r\n" CTE
	  "base64\r\n\r\nQUJD>\n", "junk-header-line" },
	{ "a fold of blanks", MIXED "--b\nA: b\n \n" CTE
	  "base64\n\nQUJD\n--b--\n",
	  "multipart/mixed\n.text/plain <ABC>\n..~text/plain <" CTE
	  "base64\r\n\r\nQUJD>\n", "blank-fold" },
	{ "uuencode in a text",
	  "A: b\n\nhi\nbegin 644 a.exe\n#0V%T\n`\nend\nyo\n",
	  "text/plain <hi\r\nbegin 644 a.exe\r\n#0V%T\r\n`\r\nend\r\nyo\r\n>\n"
	  ".~application/octet-stream {a.exe} <Cat>\n", "uuencode" },
	{ "two of them, the last open", "\nbegin 644 a\n#0V%T\nend\n"
	  "begin 0755 b c\n#0V%T\n",
	  "text/plain <begin 644 a\r\n#0V%T\r\nend\r\nbegin 0755 b c\r\n"
	  "#0V%T\r\n>\n.~application/octet-stream {a} <Cat>\n"
	  ".~application/octet-stream {b c} <Cat>\n", "uuencode" },
	{ "words that begin like it", "\nbegin the day\nbegin 999 x\nend\n",
	  "text/plain <begin the day\r\nbegin 999 x\r\nend\r\n>\n", "" },
	{ "uuencode in an epilogue", MIXED "--b\n\nx\n--b--\nbegin 644 a\n"
	  "#0V%T\nend\n",
	  "multipart/mixed\n.text/plain <x>\n"
	  ".~application/octet-stream {a} <Cat>\n", "uuencode" },
	{ "an unreadable type", V CT "text\n\nx\n", "text/plain <x\r\n>\n",
	  "bad-content-type" },
	{ "an unknown encoding", V CTE "rot13\n\nx\n", "text/plain <x\r\n>\n",
	  "bad-transfer-encoding" },
	{ "no MIME-Version", CT "text/html\n\nx\n", "text/html <x\r\n>\n",
	  "no-mime-version" },
	{ "a fragment", V CT "message/partial; id=x; number=1; total=2\n\nx\n",
	  "message/partial <x\r\n>\n", "partial" },
	{ "names", MIXED "--b\n" CT "a/b; name=one\nContent-Disposition: "
	  "ATTACHMENT; filename*0=\"t\"; filename*1=wo\n\nx\n--b--\n",
	  "multipart/mixed\n.a/b {two} <x>\n", "" },
	{ "an extended name", V CT "a/b; name=x\nContent-Disposition: inline; "
	  "filename=y; filename*=iso-8859-1''%E4%80\n\nx\n",
	  "a/b {\xc3\xa4\xe2\x82\xac} <x\r\n>\n", "duplicate-parameter" },
	{ "a name of encoded words",
	  V CT "a/b; name=\"=?utf-8?q?=C3=A4?=\"\n\n",
	  "a/b {\xc3\xa4} <>\n", "" },
	{ "a space before the colon", V "Content-Type : text/html\n\nx\n",
	  "text/html <x\r\n>\n", "space-before-colon" },
};

static void
table(void)
{
	struct arena *a = arena_new();

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct message msg;
		struct slice head, body;

		message_split(a, slice_of(cases[i].mail), &head, &body);
		message_read(&msg, a, head, body, NULL);
		tap_is(print(a, &msg), slice_of(cases[i].tree), "%s",
		    cases[i].what);
		tap_is(print_flags(a, msg.flags), slice_of(cases[i].flags),
		    "- flags");
		arena_reset(a);
	}
	arena_free(a);
}

static void
details(void)
{
	struct arena *a = arena_new();
	struct message msg;
	struct slice head, body, content;
	const struct part *root, *p;
	size_t off = 0;

	message_split(a, SLICE(MIXED "pre\n--b\n" CT "text/plain; charset=\" "
	    "Utf-8\"\n" CTE "base64\n\nQQ==QUJD\n--b--\nepi\n"), &head, &body);
	message_read(&msg, a, head, body, NULL);
	root = message_parts(&msg);
	tap_ok(message_parts(&msg) == root, "read once");
	tap_is(root->boundary, SLICE("b"), "boundary");
	tap_is(root->preamble, SLICE("pre"), "preamble");
	tap_is(root->epilogue, SLICE("epi\r\n"), "epilogue");
	tap_is(root->body, body, "body of the root");
	p = part_next(root, root);
	tap_is(p->charset, SLICE("utf-8"), "charset");
	tap_ok(p->parent == root && p->depth == 1, "parent and depth");
	tap_ok(part_offset(&msg, p, &off) &&
	    slice_starts(slice_after(body, off), SLICE("QQ==QUJD\r\n--b--")),
	    "offset");
	tap_ok(part_reading(p, 0, a, 99, &content, NULL), "one reading");
	tap_is(content, SLICE("AABC"), "- goes on behind padding");
	tap_ok(part_reading(p, 1, a, 99, &content, NULL), "another");
	tap_is(content, SLICE("A\x04\x14$"), "- skips it");
	tap_ok(!part_reading(p, 2, a, 99, &content, NULL), "no more");
	tap_ok(part_next(root, p) == NULL && part_next(p, p) == NULL, "end");
	arena_free(a);
}

/* Mail that hides a file (T37, T38): some reading of some part shows it. */
static const struct { const char *what, *mail; } hidden[] = {
	{ "base64 with junk", CTE "base64\n\nRU!lD\n*Q VI-=\n" },
	{ "base64 behind padding", CTE "base64\n\nQQ==RUlDQVI=\n" },
	{ "base64 over skipped padding", CTE "base64\n\nRU=lDQVI=\n" },
	{ "QP in pieces", CTE "quoted-printable\n\nE=\nI=43=\nAR\n" },
	{ "an unknown encoding first", CTE "rot13\n" CTE
	  "base64\n\nRUlDQVI=\n" },
	{ "a comment in the encoding", CTE "(x) base64 (y)\n\nRUlDQVI=\n" },
	{ "the second boundary",
	  V CT "multipart/mixed; boundary=a; boundary=b\n"
	  "\n--a\n\nx\n--b\n" CTE "base64\n\nRUlDQVI=\n--b--\n" },
	{ "a boundary in sections", V CT "multipart/mixed; boundary*0=a; "
	  "boundary*1=b\n\n--ab\n" CTE "base64\n\nRUlDQVI=\n--ab--\n" },
	{ "a boundary with an open quote", V CT "multipart/mixed; "
	  "boundary=\"ab; x=y\n\n--ab\n" CTE "base64\n\nRUlDQVI=\n" },
	{ "a boundary with a backslash", V CT "multipart/mixed; "
	  "boundary=\"a\\b\"\n\n--a\\b\n" CTE "base64\n\nRUlDQVI=\n" },
	{ "two types in a part", MIXED "--b\n" CT "text/plain\n" CT
	  "multipart/mixed; boundary=c\n\n--c\n" CTE
	  "base64\n\nRUlDQVI=\n--c--\n--b--\n" },
	{ "behind the end", MIXED "--b\n\nx\n--b--\n--b\n" CTE
	  "base64\n\nRUlDQVI=\n" },
	{ "no semicolon", V CT "multipart/mixed boundary=b\n\n--b\n" CTE
	  "base64\n\nRUlDQVI=\n" },
	{ "uuencode", "A: b\n\nbegin 644 x\n%14E#05(\n`\nend\n" },
	{ "a nested message", MIXED "--b\n" CT "message/rfc822\n" CTE
	  "base64\n\nQTogYgoKRUlDQVIK\n--b--\n" },
	{ "a path as a name", CTE "base64\n" CT
	  "a/b; name=\"x\\1\"\n\nRUlDQVI=\n" },
};

static bool
shows(struct message *msg, struct arena *a, struct slice needle)
{
	const struct part *root = message_parts(msg);
	struct slice content;

	for (const struct part *p = root; p != NULL; p = part_next(root, p))
		for (unsigned n = 0; part_reading(p, n, a, SIZE_MAX, &content,
		    NULL); n++)
			if (slice_search(content, needle) < content.len)
				return true;
	return false;
}

static void
unions(void)
{
	struct arena *a = arena_new();

	for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++) {
		struct message msg;
		struct slice head, body;

		message_split(a, slice_of(hidden[i].mail), &head, &body);
		message_read(&msg, a, head, body, NULL);
		tap_ok(shows(&msg, a, SLICE("EICAR")), "found: %s",
		    hidden[i].what);
	}
	arena_free(a);
}

/* The unit, its number for each '#'. */
static void
add_unit(struct buf *b, const char *unit, size_t number)
{
	for (; *unit != '\0'; unit++) {
		if (*unit == '#')
			buf_addf(b, "%zu", number);
		else
			buf_addc(b, *unit);
	}
}

/* Limits, and a time that stays in step with the size. */
static int64_t
timed(const char *what, const char *head, const char *unit, size_t times,
    const struct message_limits *limits, uint64_t want)
{
	struct arena *a = arena_new();
	struct buf b = buf_in(a);
	struct message msg;
	const struct part *root;
	int64_t start, ms;
	size_t n = 0;
	unsigned depth = 0;

	for (size_t i = 0; i < times; i++)
		add_unit(&b, unit, i);
	start = tap_worked();
	message_read(&msg, a, slice_of(head), buf_slice(&b), limits);
	root = message_parts(&msg);
	for (const struct part *p = root; p != NULL; p = part_next(root, p)) {
		n++;
		depth = p->depth > depth ? p->depth : depth;
	}
	ms = tap_worked() - start;
	tap_ok((msg.flags & want) == want, "%s: flags", what);
	tap_ok(n <= msg.limits.parts && depth <= msg.limits.depth + 1,
	    "- %zu parts, depth %u", n, depth);
	if (!tap_ok(ms < 3000, "- in time"))
		tap_diag("%lld ms", (long long)ms);
	arena_free(a);
	return ms;
}

static void
limits(void)
{
	static const struct message_limits wide = { 2000, 1 << 20, 50,
	    1000000 };
	static const char mixed[] =
	    V CT "multipart/mixed; boundary=b\r\n\r\n";
	static const char message[] = V CT "message/rfc822\r\n";

	timed("100000 parts", mixed, "--b\r\n\r\nx\r\n", 100000, NULL,
	    MSG_LIMIT_PARTS);
	timed("100000 parts allowed", mixed, "--b\r\n\r\nx\r\n", 100000,
	    &wide, 0);
	timed("50000 messages deep", message, CT "message/rfc822\r\n\r\n",
	    50000, NULL, MSG_LIMIT_DEPTH);
	timed("50000 multiparts deep", V CT "multipart/mixed; boundary=b0\r\n",
	    "--b#\r\n" CT "multipart/mixed; boundary=b#\r\n\r\n--b#\r\n",
	    50000, NULL, MSG_LIMIT_DEPTH);
	timed("nested with two boundaries", V CT
	    "multipart/mixed; boundary=b; boundary=c\r\n",
	    "--b\r\n--c\r\n" CT "multipart/mixed; boundary=b; boundary=c\r\n"
	    "\r\n", 20000, NULL, MSG_TWO_BOUNDARIES | MSG_LIMIT_DEPTH);
	timed("dashes", mixed, "--\r\n---\r\n--b", 300000, NULL, 0);
	timed("uuencode", "A: b\r\n", "begin 644 a\r\nendx\r\n", 200000, NULL,
	    MSG_UUENCODE);
	timed("uuencode, many", "A: b\r\n", "begin 644 a\r\nend\r\n", 200000,
	    NULL, MSG_UUENCODE | MSG_LIMIT_PARTS);
	timed("header lines", mixed, "--b\r\n" CT "a/b\r\n" CT "c/d\r\n" CT
	    "e/f\r\n" CT "g/h\r\njunk\r\n \r\n\r\nx\r\n", 50000, NULL,
	    MSG_LIMIT_PARTS | MSG_TWO_TYPES | MSG_LIMIT_READINGS);
	timed("one long header", mixed, "--b\r\n: x\r\n \r\n", 100000, NULL, 0);
}

int
main(void)
{
	table();
	details();
	unions();
	limits();
	return tap_done();
}
