/* Edits: header fields, body ranges, decoded ranges of parts, and undo. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "mime/message.h"
#include "mime/patch.h"
#include "t/edit.h"
#include "t/tap.h"

static struct arena *arena;

static void
read_mail(struct message *msg, const char *mail)
{
	struct slice head, body;

	message_split(arena, slice_of(mail), &head, &body);
	message_read(msg, arena, head, body, NULL);
}

static void
headers(void)
{
	struct message msg;
	struct patches p;
	struct slice head, body;

	read_mail(&msg, "A: 1\nB : 2\n 3\njunk\nC: 4\n\nbody\n");
	patches_init(&p, arena, &msg);
	tap_is_int((long long)patches_size(&p), (long long)message_size(&msg),
	    "no edit, same size");
	patches_apply(&p, arena, &head, &body);
	tap_ok(head.ptr == msg.head.ptr && body.ptr == msg.body.ptr,
	    "no edit: borrowed");
	tap_ok(patch_insert(&p, SLICE("X"), SLICE(" 1")), "insert");
	tap_ok(patch_append(&p, SLICE("Y"), SLICE(" 1")), "append");
	tap_ok(patch_insert(&p, SLICE("X"), SLICE(" 2\r\n\tb")), "again");
	tap_ok(patch_append(&p, SLICE("Y"), SLICE("2")), "again");
	tap_ok(patch_change(&p, 1, SLICE(" new")), "change");
	tap_ok(patch_delete(&p, 3), "delete");
	patches_apply(&p, arena, &head, &body);
	tap_is(head, SLICE("X: 2\r\n\tb\r\nX: 1\r\nA: 1\r\nB : new\r\njunk\r\n"
	    "Y: 1\r\nY:2\r\n"), "applied");
	tap_ok(body.ptr == msg.body.ptr, "the body is borrowed");
	tap_is_int((long long)patches_size(&p),
	    (long long)(head.len + 2 + body.len), "size");
	tap_ok(p.head && !p.body && p.count == 6, "counted");
	tap_ok(edit_undone(&p), "undone");

	tap_ok(!patch_change(&p, 1, SLICE(" x")), "one edit a field");
	tap_ok(!patch_delete(&p, 1), "not two of another kind");
	tap_ok(!patch_delete(&p, 2), "no field, no edit");
	tap_ok(!patch_delete(&p, 4), "nothing there");
	tap_is_int((long long)p.count, 6, "the list is unchanged");
}

static const struct { const char *what; struct slice name, text; bool good; }
values[] = {
	{ "plain", SLICE("X"), SLICE(" a"), true },
	{ "empty", SLICE("X"), SLICE(""), true },
	{ "folded", SLICE("X"), SLICE("\r\n a\r\n\tb"), true },
	{ "no name", SLICE(""), SLICE(" a"), false },
	{ "blank in the name", SLICE("X Y"), SLICE(" a"), false },
	{ "colon in the name", SLICE("X:"), SLICE(" a"), false },
	{ "8 bits in the name", SLICE("\xe4"), SLICE(" a"), false },
	{ "NUL", SLICE("X"), SLICE(" a\0"), false },
	{ "bare LF", SLICE("X"), SLICE(" a\n b"), false },
	{ "bare CR", SLICE("X"), SLICE(" a\r b"), false },
	{ "CR before CRLF", SLICE("X"), SLICE(" a\r\r\n b"), false },
	{ "a line end at the end", SLICE("X"), SLICE(" a\r\n"), false },
	{ "a new field", SLICE("X"), SLICE(" a\r\nY: b"), false },
	{ "the end of the header", SLICE("X"), SLICE(" a\r\n\r\nb"), false },
	{ "a fold of blanks", SLICE("X"), SLICE(" a\r\n \r\n b"), false },
	{ "8 bits in the value", SLICE("X"), SLICE(" \xc3\xa4"), true },
};

static void
header_values(void)
{
	static char huge[60000];
	struct message msg;
	struct patches p;

	read_mail(&msg, "A: 1\n\n");
	patches_init(&p, arena, &msg);
	for (size_t i = 0; i < sizeof values / sizeof *values; i++)
		tap_ok(patch_insert(&p, values[i].name, values[i].text) ==
		    values[i].good, "value: %s", values[i].what);
	memset(huge, 'x', sizeof huge);
	tap_ok(patch_insert(&p, SLICE("X"), slice_make(huge, 59998)), "long");
	tap_ok(!patch_insert(&p, SLICE("X"), slice_make(huge, 59999)),
	    "too long");
	tap_ok(!patch_change(&p, 0, SLICE(" a\n")), "change is judged too");
	message_read(&msg, arena, SLICE("A: 1"), SLICE(""), NULL);
	patches_init(&p, arena, &msg);
	tap_ok(!patch_append(&p, SLICE("X"), SLICE(" a")), "no line to end");
}

static void
ranges(void)
{
	struct message msg;
	struct patches p;
	struct slice head, body;

	read_mail(&msg, "A: 1\n\n0123456789\n");
	patches_init(&p, arena, &msg);
	tap_ok(patch_body(&p, 8, 1, SLICE("eight")), "replace");
	tap_ok(patch_body(&p, 2, 3, SLICE("")), "cut, before it");
	tap_ok(patch_body(&p, 5, 0, SLICE("a")), "insert at its end");
	tap_ok(patch_body(&p, 5, 0, SLICE("b")), "insert behind that");
	tap_ok(patch_body(&p, 2, 0, SLICE("c")), "insert at its start");
	tap_ok(patch_body(&p, 12, 0, SLICE("end")), "insert at the very end");
	tap_ok(patch_body(&p, 5, 1, SLICE("five")), "what follows");
	tap_ok(!patch_body(&p, 3, 0, SLICE("x")), "not inside");
	tap_ok(!patch_body(&p, 1, 2, SLICE("x")), "not over its start");
	tap_ok(!patch_body(&p, 4, 1, SLICE("x")), "not over its end");
	tap_ok(!patch_body(&p, 0, 12, SLICE("x")), "not over all");
	tap_ok(!patch_body(&p, 13, 0, SLICE("x")), "not behind the end");
	tap_ok(!patch_body(&p, 11, 2, SLICE("x")), "nor over it");
	tap_ok(!patch_body(&p, 1, SIZE_MAX, SLICE("x")), "nor far over it");
	patches_apply(&p, arena, &head, &body);
	tap_is(body, SLICE("01cabfive67eight9\r\nend"), "applied");
	tap_ok(head.ptr == msg.head.ptr, "the head is borrowed");
	tap_ok(edit_undone(&p), "undone");
}

/* One part, edits of its decoded content, what its bytes become. */
static const struct {
	const char *what, *transfer, *body;
	struct { size_t off, len; const char *text; } edits[4];
	const char *want;
} parts[] = {
	{ "8bit", "8bit", "hello there\n", { { 6, 5, "wo\xc3\xa4" } },
	  "hello wo\xc3\xa4\r\n" },
	{ "qp: plain bytes", "quoted-printable", "a=41b\n", { { 0, 1, "xy" } },
	  "xy=41b\r\n" },
	{ "qp: an escape", "quoted-printable", "a=41b\n", { { 1, 1, "\xe4" } },
	  "a=E4b\r\n" },
	{ "qp: a soft break in it", "quoted-printable", "ab=\ncd=\nef\n",
	  { { 1, 2, "X" } }, "aXd=\r\nef\r\n" },
	{ "qp: soft breaks around stay", "quoted-printable", "ab=\ncd=\nef\n",
	  { { 2, 2, "X" } }, "ab=\r\nX=\r\nef\r\n" },
	{ "qp: a blank comes last", "quoted-printable", "a b\n",
	  { { 2, 1, "" } }, "a=20\r\n" },
	{ "qp: a blank goes last", "quoted-printable", "ab\n",
	  { { 1, 1, "x " } }, "ax=20\r\n" },
	{ "qp: a blank before a new line end", "quoted-printable", "a b\n",
	  { { 2, 0, "\r\n" } }, "a=20\r\nb\r\n" },
	{ "qp: trailing blanks stay nothing", "quoted-printable", "ab  \n",
	  { { 2, 0, "x" } }, "abx  \r\n" },
	{ "qp: the line end behind them", "quoted-printable", "ab  \nc\n",
	  { { 2, 2, "x" } }, "abxc\r\n" },
	{ "qp: a lone =", "quoted-printable", "a=zb\n", { { 2, 1, "4" } },
	  "a=3D4b\r\n" },
	{ "qp: a lone = and digits", "quoted-printable", "a=z41\n",
	  { { 2, 1, "" } }, "a=3D41\r\n" },
	{ "qp: = in the text", "quoted-printable", "ab\n", { { 1, 0, "=3D" } },
	  "a=3D3Db\r\n" },
	{ "qp: dashes at a line's start", "quoted-printable", "a\nx--b\n",
	  { { 3, 1, "" } }, "a\r\n=2D-b\r\n" },
	{ "qp: text of dashes", "quoted-printable", "a\nb\n",
	  { { 3, 0, "--" } }, "a\r\n=2D-b\r\n" },
	{ "qp: a line grows", "quoted-printable",
	  "0123456789012345678901234567890123456789012345678901234567890123456"
	  "789\n", { { 10, 1, "abcdefgh" } },
	  "0123456789abcdefgh=\r\n123456789012345678901234567890123456789012345"
	  "67890123456789\r\n" },
	{ "qp: two that touch", "quoted-printable", "abcd\n",
	  { { 1, 1, "X" }, { 2, 1, "Y" } }, "aXYd\r\n" },
	{ "qp: in any order", "quoted-printable", "abcd\n",
	  { { 3, 1, "Y" }, { 0, 1, "X" } }, "XbcY\r\n" },
	{ "qp: two on a line", "quoted-printable", "a b c\n",
	  { { 4, 1, "" }, { 2, 1, "" } }, "a =20\r\n" },

	{ "b64: as long", "base64", "QUJDREVG\nR0hJSktM\n", { { 1, 1, "X" } },
	  "QVhDREVG\r\nR0hJSktM\r\n" },
	{ "b64: a line break in it", "base64", "QUJDREVG\nR0hJSktM\n",
	  { { 5, 2, "XY" } }, "QUJDREVY\r\nWUhJSktM\r\n" },
	{ "b64: three more", "base64", "QUJDREVG\nR0hJSktM\n",
	  { { 3, 0, "XYZ" } }, "QUJDWFla\r\nREVG\r\nR0hJSktM\r\n" },
	{ "b64: three less", "base64", "QUJDREVG\nR0hJSktM\n",
	  { { 3, 3, "" } }, "QUJD\r\nR0hJSktM\r\n" },
	{ "b64: one less, to the end", "base64", "QUJDREVG\nR0hJSktM\n",
	  { { 0, 1, "" } }, "QkNERUZH\r\nSElKS0w=\r\n" },
	{ "b64: one less, one more", "base64", "QUJDREVG\nR0hJSktM\n",
	  { { 0, 1, "" }, { 4, 0, "X" } }, "QkNEWEVG\r\nR0hJSktM\r\n" },
	{ "b64: append", "base64", "QUJDREVG\n", { { 6, 0, "X" } },
	  "QUJDREVG\r\nWA==\r\n" },
	{ "b64: append to padding", "base64", "QUJDRA==\n", { { 4, 0, "E" } },
	  "QUJDREU=\r\n" },
	{ "b64: all of it", "base64", "QUJDRA==\n", { { 0, 4, "" } },
	  "\r\n" },
	{ "b64: into nothing", "base64", "\n", { { 0, 0, "ABC" } },
	  "QUJD\r\n" },
	{ "b64: junk stays", "base64", "QUJD*\nREVG\n", { { 3, 1, "X" } },
	  "QUJD*\r\nWEVG\r\n" },
	{ "b64: behind padding", "base64", "QQ==\nREVG\n", { { 1, 1, "X" } },
	  "QQ==\r\nWEVG\r\n" },
	{ "b64: over padding", "base64", "QQ==\nREVG\n", { { 0, 0, "X" } },
	  "WEFE\r\nRUY=\r\n" },
};

