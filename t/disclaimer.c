/*
 * Disclaimers in whole messages: which parts, in which charset and encoding,
 * once a thread, never in what is signed; and templates that are wrong.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "milters/predelivery/disclaimer_load.h"
#include "t/edit.h"
#include "t/tap.h"

static char folder[] = "/tmp/gatehouse-disclaimer-XXXXXX";
static struct arena *arena;
static struct disclaimers *list;

static void
put(const char *name, const char *text)
{
	char path[200];
	FILE *f;

	snprintf(path, sizeof path, "%s/%s", folder, name);
	f = fopen(path, "w");
	if (f == NULL || fputs(text, f) < 0 || fclose(f) != 0) {
		perror(path);
		exit(1);
	}
}

static void
take(const char *name)
{
	char path[200];

	snprintf(path, sizeof path, "%s/%s", folder, name);
	unlink(path);
}

static struct slice
value(const void *who, const char *name)
{
	(void)who;
	if (strcmp(name, "name") == 0)
		return SLICE("J\u00f6rg <& Co>");
	return strcmp(name, "city") == 0 ? SLICE("K\u00f6ln") : SLICE_NONE;
}

static const struct disclaimer_values values = { value, NULL };

static const char plain[] = "The Example Company of {{city}}\n"
    "{{#phone}}Tel. {{phone}}\n{{/phone}}Sincerely, {{name}}\n";
static const char both[] = "-- \nThe Other Company\n";
static const char both_html[] = "<html><body><p class=\"x\">The <b>Other</b> "
    "Company, {{name}}</p></body></html>\n";

#define TYPE(t)	"Content-Type: " t "\n"
#define ENCODED(e) "Content-Transfer-Encoding: " e "\n"
#define MIXED	TYPE("multipart/mixed; boundary=m")
#define ALTERNATIVE TYPE("multipart/alternative; boundary=a")

/* want: the whole body; NULL: nothing is done. */
static const struct {
	const char *name, *disclaimer, *mail, *want;
	enum disclaimer_done done;
} cases[] = {
	{ "no MIME at all", "plain", "Subject: a\n\nHello\n",
	    "Hello\n\nThe Example Company of Koeln\n"
	    "Sincerely, Joerg <& Co>\n", DISCLAIMER_ADDED },
	{ "UTF-8 in 8bit", "plain", TYPE("text/plain; charset=utf-8")
	    ENCODED("8bit") "\nHello\n",
	    "Hello\n\nThe Example Company of K\u00f6ln\n"
	    "Sincerely, J\u00f6rg <& Co>\n", DISCLAIMER_ADDED },
	{ "UTF-8 in 7bit", "plain", TYPE("text/plain; charset=utf-8")
	    "\nHello\n", "Hello\n\nThe Example Company of Koeln\n"
	    "Sincerely, Joerg <& Co>\n", DISCLAIMER_ADDED },
	{ "Latin 1 in quoted-printable", "plain",
	    TYPE("text/plain; charset=iso-8859-1")
	    ENCODED("quoted-printable") "\nH=E4llo=\n you\n",
	    "H=E4llo=\n you\n\nThe Example Company of K=F6ln\n"
	    "Sincerely, J=F6rg <& Co>\n", DISCLAIMER_ADDED },
	{ "base64", "plain", TYPE("text/plain; charset=utf-8")
	    ENCODED("base64") "\nSGVsbG8NCg==\n",
	    "SGVsbG8NCg0K\nVGhlIEV4YW1w\nbGUgQ29tcGFu\neSBvZiBLw7Zs\n"
	    "bg0KU2luY2Vy\nZWx5LCBKw7Zy\nZyA8JiBDbz4N\nCg==\n",
	    DISCLAIMER_ADDED },
	{ "HTML of text", "plain", TYPE("text/html; charset=us-ascii")
	    "\n<html><body><p>Hello</p></body></html>\n",
	    "<html><body><p>Hello</p>\n<div>The Example Company of K&#246;ln"
	    "<br>\nSincerely, J&#246;rg &#60;&#38; Co&#62;</div>\n"
	    "</body></html>\n", DISCLAIMER_ADDED },
	{ "HTML of its own", "both", TYPE("text/html; charset=utf-8")
	    ENCODED("8bit") "\nHello\n",
	    "Hello\n\n<p class=\"x\">The <b>Other</b> Company, J\u00f6rg &lt;"
	    "&amp; Co&gt;</p>\n", DISCLAIMER_ADDED },
	{ "both of an alternative", "both", ALTERNATIVE
	    "\n--a\n\nHello\n--a\n" TYPE("text/html") "\n<p>Hello</p>\n--a--\n",
	    "--a\n\nHello\n\n-- \nThe Other Company\n--a\n"
	    TYPE("text/html") "\n<p>Hello</p>\n<p class=\"x\">The <b>Other</b> "
	    "Company, J&#246;rg &lt;&amp; Co&gt;</p>\n\n--a--\n",
	    DISCLAIMER_ADDED },
	{ "one signature is enough", "both", "\nHello\n\n-- \nMe\n",
	    "Hello\n\n-- \nMe\n\nThe Other Company\n", DISCLAIMER_ADDED },
	{ "before what is quoted", "both",
	    "\nYes\n\nOn 1.2.2026 b wrote:\n> x\n",
	    "Yes\n\n-- \nThe Other Company\n\nOn 1.2.2026 b wrote:\n> x\n",
	    DISCLAIMER_ADDED },
	{ "format=flowed", "stuff", TYPE("text/plain; format=flowed")
	    "\nHello \nyou\n",
	    "Hello \nyou\n\n  indented text\n From here\nand on\n",
	    DISCLAIMER_ADDED },
	{ "the first text of mixed", "both", MIXED
	    "\n--m\n\nHello\n--m\n" TYPE("image/png")
	    "\nx\n--m\n\nBye\n--m--\n",
	    "--m\n\nHello\n\n-- \nThe Other Company\n--m\n"
	    TYPE("image/png") "\nx\n--m\n\nBye\n--m--\n", DISCLAIMER_ADDED },
	{ "not the attachment", "both", MIXED
	    "\n--m\nContent-Disposition: attachment\n\na\n--m\n"
	    TYPE("text/plain; name=x.txt") "\nb\n--m\n\nHello\n--m--\n",
	    "--m\nContent-Disposition: attachment\n\na\n--m\n"
	    TYPE("text/plain; name=x.txt") "\nb\n--m\n\nHello\n\n-- \n"
	    "The Other Company\n--m--\n", DISCLAIMER_ADDED },
	{ "related: its root", "both",
	    TYPE("multipart/related; boundary=m; start=\"<2>\"")
	    "\n--m\nContent-ID: <1>\n\na\n--m\nContent-ID: <2>\n\nb\n--m--\n",
	    "--m\nContent-ID: <1>\n\na\n--m\nContent-ID: <2>\n\nb\n\n-- \n"
	    "The Other Company\n--m--\n", DISCLAIMER_ADDED },
	{ "a calendar stays", "both", ALTERNATIVE "\n--a\n\nHello\n--a\n"
	    TYPE("text/calendar") "\nBEGIN:VCALENDAR\n--a--\n",
	    "--a\n\nHello\n\n-- \nThe Other Company\n--a\n"
	    TYPE("text/calendar") "\nBEGIN:VCALENDAR\n--a--\n",
	    DISCLAIMER_ADDED },
	{ "ISO-2022-JP", "both", TYPE("text/plain; charset=iso-2022-jp")
	    "\n\x1b$B$\"\x1b(B\n\x1b$B>\"\x1b(B\n",
	    "\x1b$B$\"\x1b(B\n\x1b$B>\"\x1b(B\n\n-- \nThe Other Company\n",
	    DISCLAIMER_ADDED },
	{ "an empty text", "both", TYPE("text/plain") "\n",
	    "-- \nThe Other Company\n", DISCLAIMER_ADDED },

	{ "there already, quoted", "both", "\nYes\n> The  Other\n> company\n",
	    NULL, DISCLAIMER_THERE },
	{ "in the HTML of an alternative", "both", ALTERNATIVE
	    "\n--a\n\nYes\n--a\n" TYPE("text/html")
	    "\nYes<blockquote>The <i>O</i>ther Company,</blockquote>\n--a--\n",
	    NULL, DISCLAIMER_THERE },
	{ "another's values, umlauts as ASCII", "umlaut",
	    "\n> Die uebliche Erklaerung von Hans\n", NULL, DISCLAIMER_THERE },
	{ "S/MIME", "both", TYPE("application/pkcs7-mime; "
	    "smime-type=signed-data") "\nx\n", NULL, DISCLAIMER_SIGNED },
	{ "S/MIME, encrypted", "both", TYPE("application/x-pkcs7-mime")
	    "\nx\n", NULL, DISCLAIMER_ENCRYPTED },
	{ "signed", "both", TYPE("multipart/signed; boundary=a")
	    "\n--a\n\nHello\n--a\n" TYPE("application/pgp-signature")
	    "\nx\n--a--\n", NULL, DISCLAIMER_SIGNED },
	{ "signed within mixed", "both", MIXED "\n--m\n\nHello\n--m\n"
	    TYPE("multipart/signed; boundary=a") "\n--a\n\nx\n--a--\n--m--\n",
	    NULL, DISCLAIMER_SIGNED },
	{ "a signed message forwarded", "both", MIXED "\n--m\n\nHello\n--m\n"
	    TYPE("message/rfc822") "\n" TYPE("multipart/signed; boundary=a")
	    "\n--a\n\nx\n--a--\n--m--\n",
	    "--m\n\nHello\n\n-- \nThe Other Company\n--m\n"
	    TYPE("message/rfc822") "\n" TYPE("multipart/signed; boundary=a")
	    "\n--a\n\nx\n--a--\n--m--\n", DISCLAIMER_ADDED },
	{ "PGP/MIME", "both", TYPE("multipart/encrypted; boundary=a")
	    "\n--a\n" TYPE("application/pgp-encrypted") "\nx\n--a--\n", NULL,
	    DISCLAIMER_ENCRYPTED },
	{ "PGP in a text", "both", "\n-----BEGIN PGP MESSAGE-----\n", NULL,
	    DISCLAIMER_ENCRYPTED },
	{ "signed in a text", "both",
	    "\n-----BEGIN PGP SIGNED MESSAGE-----\nx\n", NULL,
	    DISCLAIMER_SIGNED },
	{ "an image", "both", TYPE("image/png") "\nx\n", NULL,
	    DISCLAIMER_NO_TEXT },
	{ "a text as attachment", "both", "Content-Disposition: attachment\n"
	    "\nx\n", NULL, DISCLAIMER_NO_TEXT },
	{ "a calendar alone", "both", TYPE("text/calendar") "\nx\n", NULL,
	    DISCLAIMER_NO_TEXT },
	{ "a report", "both", TYPE("multipart/report; boundary=a")
	    "\n--a\n\nx\n--a--\n", NULL, DISCLAIMER_NO_TEXT },
	{ "a message forwarded alone", "both", TYPE("message/rfc822")
	    "\nSubject: x\n\ny\n", NULL, DISCLAIMER_NO_TEXT },
	{ "UTF-16", "both", TYPE("text/plain; charset=utf-16")
	    ENCODED("base64") "\n//5hAA==\n", NULL, DISCLAIMER_REFUSED },
	{ "two types", "both", TYPE("text/plain") TYPE("text/html") "\nx\n",
	    NULL, DISCLAIMER_REFUSED },
	{ "no boundary there", "both", MIXED "\nx\n", NULL,
	    DISCLAIMER_REFUSED },
	{ "all or none", "both", ALTERNATIVE "\n--a\n\nHello\n--a\n"
	    TYPE("text/html; charset=utf-16") ENCODED("base64")
	    "\n//5hAA==\n--a--\n", NULL, DISCLAIMER_REFUSED },
	{ "nothing is left of it", "empty", "\nx\n", NULL, DISCLAIMER_EMPTY },
};

