/* The links of a message (common/content/links.h). */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "content/links.h"
#include "t/tap.h"

static const char kinds[] = "TCFLAQ";

static void
links_of(struct arena *a, struct slice mail, struct content_links *links_r)
{
	struct slice head, body;
	struct message *msg = arena_alloc(a, sizeof *msg);
	struct content *content = arena_alloc(a, sizeof *content);

	message_split(a, mail, &head, &body);
	message_read(msg, a, head, body, &message_limits_default);
	content_read(msg, &content_limits_default, content);
	content_links(a, content, NULL, CONTENT_LINKS, links_r);
}

static struct slice
print(struct arena *a, const struct content_links *links)
{
	struct buf out = buf_in(a);

	for (const struct content_link *l = links->first; l != NULL;
	    l = l->next) {
		buf_addf(&out, "%s%c:", out.len > 0 ? " " : "",
		    kinds[l->kind]);
		buf_add(&out, l->url.scheme.len > 0 ?
		    weburl_print(a, &l->url) : SLICE("none"));
		if (l->shown.ptr != NULL)
			buf_addf(&out, "[%.*s]", SLICE_ARG(l->shown));
		if (l->times > 1)
			buf_addf(&out, "x%u", l->times);
	}
	return buf_slice(&out);
}

#define HTML	"Content-Type: text/html; charset=utf-8\n\n"

static const struct { const char *name, *mail, *want; } cases[] = {
	{ "a plain link", "\nsee http://a.example/b.\n",
	    "T:http://a.example/b" },
	{ "in brackets", "\n(https://a.example/b(c)) <http://b.example>\n",
	    "T:https://a.example/b(c) T:http://b.example/" },
	{ "www", "\nwww.a.example, WWW.B.Example/x?y\n",
	    "T:http://www.a.example/ T:http://www.b.example/x?y" },
	{ "bare names", "\ngo to bank.com or a.b.co.uk/c now\n",
	    "T:http://bank.com/ T:http://a.b.co.uk/c" },
	{ "no names", "\nthe end.Then a file.zip, e.g. 3.14, v1.2.3 a@b.com "
	    "node.js main.py x..com .com com. a.invalidtld\n", "" },
	{ "a name with a port", "\nhost.com:8080/a\n",
	    "T:http://host.com:8080/a" },
	{ "in the subject", "Subject: http://a.example/\n\n\n",
	    "T:http://a.example/" },
	{ "wide letters", "\nhttp://\xef\xbd\x81.example/\xe2\x80\x9d x\n",
	    "T:http://a.example/" },
	{ "the same twice", "\nhttp://a.example http://a.example\n",
	    "T:http://a.example/x2" },
	{ "a numeric host", "\nhttp://0x7f.1/ http:\\\\b.example\\c\n",
	    "T:http://127.0.0.1/ T:http://b.example/c" },
	{ "HTML with what is shown", HTML
	    "<a href='http://evil.example/'>www.<b>bank</b>.com</a>",
	    "C:http://evil.example/[www.bank.com]" },
	{ "what is not shown of it", HTML
	    "<a href=http://e.example><i style=display:none>x</i>y<br>z</a>",
	    "C:http://e.example/[y z]" },
	{ "an image is shown by its text", HTML
	    "<a href=http://e.example><img src=http://i.example/p alt=bank>"
	    "</a>", "C:http://e.example/[bank] L:http://i.example/p" },
	{ "forms, loads, refresh", HTML "<form action=http://f.example>"
	    "<button formaction=http://g.example></form><meta http-equiv="
	    "refresh content='0;url=http://r.example'>",
	    "F:http://f.example/ F:http://g.example/ C:http://r.example/" },
	{ "text beside links", HTML
	    "<p>at http://t.example/<wbr>x</p><a href='http://e.example'>"
	    "http://s.example</a><div>uu.com</div><div>v</div>",
	    "C:http://e.example/[http://s.example] T:http://t.example/x "
	    "T:http://uu.com/" },
	{ "nobody clicks what is hidden", HTML
	    "<p style='display:none'>http://h.example</p>", "" },
	{ "references and line ends", HTML
	    "<a href='ht&#116;p://e.exam\nple/&amp;a'>x</a>",
	    "C:http://e.example/&a[x]" },
	{ "a base", HTML "<base href='http://b.example/x/y?z'><a href=l>m</a>"
	    "<a href='//c.example/'>n</a><a href='#o'>o</a>",
	    "C:http://b.example/x/l[m] C:http://c.example/[n]" },
	{ "relative to nothing", HTML "<a href='/l'>m</a><a href=www.n.com>n"
	    "</a><a href='javascript:a(b.com)'>o</a>",
	    "C:none[m] C:http://www.n.com/[n] "
	    "C:javascript:a(b.com)[o]" },
	{ "userinfo", HTML "<a href='http://bank.com@e.example'>x</a>",
	    "C:http://e.example/[x]" },
	{ "two texts, one URL", HTML
	    "<a href=http://a.example>x</a><a href=http://a.example>y</a>"
	    "<a href=http://a.example>x</a>",
	    "C:http://a.example/[x]x2 C:http://a.example/[y]" },
};

