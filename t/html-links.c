/*
 * html/links: each place that has a URL, its exact bytes, and that nothing
 * hostile takes longer than its length. html/css beside it.
 */
#include <stdlib.h>
#include <string.h>

#include "html/css.h"
#include "html/links.h"
#include "t/tap.h"

/* C, L, B, N by kind; "c" for conditional, "r" for repeated; then the URL. */
static const struct {
	const char *in, *want;
} cases[] = {
	{ "<a href=\"http://a/?x=1&amp;y=2\">", "C:http://a/?x=1&y=2" },
	{ "<A HREF = ' a b '>", "C:a b" },
	{ "<a href=a href=b>", "C:a Cr:b" },
	{ "<a href>", "" },
	{ "<a href=''>", "C:" },
	{ "<a href=\"ht\ntp://a\">", "C:http://a" },
	{ "<area href=a><link href=b><base href=c><v:rect href=d>",
	    "C:a L:b B:c C:d" },
	{ "<img src=a lowsrc=b longdesc=c><body background=d>",
	    "L:a L:b N:c L:d" },
	{ "<form action=a><button formaction=b><input src=c>", "C:a C:b L:c" },
	{ "<blockquote cite=a><object data=b codebase=c><p data=d>",
	    "N:a L:b L:c" },
	{ "<svg><a xlink:href=a><image href=b><use xlink:href=c></svg>",
	    "C:a L:b L:c" },
	{ "<img srcset='a 1x, b 2x'>", "L:a L:b" },
	{ "<img srcset=' a.png, b,c 100w ,d'>", "L:a.png L:b,c L:d" },
	{ "<img srcset='a (x,y), b'>", "L:a L:b" },
	{ "<img srcset='a,b'>", "L:a,b" },
	{ "<img srcset=', ,'>", "" },
	{ "<meta http-equiv=refresh content='0; url=http://a/'>",
	    "C:http://a/" },
	{ "<meta http-equiv=Refresh content=\"5;URL = 'a b' c\">", "C:a b" },
	{ "<meta content='1,a' http-equiv=re&#102;resh>", "C:a" },
	{ "<meta http-equiv=refresh content='0;&#117;rl=a&amp;b'>", "C:a&b" },
	{ "<meta http-equiv=refresh content=5><meta content='0;url=a'>", "" },
	{ "<p style='background:url(a)'>", "L:a" },
	{ "<p style=\"a: url( 'b c' ); d: URL(&quot;e&quot;)\">", "L:b c L:e" },
	{ "<p style='a: \\75 rl(b); c: u\\52l(d)'>", "L:b L:d" },
	{ "<p style='/* url(a) */ content: \"url(b)\"; x: url(c)'>", "L:c" },
	{ "<style>@import 'a'; @IMPORT url(b); @import\"c\"; d{e:url(f)}"
	    "</style>", "L:a L:b L:c L:f" },
	{ "<style>a { b: 'c\n; d: url(e) }</style>", "L:e" },
	{ "<style>url(&amp;)</style>", "L:&amp;" },
	{ "<!-- <a href=a> --><a href=b>", "C:b" },
	{ "<!--[if mso]><a href=a><![endif]--><a href=b>", "Cc:a C:b" },
	{ "<!--[if mso]><style>url(a)</style><![endif]-->", "Lc:a" },
	{ "<!--[if a]><!--[if b]><a href=c><![endif]-->", "" },
	{ "<![if !mso]><a href=a><![endif]>", "C:a" },
	{ "<script>'<a href=a>'</script><title><a href=b></title>", "" },
	{ "<a href=a", "" },
	{ "</a href=a>", "" },
};

static void
links(void)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct slice in = slice_of(cases[i].in);
		struct html_links l;
		struct html_link link;
		struct buf out = { 0 };
		bool same = true;

		html_links_open(&l, in);
		while (html_link_next(&l, &link)) {
			buf_adds(&out, out.len > 0 ? " " : "");
			buf_addc(&out, "CLBN"[link.kind]);
			buf_adds(&out, link.conditional ? "c" : "");
			buf_adds(&out, link.repeated ? "r:" : ":");
			html_link_url(SLICE("utf-8"), &link, 1000, &out);
			same = same && in.ptr + link.off == link.raw.ptr &&
			    link.off + link.raw.len <= in.len;
		}
		tap_is(buf_slice(&out), slice_of(cases[i].want), "case %zu",
		    i);
		tap_ok(same, "their offsets");
		buf_free(&out);
	}
}

