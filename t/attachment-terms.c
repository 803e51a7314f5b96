/* Entries of the lists of attachments (milters/attachment-dlp/term.h), and who
 * an attachment is by several witnesses (identify.h). */
#include <string.h>

#include "milters/attachment-dlp/term.h"
#include "mime/message.h"
#include "t/tap.h"

/* ---- one part of a letter ---- */

static struct item
item_of(struct arena *a, const char *fields, struct slice bytes)
{
	struct message *msg = arena_alloc(a, sizeof *msg);
	struct slice head, body;
	struct item i = { .bytes = bytes };

	message_split(a, arena_printf(a, "%s\n\n", fields), &head, &body);
	message_read(msg, a, head, body, &message_limits_default);
	i.part = message_parts(msg);
	identify_part(a, i.part, bytes, &i.identity);
	return i;
}

#define S(lit)		{ "" lit, sizeof (lit) - 1 }
#define NAMED(name)	"Content-Type: application/octet-stream\n" \
	"Content-Disposition: attachment; filename=\"" name "\""

#define Z15	"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
static const char pe[] = "MZ" Z15 Z15 Z15 "\0\0\0\0\0\0\0\0\0\0\0\0\0"
    "\100\0\0\0" "PE\0\0";

static const struct {
	const char *fields;
	struct slice bytes;
	const char *term;
	bool holds;
} cases[] = {
	{ NAMED("a.exe"), S("x"), "ext:exe", true },
	{ NAMED("a.exe"), S("x"), "ext:EXE", true },
	{ NAMED("a.exe.txt"), S("x"), "ext:exe", false },
	{ NAMED("a.exe. "), S("x"), "ext:exe", true },
	{ NAMED("a.txt:b.exe"), S("x"), "ext:exe", true },
	{ NAMED("a.exe:b.txt"), S("x"), "ext:exe", true },
	{ NAMED("a.exe::$DATA"), S("x"), "name:*.exe", true },
	{ NAMED("Re: a.pdf"), S("%PDF-1.4"), "name:*.pdf", true },
	{ NAMED("Re: a.pdf"), S("%PDF-1.4"), "class:name-trick", false },
	{ NAMED("a.pdf.exe"), S("x"), "class:name-trick", true },
	{ NAMED("a.pdf"), S("%PDF-1.4\n"), "class:name-trick", false },
	{ NAMED("a.pdf"), S("%PDF-1.4\n"), "class:disagreement", false },
	{ NAMED("a.pdf"), { pe, sizeof pe - 1 }, "class:disagreement", true },
	{ NAMED("a.pdf"), { pe, sizeof pe - 1 }, "class:executable", true },
	{ NAMED("a.exe"), S("no program"), "class:executable", true },
	{ NAMED("a.pdf"), { pe, sizeof pe - 1 }, "type:pe", true },
	{ NAMED("Invoice-7.zip"), S("x"), "name:*invoice*.ZIP", true },
	{ NAMED("Invoice-7.zip"), S("x"), "name:invoice-?.zip", true },
	{ NAMED("Invoice-77.zip"), S("x"), "name:invoice-?.zip", false },
	{ NAMED("a"), S("12345"), "larger:4", true },
	{ NAMED("a"), S("12345"), "larger:5", false },
	{ NAMED("a"), S("12345"), "larger:1k", false },
	{ NAMED("a.js"), S("x"), "attachment+ext:js", true },
	{ NAMED("a.js"), S("x"), "member + ext:js", false },
	{ NAMED("a.js"), S("x"), "ext:js+larger:10", false },
	{ "Content-Type: audio/x-thing", S("x"), "mime:audio/", true },
	{ "Content-Type: audio/x-thing", S("x"), "mime:audio/*", true },
	{ "Content-Type: audio/x-thing", S("x"), "mime:video/*", false },
	/* No name: then the declared type opens it. */
	{ "Content-Type: application/x-msdownload", S("x"),
	    "class:executable", true },
	/* Two names: any reader may take either. */
	{ "Content-Type: text/plain; name=a.scr\n"
	    "Content-Disposition: attachment; filename=a.txt", S("x"),
	    "ext:scr", true },
	{ "Content-Disposition: attachment; filename=\"a.scr\"x; "
	    "filename=b.txt", S("x"), "ext:txt", true },
	{ "Content-Disposition: attachment; "
	    "filename*=utf-8''a%2Ee%78e", S("x"), "ext:exe", true },
	{ "Content-Disposition: attachment; "
	    "filename*0=\"a.e\"; filename*1=\"xe\"", S("x"), "ext:exe", true },
	{ "Content-Disposition: attachment; "
	    "filename=\"=?utf-8?b?YS5leGU=?=\"", S("x"), "ext:exe", true },
	{ "Content-Type: image/jpeg; name=a.jpg", S("\211PNG\r\n\032\n"),
	    "class:disagreement", false },
	{ "Content-Type: image/png; name=a", { pe, sizeof pe - 1 },
	    "class:disagreement", true },
};

static void
test_terms(struct arena *a)
{
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct item item = item_of(a, cases[i].fields,
		    cases[i].bytes);
		struct slice why = SLICE("");
		struct term term;

		tap_ok(term_parse(slice_of(cases[i].term), &term, a, &why) ==
		    RC_OK && term_holds(&term, &item) == cases[i].holds,
		    "%zu: %s %s", i, cases[i].term, cases[i].holds ?
		    "holds" : "does not hold");
	}
}