static void
part_table(void)
{
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		struct message msg;
		struct patches p;
		struct slice head, body;
		bool good = true;

		read_mail(&msg, arena_str(arena, arena_printf(arena,
		    "Content-Transfer-Encoding: %s\n\n%s", parts[i].transfer,
		    parts[i].body)));
		patches_init(&p, arena, &msg);
		for (size_t j = 0; parts[i].edits[j].text != NULL; j++)
			good = good && patch_part(&p, message_parts(&msg),
			    parts[i].edits[j].off, parts[i].edits[j].len,
			    slice_of(parts[i].edits[j].text));
		patches_apply(&p, arena, &head, &body);
		tap_is(body, slice_of(parts[i].want), "%s", parts[i].what);
		if (!good || !edit_undone(&p))
			tap_ok(false, "- taken and undone");
	}
}

static void
refused(void)
{
	struct message msg;
	struct patches p;
	const struct part *root, *text, *qp, *uu;
	size_t off = 0;

	read_mail(&msg, "Content-Type: multipart/mixed; boundary=bnd\n\n"
	    "--bnd\n\nab--bn\ncd\n--bnd\nContent-Transfer-Encoding: "
	    "quoted-printable\n\nabc=\ndef\n--bnd\n\nbegin 644 x\n#0V%T\nend\n"
	    "--bnd--\n");
	root = message_parts(&msg);
	text = root->child;
	qp = text->next;
	uu = qp->next->child;
	patches_init(&p, arena, &msg);
	tap_ok(!patch_part(&p, root, 0, 1, SLICE("x")), "a multipart");
	tap_ok(!patch_part(&p, uu, 0, 1, SLICE("x")), "uuencode");
	tap_ok(!patch_part(&p, text, 0, 0, SLICE("\xe4")), "8 bits in 7bit");
	tap_ok(!patch_part(&p, text, 0, 0, SLICE("a\nb")), "a bare LF");
	tap_ok(!patch_part(&p, text, 0, 7, SLICE("")), "half a line end");
	tap_ok(!patch_part(&p, text, 2, 0, SLICE("\r\n--bnd")), "a boundary");
	tap_ok(!patch_part(&p, text, 6, 0, SLICE("d")), "made with others");
	tap_ok(patch_part(&p, text, 6, 0, SLICE("x")), "none is made");
	tap_ok(!patch_part(&p, qp, 7, 0, SLICE("x")), "behind the end");
	tap_ok(!patch_part(&p, qp, 5, 2, SLICE("x")), "over the end");
	tap_ok(patch_part(&p, qp, 6, 0, SLICE("x")), "at the end");
	tap_ok(patch_part(&p, qp, 1, 3, SLICE("x")), "in the middle");
	tap_ok(!patch_part(&p, qp, 2, 1, SLICE("y")), "twice");
	part_offset(&msg, qp, &off);
	tap_ok(!patch_body(&p, off + 1, 1, SLICE("y")), "below the part");
	tap_ok(patch_body(&p, off + qp->body.len, 0, SLICE("")), "behind it");
	tap_is_int((long long)p.count, 4, "counted");
	tap_ok(edit_undone(&p), "undone");
}