static void
escapes(void)
{
	struct buf out = { 0 };

	html_escape_value(&out, SLICE("a&b\"c'd"), '"');
	tap_is(buf_slice(&out), SLICE("a&#38;b&#34;c'd"), "double quotes");
	buf_clear(&out);
	html_escape_value(&out, SLICE("a&b\"c'd"), '\'');
	tap_is(buf_slice(&out), SLICE("a&#38;b\"c&#39;d"), "single quotes");
	buf_clear(&out);
	html_escape_value(&out, SLICE("a b>c"), '\0');
	tap_is(buf_slice(&out), SLICE("a&#32;b&#62;c"), "none");
	buf_free(&out);
}

static void
colours(void)
{
	static const struct {
		const char *in;
		int64_t want;		/* -1: none */
	} list[] = {
		{ "#fff", 0xffffff }, { "#FfFfFe", 0xfffffe },
		{ " white ", 0xffffff }, { "rgb(255,255,255)", 0xffffff },
		{ "rgb(1 2 3)", 0x010203 }, { "RGBA(1,2,3,0)", CSS_CLEAR },
		{ "rgba(1,2,3,.5)", 0x010203 }, { "rgb(100%,0,0)", 0xff0000 },
		{ "transparent", CSS_CLEAR }, { "#1234", 0x112233 },
		{ "#11223300", CSS_CLEAR }, { "#12", -1 }, { "inherit", -1 },
		{ "rgb(", -1 }, { "rgb(999,0,0)", 0xff0000 }, { "", -1 },
	};

	for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
		uint32_t rgb = 0;
		bool is = css_colour(slice_of(list[i].in), &rgb);

		tap_is_int(is ? (long long)rgb : -1, list[i].want, "%s",
		    list[i].in);
	}
}

static void
lengths(void)
{
	static const struct {
		const char *in;
		bool is, relative;
		int64_t want;
	} list[] = {
		{ "0", true, false, 0 }, { "1px", true, false, 1000 },
		{ "-9999px", true, false, -9999000 },
		{ "1.5PX", true, false, 1500 }, { ".5pt", true, false, 666 },
		{ "2em", true, true, 2000 }, { "0%", true, true, 0 },
		{ "medium", false, false, 0 }, { "", false, false, 0 },
		{ "-", false, false, 0 }, { "1in", true, false, 96000 },
		{ "99999999999999999999px", true, false, 9999999999000 },
	};

	for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
		int64_t length = 0;
		bool relative = false;

		tap_ok(css_length(slice_of(list[i].in), &length, &relative) ==
		    list[i].is && (!list[i].is || relative ==
		    list[i].relative), "'%s'", list[i].in);
		tap_is_int(list[i].is ? length : 0, list[i].want, "its value");
	}
}

static size_t
walk(const char *before, const char *unit, size_t n, int64_t *spent_r)
{
	size_t len = strlen(unit), lead = strlen(before), found = 0;
	char *bytes = mem_alloc(lead + n + len);
	struct html_links l;
	struct html_link link;

	memcpy(bytes, before, lead);
	for (size_t at = 0; at < n; at += len)
		memcpy(bytes + lead + at, unit, len);
	*spent_r = tap_worked();
	html_links_open(&l, slice_make(bytes, lead + n));
	while (html_link_next(&l, &link))
		found++;
	*spent_r = tap_worked() - *spent_r;
	free(bytes);
	return found;
}

static void
hostile(void)
{
	static const struct {
		const char *before, *unit;
	} list[] = {
		{ "", "<a href=b>" }, { "<p style='", "url(a" },
		{ "<p style='", "url(a);" }, { "<p style='", "@import " },
		{ "<p style='", "\\" }, { "<style>", "u\\72l" },
		{ "<style>", "/*" }, { "<style>", "'" }, { "<style>", "url('" },
		{ "<img srcset='", "a," }, { "<img srcset='", "a ((," },
		{ "<meta http-equiv=refresh ", "content=a " },
		{ "<meta http-equiv=refresh content='", "0;" },
		{ "<meta ", "content='0;url=a' " }, { "<a ", "href=a " },
		{ "<!--[if a]>", "<!--[if a]>" },
		{ "", "<!--[if a]><![endif]-->" },
		{ "<p style='", "&#117;&#114;" }, { "<style>", "u" },
	};
	enum { SHORT = 200 << 10, TIMES = 8 };
	int64_t one, many;

	for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
		walk(list[i].before, list[i].unit, SHORT, &one);
		walk(list[i].before, list[i].unit, (size_t)SHORT * TIMES,
		    &many);
		tap_ok(many <= (one + 5) * TIMES * 4, "%s%s...: linear",
		    list[i].before, list[i].unit);
	}
	tap_is_int((long long)walk("", "<a href=b>", 1000000, &one), 100000,
	    "100000 links");
}

int
main(void)
{
	links();
	escapes();
	colours();
	lengths();
	hostile();
	return tap_done();
}
