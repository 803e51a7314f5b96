/* The texts of a message (common/content). */
#include <string.h>

#include "base/buf.h"
#include "content/content.h"
#include "t/tap.h"

static const char *const kinds[] = { "subject", "plain", "html", "hidden",
    "name" };

static struct slice
texts(struct arena *a, const char *mail, const struct content_limits *limits)
{
	struct slice head, body;
	struct message msg;
	struct content content;
	struct buf out = buf_in(a);

	message_split(a, slice_of(mail), &head, &body);
	message_read(&msg, a, head, body, &message_limits_default);
	content_read(&msg, limits, &content);
	for (const struct content_text *t = content.first; t != NULL;
	    t = t->next) {
		buf_addf(&out, "%s[", kinds[t->kind]);
		buf_add(&out, slice_trim(t->text));
		buf_adds(&out, "]");
	}
	if (content.cut)
		buf_adds(&out, "cut");
	return buf_slice(&out);
}

static const struct { const char *name, *mail, *want; } cases[] = {
	{ "subject and text", "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\n\nHello\n",
	    "subject[Gr\xc3\xbc\xc3\x9f" "e]plain[Hello]" },
	{ "transfer encoding and charset",
	    "Content-Type: text/plain; charset=iso-8859-1\n"
	    "Content-Transfer-Encoding: quoted-printable\n\n4111=\n=A01111\n",
	    "plain[4111 1111]" },
	{ "HTML, seen and hidden",
	    "Content-Type: text/html\n\n<p>See&nbsp;me</p>"
	    "<p style='display:none'>not me</p>",
	    "html[See me]hidden[not me]" },
	{ "parts and names",
	    "Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b\n"
	    "Content-Type: application/x-y; name=\"a.b\"\n\nbytes\n--b\n"
	    "Content-Type: text/csv\nContent-Disposition: attachment; "
	    "filename=c.csv\n\n1,2\n--b--\n",
	    "plain[one]name[a.b]name[c.csv]plain[1,2]" },
	{ "zero width inside a word", "\nse\xe2\x80\x8b" "cret\n",
	    "plain[secret]" },
	{ "two readings of base64",
	    "Content-Transfer-Encoding: base64\n\nb25l\nYg==\ndHdv\n", NULL },
	{ "nothing", "\n", "" },
};

int
main(void)
{
	struct arena *a = arena_new();
	struct content_limits few = { 100, 6, 2 };

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct slice got = texts(a, cases[i].mail,
		    &content_limits_default);

		if (cases[i].want != NULL)
			tap_is(got, slice_of(cases[i].want), "%s",
			    cases[i].name);
		else
			tap_ok(slice_search(got, SLICE("two")) < got.len,
			    "%s: what stands behind the padding is read",
			    cases[i].name);
		arena_reset(a);
	}
	tap_is(texts(a, "Subject: abc\n\n12345678\n", &few),
	    SLICE("subject[abc]plain[123]cut"), "a limit is met, and said");
	arena_free(a);
	return tap_done();
}