static struct slice
crlf(struct slice text)
{
	struct buf out = buf_in(arena);
	struct slice line;

	while (slice_line(&text, &line)) {
		buf_add(&out, line);
		buf_adds(&out, "\r\n");
	}
	return buf_slice(&out);
}

static void
one(size_t i)
{
	struct slice head, body, new_head, new_body;
	struct message msg, edited;
	struct patches edits;
	const struct disclaimer *d = disclaimers_find(list,
	    slice_of(cases[i].disclaimer));
	enum disclaimer_done done;

	if (!tap_ok(d != NULL, "%s: %s", cases[i].name, cases[i].disclaimer))
		return;
	message_split(arena, slice_of(cases[i].mail), &head, &body);
	message_read(&msg, arena, head, body, NULL);
	patches_init(&edits, arena, &msg);
	done = disclaimer_add(&edits, &msg, d, DISCLAIMER_REPLY, true, &values);
	tap_is_str(disclaimer_done_name(done),
	    disclaimer_done_name(cases[i].done), "%s", cases[i].name);
	patches_apply(&edits, arena, &new_head, &new_body);
	tap_is(new_head, head, "the header stays");
	tap_is(new_body, cases[i].want != NULL ?
	    crlf(slice_of(cases[i].want)) : body, "the body");
	tap_ok(edit_undone(&edits), "and undone");
	if (done != DISCLAIMER_ADDED)
		return;
	/* What has it already does not get it again. */
	message_read(&edited, arena, new_head, new_body, NULL);
	patches_init(&edits, arena, &edited);
	if (strcmp(cases[i].disclaimer, "stuff") != 0)
		tap_is_str(disclaimer_done_name(disclaimer_add(&edits, &edited,
		    d, DISCLAIMER_REPLY, true, &values)),
		    disclaimer_done_name(DISCLAIMER_THERE), "twice is once");
}