/* A line end that makes a delimiter of what was none. */
static void
split_line(void)
{
	struct message msg;
	struct patches p;
	const struct part *text;

	read_mail(&msg, "Content-Type: multipart/mixed; boundary=bnd\n\n"
	    "--bnd\n\na\n--bnd--</p>\n--bnd     x\nb\n--bnd--\n");
	text = message_parts(&msg)->child;
	patches_init(&p, arena, &msg);
	tap_ok(!patch_part(&p, text, 10, 0, SLICE("\r\n")), "behind --bnd--");
	tap_ok(!patch_part(&p, text, 26, 0, SLICE("\r\n")), "and blanks");
	tap_ok(patch_part(&p, text, 29, 0, SLICE("x\r\n")), "a line further");
}

/* Seeded edits of made-up parts, checked against edits of the content. */
static void
random_parts(void)
{
	static const char *const pieces[] = { "a", "b", " ", "  ", "\t", "=",
	    "=41", "=E4", "=\r\n", "= \r\n", "\r\n", "\r", "\n", "--", "-",
	    "QUJD", "QQ==", "=", "*", "0123456789012345678901234567890123456",
	    "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJz" };
	struct edit_random r = { 20260901 };
	size_t bad = 0, taken = 0;

	for (int round = 0; round < 20000; round++) {
		struct arena *a = arena_new();
		struct buf b = buf_in(a);
		struct message msg;
		const char *why;
		size_t n = edit_below(&r, 30);

		for (size_t i = 0; i < n; i++)
			buf_adds(&b, pieces[edit_below(&r,
			    sizeof pieces / sizeof *pieces)]);
		message_read(&msg, a, edit_below(&r, 2) == 0 ?
		    SLICE("Content-Transfer-Encoding: base64\r\n") :
		    SLICE("Content-Transfer-Encoding: quoted-printable\r\n"),
		    buf_slice(&b), NULL);
		why = edit_at_random(&r, &msg, a, &taken);
		if (why != NULL && bad++ < 5)
			tap_diag("round %d: %s", round, why);
		arena_free(a);
	}
	tap_is_int((long long)bad, 0, "random edits of parts");
	tap_ok(taken > 20000, "- %zu taken", taken);
}