static void
test_cases(void)
{
	struct arena *a = arena_new();
	struct content_links links;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		links_of(a, slice_of(cases[i].mail), &links);
		tap_is(print(a, &links), slice_of(cases[i].want), "%s",
		    cases[i].name);
		arena_reset(a);
	}
	arena_free(a);
}

static struct slice
many(struct arena *a, const char *before, const char *fmt, unsigned n)
{
	struct buf out = buf_in(a);

	buf_adds(&out, before);
	for (unsigned i = 0; i < n; i++) {
		struct slice now = arena_printf(a, "%s%u%s", fmt, i,
		    fmt[0] == '<' ? ">x</a> " : " ");

		buf_add(&out, now);
	}
	return buf_slice(&out);
}

static struct slice
repeat(struct arena *a, const char *before, const char *what, size_t bytes)
{
	struct buf out = buf_in(a);

	buf_adds(&out, before);
	while (out.len < bytes)
		buf_adds(&out, what);
	return buf_slice(&out);
}

/* Whatever it is, reading it takes as long as its length says. */
static void
test_bounds(void)
{
	static const struct { const char *before, *what; } floods[] = {
		{ HTML, "<b>" }, { HTML, "<a href=x>" }, { HTML, "<a>x" },
		{ "\n", "a.b " }, { "\n", "a." }, { "\n", "://" },
		{ "\n", "a://" }, { "\n", "http://x(" }, { "\n", "a@b.com" },
		{ "\n", "((((" }, { "\n", "www.a" },
	};
	struct content_links links;
	struct arena *a = arena_new();
	int64_t small, large;

	links_of(a, many(a, "\n", "http://a.example/", 100000), &links);
	tap_ok(links.cut && links.count == CONTENT_LINKS,
	    "100000 links in text: the first ones are read");
	arena_reset(a);
	links_of(a, many(a, HTML, "<a href=http://a.example/", 100000),
	    &links);
	tap_ok(links.cut && links.count == CONTENT_LINKS, "and in markup");
	for (size_t i = 0; i < sizeof floods / sizeof *floods; i++) {
		arena_reset(a);
		small = tap_worked();
		links_of(a, repeat(a, floods[i].before, floods[i].what,
		    1 << 18), &links);
		small = tap_worked() - small;
		arena_reset(a);
		large = tap_worked();
		links_of(a, repeat(a, floods[i].before, floods[i].what,
		    1 << 21), &links);
		large = tap_worked() - large;
		tap_ok(large <= 30 * (small + 5), "2 MB of \"%s\"",
		    floods[i].what);
	}
	arena_free(a);
}

int
main(void)
{
	test_cases();
	test_bounds();
	return tap_done();
}