static void
top(void)
{
	struct slice head, body, new_head;
	struct message msg;
	struct patches edits;
	const struct disclaimer *d = disclaimers_find(list, SLICE("plain"));

	message_split(arena, SLICE("\nHi\n> The Example Company of\n"), &head,
	    &body);
	for (unsigned round = 0; round < 2; round++) {
		message_read(&msg, arena, head, body, NULL);
		patches_init(&edits, arena, &msg);
		tap_is_int(disclaimer_add(&edits, &msg, d, DISCLAIMER_TOP,
		    true, &values), round == 0 ? DISCLAIMER_ADDED :
		    DISCLAIMER_THERE, "at the top, round %u", round);
		patches_apply(&edits, arena, &new_head, &body);
		tap_is(body, SLICE("The Example Company of Koeln\r\n"
		    "Sincerely, Joerg <& Co>\r\n\r\nHi\r\n"
		    "> The Example Company of\r\n"), "above all");
	}
}

static void
wrong(void)
{
	static const struct {
		const char *file, *text, *want;
	} bad[] = {
		{ "bad.txt", "", "bad.txt: empty" },
		{ "bad.txt", "\xff", "bad.txt: not UTF-8" },
		{ "bad.txt", "a\n{{#b}}\n", "bad.txt:2: " },
		{ "both.html", "<script>x</script>",
		    "both.html: <script> has" },
		{ "both.html", "<p", "both.html: its last tag" },
		{ "both.html", "a<!--", "both.html: its last tag" },
		{ "both.html", "<p title={{name}}>", "both.html:1: " },
	};
	struct disclaimers *other;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct slice why = SLICE_NONE;

		put(bad[i].file, bad[i].text);
		tap_is_int(disclaimers_load(arena, folder, true, &other, &why),
		    RC_BAD, "refused: %s", bad[i].text);
		tap_ok(slice_search(why, slice_of(bad[i].want)) < why.len,
		    "says %s", bad[i].want);
		tap_diag("%.*s", SLICE_ARG(why));
		take("bad.txt");
		put("both.html", both_html);
	}
	if (chmod(arena_printf(arena, "%s/both.txt", folder).ptr, 0666) == 0) {
		struct slice why = SLICE_NONE;

		tap_is_int(disclaimers_load(arena, folder, true, &other, &why),
		    RC_BAD, "one that anybody may write");
		tap_ok(slice_search(why, SLICE("both.txt")) < why.len,
		    "is named");
	}
	tap_is_int(disclaimers_load(arena, "/nonexistent", true, &other,
	    &(struct slice){ 0 }), RC_OK, "no folder: no disclaimers");
	tap_ok(disclaimers_find(other, SLICE("x")) == NULL, "none");
}

int
main(void)
{
	struct slice why = SLICE_NONE;

	arena = arena_new();
	if (mkdtemp(folder) == NULL)
		return 1;
	put("plain.txt", plain);
	put("both.txt", both);
	put("both.html", both_html);
	put("stuff.txt", " indented text\nFrom here\nand on\n");
	put("umlaut.txt", "Die \u00fcbliche Erkl\u00e4rung von {{name}}\n");
	put("empty.txt", "{{#phone}}Tel. {{phone}}{{/phone}}\n");
	tap_is_int(disclaimers_load(arena, folder, true, &list, &why), RC_OK,
	    "they are read");
	tap_diag("%.*s", SLICE_ARG(why));
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		one(i);
	top();
	wrong();
	take("plain.txt");
	take("both.txt");
	take("both.html");
	take("stuff.txt");
	take("umlaut.txt");
	take("empty.txt");
	rmdir(folder);
	arena_free(arena);
	return tap_done();
}