static void
test_states(struct arena *a)
{
	struct item item = item_of(a, NAMED("a.zip"), SLICE("PK\003\004"));
	struct slice why;
	struct term term;

	term_parse(SLICE("class:incomplete"), &term, a, &why);
	tap_ok(!term_holds(&term, &item), "all of it was seen");
	item.why = UNPACK_TOO_DEEP;
	tap_ok(term_holds(&term, &item), "not all of it was seen");
	item.why = UNPACK_ENCRYPTED;
	item.identity.classes |= FILETYPE_ENCRYPTED;
	tap_ok(!term_holds(&term, &item), "encrypted is another thing");
	term_parse(SLICE("class:archive-encrypted"), &term, a, &why);
	tap_ok(term_holds(&term, &item), "which has its own word");
}

/* What libmagic says of it besides, and what follows. */
static const struct {
	const char *fields;
	struct slice bytes;
	const char *kind, *term;
	bool holds, allows;
} spoken[] = {
	/* Only it knows. */
	{ NAMED("a"), S("\1\2\3"), "image/fits", "mime:image/", true, false },
	{ NAMED("a"), S("print"), "text/x-script.python", "type:script", true,
	    false },
	{ NAMED("a"), S("print"), "text/x-script.python", "class:script",
	    false, false },
	{ NAMED("a"), S("\1\2\3"), "image/fits", "class:unknown", true, true },
	{ NAMED("a"), S("words"), "text/plain", "mime:text/plain", false,
	    false },
	/* What the table knows stands. */
	{ NAMED("a"), { pe, sizeof pe - 1 }, "image/fits", "mime:image/*",
	    false, false },
	{ NAMED("a.png"), { pe, sizeof pe - 1 }, "image/png",
	    "class:disagreement", true, true },
	{ NAMED("a.txt"), S("words"), "text/x-script.python", "type:script",
	    false, false },
	/* A program without its signature is a guess. */
	{ NAMED("a"), S("\351\1\2"), "application/x-dosexec", "type:pe",
	    false, false },
	{ NAMED("a"), S("\351\1\2"), "application/x-dosexec",
	    "mime:application/x-dosexec", false, false },
	{ "Content-Type: video/mp4", S("\351\1\2"), "application/x-dosexec",
	    "class:disagreement", true, true },
	{ "Content-Type: font/x-thing", S("\351\1\2"),
	    "application/x-dosexec", "class:disagreement", false, false },
	{ NAMED("a.exe"), S("\351\1\2"), "application/x-dosexec",
	    "class:disagreement", true, true },
	/* What is claimed, and what it says. */
	{ "Content-Type: video/mp4", S("\1\2\3"), "application/octet-stream",
	    "class:disagreement", true, true },
	{ "Content-Type: video/mp4", S("\1\2\3"), "video/mp4",
	    "class:disagreement", false, false },
	{ "Content-Type: video/mp4", S("\1\2\3"), "image/png",
	    "class:disagreement", true, true },
	{ "Content-Type: video/mp4; name=a.mp4", S("\1\2\3"), "video/mp4",
	    "class:disagreement", false, false },
	{ "Content-Type: application/x-thing", S("print"),
	    "text/x-script.python", "class:disagreement", true, true },
	{ "Content-Type: text/x-python", S("print"), "text/x-script.python",
	    "class:disagreement", false, false },
	{ "Content-Type: text/x-thing", S("print"), "text/x-script.python",
	    "class:disagreement", false, false },
	{ NAMED("a"), S("print"), "text/x-script.python",
	    "class:disagreement", false, false },
};

static void
test_spoken(struct arena *a)
{
	for (size_t i = 0; i < sizeof spoken / sizeof spoken[0]; i++) {
		struct item item = item_of(a, spoken[i].fields,
		    spoken[i].bytes);
		struct slice why = SLICE("");
		struct term term;

		identify_magic(a, &item.identity, slice_of(spoken[i].kind));
		tap_is(item.identity.magic, slice_of(spoken[i].kind), "said");
		tap_ok(term_parse(slice_of(spoken[i].term), &term, a, &why) ==
		    RC_OK && term_holds(&term, &item) == spoken[i].holds,
		    "libmagic %zu: %s", i, spoken[i].term);
		term.ours_only = true;
		tap_ok(term_holds(&term, &item) == spoken[i].allows,
		    "in a list that allows");
	}
}

static const struct { const char *text, *why; } wrong[] = {
	{ "exe", "\"exe\" is no condition; there are ext:, mime:, type:, "
	    "class:, name:, larger:, member and attachment, joined by +" },
	{ "ext:", "\"ext:\" wants a value; write \"ext:exe\", "
	    "\"class:script\", \"member+ext:js\"" },
	{ "ext:.exe", "\".exe\" holds a dot; write \"ext:exe\"" },
	{ "class:virus", "\"virus\" is no class; gatehouse-attachment-dlp(8) "
	    "lists them, as \"class:executable\"" },
	{ "type:exe", "\"exe\" is no type; gatehouse attachment identify shows "
	    "what a file is, as \"type:pe\"" },
	{ "larger:much", "\"much\" is no size; write \"larger:10M\"" },
	{ "member:x", "\"member:x\" has no value; write \"ext:exe\", "
	    "\"class:script\", \"member+ext:js\"" },
	{ "ext:a+", "\"\" is no condition; there are ext:, mime:, type:, "
	    "class:, name:, larger:, member and attachment, joined by +" },
};

static void
test_wrong(struct arena *a)
{
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		struct slice why = SLICE("");
		struct term term;

		tap_ok(term_parse(slice_of(wrong[i].text), &term, a, &why) ==
		    RC_BAD, "%s is refused", wrong[i].text);
		tap_is(why, slice_of(wrong[i].why), "and why");
	}
}

int
main(void)
{
	struct arena *a = arena_new();

	test_terms(a);
	test_states(a);
	test_spoken(a);
	test_wrong(a);
	arena_free(a);
	return tap_done();
}
