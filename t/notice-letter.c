/* Letters: what hostile words become in a header, and a whole one. What an
 * independent reader sees in them is t/notice-mail.t's. */
#include <string.h>

#include "notice/letter.h"
#include "t/tap.h"

static struct arena *a;

static const struct {
	const char *value, *want;
} fields[] = {
	{ "plain", "Subject: plain\r\n" },
	{ "", "Subject: \r\n" },
	{ "a\r\nBcc: x@y.example", "Subject: a Bcc: x@y.example\r\n" },
	{ "caf\xc3\xa9", "Subject:\r\n =?UTF-8?B?Y2Fmw6k=?=\r\n" },
	{ "=?UTF-8?Q?x?=", "Subject:\r\n "
	  "=?UTF-8?B?PT9VVEYtOD9RP3g/PQ==?=\r\n" },
	{ "\xe2\x80\xae" "exe.fdp", "Subject: exe.fdp\r\n" },
	{ "one two three four five six seven eight nine ten eleven twelve "
	  "thirteen", "Subject: one two three four five six seven eight nine "
	  "ten eleven twelve\r\n thirteen\r\n" },
};

static void
field_table(void)
{
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
		struct buf b = buf_in(a);

		letter_field(&b, a, "Subject", slice_of(fields[i].value));
		tap_is(buf_slice(&b), slice_of(fields[i].want), "%s",
		    fields[i].value);
	}
}

static void
long_fields(void)
{
	struct buf value = buf_in(a), b = buf_in(a);
	struct slice rest, line;
	size_t longest = 0;

	for (int i = 0; i < 400; i++)
		buf_adds(&value, i % 50 == 0 ? " " : "\xe2\x82\xac");
	letter_field(&b, a, "Subject", buf_slice(&value));
	rest = buf_slice(&b);
	while (slice_line(&rest, &line))
		longest = line.len > longest ? line.len : longest;
	tap_ok(longest <= 76, "words of 76 bytes at most: %zu", longest);
	value.len = 0;
	b.len = 0;
	for (int i = 0; i < 1500; i++)
		buf_addc(&value, 'x');
	letter_field(&b, a, "Subject", buf_slice(&value));
	rest = buf_slice(&b);
	longest = 0;
	while (slice_line(&rest, &line))
		longest = line.len > longest ? line.len : longest;
	tap_ok(longest <= 78, "and a word without end too: %zu", longest);
}

static struct letter
sample(void)
{
	return (struct letter){ .from = "quarantine@our.test",
	    .from_name = SLICE("Mail \"guard\""), .to = SLICE("a@our.test"),
	    .subject = SLICE("S"), .text = SLICE("Hello\n.\n=\n"),
	    .message_id = letter_id(a, SLICE("k"), "mx.our.test"),
	    .date = SLICE("Thu, 26 Nov 2026 09:00:00 +0100"),
	    .language = SLICE("en"), .hostname = "mx.our.test" };
}

static void
whole(void)
{
	struct letter l = sample();
	struct buf b = buf_in(a), again = buf_in(a);
	bool body8 = true;

	letter_write(&b, a, &l, &body8);
	tap_ok(!body8, "is ASCII");
	tap_ok(slice_starts(buf_slice(&b), SLICE("From: \"Mail \\\"guard\\\"\""
	    "\r\n <quarantine@our.test>\r\nTo: <a@our.test>\r\n")), "header");
	tap_ok(slice_search(buf_slice(&b), SLICE("\r\nAuto-Submitted: "
	    "auto-generated\r\n")) < b.len, "says that a machine wrote it");
	tap_ok(slice_ends(buf_slice(&b), SLICE("\r\n\r\nHello\r\n.\r\n=3D"
	    "\r\n")), "the text");
	letter_write(&again, a, &l, &body8);
	tap_is(buf_slice(&again), buf_slice(&b), "the same again");
}

static void
attached(void)
{
	static const struct {
		const char *name;
		struct slice message;
		const char *has;
		bool body8;
	} cases[] = {
		{ "plain", SLICE("A: b\n\nc\n"), "7bit\r\n\r\nA: b\r\n\r\nc",
		  false },
		{ "8 bits", SLICE("A: b\r\n\r\n\xe9\r\n"),
		  "8bit\r\n\r\nA: b\r\n\r\n\xe9", true },
		{ "a NUL", SLICE("A: b\n\n\0c\n"), "base64\r\n\r\nQTogYgoKAGMK",
		  false },
		{ "a bare CR", SLICE("A: b\n\na\rb\n"),
		  "base64\r\n\r\nQTogYgoKYQ1iCg==", false },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct letter l = sample();
		struct buf b = buf_in(a);
		bool body8;

		l.html = SLICE("<p>x</p>");
		l.attached = cases[i].message;
		letter_write(&b, a, &l, &body8);
		tap_ok(slice_search(buf_slice(&b), slice_of(cases[i].has)) <
		    b.len && body8 == cases[i].body8, "attached: %s",
		    cases[i].name);
	}
}

/* A file beside the text, and a mail that answers one. */
static void
data(void)
{
	struct letter l = sample();
	struct buf b = buf_in(a);
	bool body8;

	l.data = SLICE("{}\n");
	l.data_type = "application/json";
	l.data_name = "x.json";
	l.in_reply_to = SLICE("<d@our.test>");
	letter_write(&b, a, &l, &body8);
	tap_ok(slice_search(buf_slice(&b), SLICE("\r\nContent-Type: "
	    "application/json\r\nContent-Disposition: attachment; "
	    "filename=\"x.json\"\r\nContent-Transfer-Encoding: base64\r\n"
	    "\r\ne30K\r\n")) < b.len, "data");
	tap_ok(slice_search(buf_slice(&b), SLICE("\r\nAuto-Submitted: "
	    "auto-replied\r\nIn-Reply-To:\r\n <d@our.test>\r\nReferences:"
	    "\r\n <d@our.test>\r\n")) < b.len, "an answer");
	l.in_reply_to = SLICE("");
	l.attached = SLICE("A: b\n\nc\n");
	b.len = 0;
	letter_write(&b, a, &l, &body8);
	tap_ok(slice_search(buf_slice(&b), SLICE("message/rfc822")) < b.len &&
	    slice_search(buf_slice(&b), SLICE("e30K")) < b.len,
	    "data and a message");
	tap_ok(slice_search(buf_slice(&b), SLICE("In-Reply-To")) == b.len &&
	    slice_search(buf_slice(&b), SLICE("auto-replied")) < b.len,
	    "an answer to what has no id");
}

int
main(void)
{
	a = arena_new();
	field_table();
	long_fields();
	whole();
	attached();
	data();
	arena_free(a);
	return tap_done();
}