/* Many edits of one part: ascending, descending, interleaved. */
static void
many(const char *transfer)
{
	struct arena *a = arena_new();
	struct message msg;
	struct patches p;
	struct buf b = buf_in(a);
	int64_t start = tap_worked();
	size_t size = 4 << 20, step = 400, good = 0;

	while (b.len < size)
		buf_adds(&b, "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlq"
		    "a2xtbm9wcXJz\r\n");
	message_read(&msg, a, arena_printf(a,
	    "Content-Transfer-Encoding: %s\r\n", transfer), buf_slice(&b),
	    NULL);
	patches_init(&p, a, &msg);
	for (size_t i = 0; i < 5000; i++)
		good += patch_part(&p, message_parts(&msg), i * step, 7,
		    SLICE("https"));
	for (size_t i = 5000; i-- > 0; )
		good += patch_part(&p, message_parts(&msg), i * step + 100, 7,
		    SLICE("longer text"));
	/* Those that would cut a CRLF in two are refused in 8bit. */
	tap_ok(good > 9500, "%s: many edits, %zu taken", transfer, good);
	tap_ok(edit_undone(&p), "- undone");
	if (!tap_ok(tap_worked() - start < 5000, "- in time"))
		tap_diag("%lld ms", (long long)(tap_worked() - start));
	arena_free(a);
}

int
main(void)
{
	arena = arena_new();
	headers();
	header_values();
	ranges();
	part_table();
	refused();
	split_line();
	random_parts();
	many("8bit");
	many("quoted-printable");
	many("base64");
	arena_free(arena);
	return tap_done();
}
