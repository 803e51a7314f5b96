/*
 * html/text: what a reader sees, what he does not and why, and where in the
 * source it stands.
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "html/text.h"
#include "t/tap.h"

/* hidden: the text that nobody sees; why: reasons of all that is hidden. */
static const struct {
	const char *in, *visible, *hidden, *why;
} cases[] = {
	{ "a <b>b</b>c", "a bc", "", "" },
	{ "a\r\n  b\t c", "a b c", "", "" },
	{ "<p>a</p><p>b</p>c<br>d<div>e</div>", "a\nb\nc\nd\ne", "", "" },
	{ "<table><tr><td>a</td><td>b</td></tr><tr><td>c</table>",
	    "a\tb\nc", "", "" },
	{ "<pre>a\n b</pre>", "a\nb", "", "" },
	{ "a&nbsp;&#160;b&amp;c&lt;", "a b&c<", "", "" },
	{ "4&#8203;1\u200b1&shy;1\xe2\x81\xa0", "4111", "", "" },
	{ "<script>a</script><style>b</style>c", "c", "", "" },
	{ "<title>a</title>b", "b", "a", "element" },
	{ "a<!-- b -->c", "ac", "b", "comment" },
	{ "a<template>b</template>c", "ac", "b", "element" },
	{ "<textarea>a&amp;</textarea>", "a&", "", "" },

	{ "<div style='display:none'>a<p>b</div>c", "c", "a\nb", "display" },
	{ "<div style='DISPLAY : NONE !important'>a</div>b", "b", "a",
	    "display" },
	{ "<div style='display:none;display:block'>a</div>", "a", "", "" },
	{ "<div style='display:none'><b style='display:block'>a", "", "a",
	    "display" },
	{ "<div style='color:red' style='display:none'>a", "a", "", "" },
	{ "<div style='/*x*/display:/**/none'>a", "", "a", "display" },
	{ "<div style='display&#58;none'>a", "", "a", "display" },
	{ "<p hidden>a</p>b", "b", "a", "attribute" },
	{ "<p style='visibility:hidden'>a<b style='visibility:visible'>b",
	    "b", "a", "visibility" },
	{ "<p style='font-size:0'>a<b style='font-size:2em'>b"
	    "<i style='font-size:9pt'>c", "c", "ab", "size" },
	{ "<p style='font-size:1px'>a", "", "a", "size" },
	{ "<p style='font-size:0.0em'>a", "", "a", "size" },
	{ "<p style='color:white'>a", "", "a", "colour" },
	{ "<font color=#fefefe>a</font>b", "b", "a", "colour" },
	{ "<body bgcolor=black text=white>a<font color=black>b</font>c",
	    "ac", "b", "colour" },
	{ "<div style='background:#000;color:#fff'>a", "a", "", "" },
	{ "<div style='background:url(x);color:#fff'>a", "a", "", "" },
	{ "<td background=x><font color=white>a", "a", "", "" },
	{ "<p style='color:transparent'>a<b style='color:red'>b", "b", "a",
	    "colour" },
	{ "<body style='background:#00e' text=#00e>a<a href=x>b</a>", "b", "a",
	    "colour" },
	{ "<p style='position:absolute;left:-9999px'>a", "", "a", "place" },
	{ "<p style='left:-9999px'>a", "a", "", "" },
	{ "<p style='text-indent:-999em'>a", "", "a", "place" },
	{ "<p style='max-height:0;overflow:hidden'>a", "", "a", "box" },
	{ "<p style='height:0'>a", "a", "", "" },
	{ "<p style='width:0px;overflow:hidden'>a", "", "a", "box" },
	{ "<p style='opacity:0'>a</p><p style='opacity:.5'>b", "b", "a",
	    "opacity" },

	/* What ends what. */
	{ "<p hidden>a<p>b", "b", "a", "attribute" },
	{ "<p hidden>a<div>b</div>", "b", "a", "attribute" },
	{ "<li hidden>a<li>b", "b", "a", "attribute" },
	{ "<ul><li hidden>a<ul><li>b</ul>c<li>d", "d", "a\nb\nc", "attribute" },
	{ "<table><tr><td hidden>a<td>b<tr hidden><td>c<tr><td>d",
	    "b\nd", "a\nc", "attribute" },
	{ "<div hidden><table><tr><td>a</div>b</table>c</div>d", "d",
	    "a\nb\nc", "attribute" },
	{ "<span hidden>a<div>b</span>c</div>d", "", "a\nbc\nd",
	    "attribute" },
	{ "<font style='display:none'>a<div>b</font>c", "c", "a\nb",
	    "display" },
	{ "<b hidden><i>a</b>b", "b", "a", "attribute" },
	{ "<b hidden>a</span></div></p>b</b>c", "c", "a\nb", "attribute" },
	{ "<br hidden>a<img hidden>b", "ab", "", "" },
	{ "<a href=x hidden>a<a href=y>b", "b", "a", "attribute" },
	{ "<p hidden>a</body>b", "", "a\nb", "attribute" },
};

static void
reasons(struct buf *out, unsigned hides)
{
	const char *name;

	for (unsigned i = 0; (name = html_hidden_name(i)) != NULL; i++)
		if ((hides & 1u << i) != 0) {
			buf_adds(out, out->len > 0 ? " " : "");
			buf_adds(out, name);
		}
}

static void
texts(void)
{
	struct arena *a = arena_new();

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct html_texts t;
		struct buf why = { 0 };

		html_text_read(a, SLICE("utf-8"), slice_of(cases[i].in), 1000,
		    &t);
		tap_is(t.visible.text, slice_of(cases[i].visible),
		    "case %zu: visible", i);
		tap_is(t.hidden.text, slice_of(cases[i].hidden), "hidden");
		reasons(&why, t.hides);
		tap_is(buf_slice(&why), slice_of(cases[i].why), "why");
		buf_free(&why);
		arena_reset(a);
	}
	arena_free(a);
}

/* Where `word` of the visible text stands in the source. */
static void
place(struct slice charset, struct slice in, const char *word, const char *want)
{
	struct arena *a = arena_new();
	struct html_texts t;
	size_t at, off, len;

	html_text_read(a, charset, in, 1000, &t);
	at = slice_search(t.visible.text, slice_of(word));
	tap_ok(at < t.visible.text.len, "%s is seen", word);
	html_text_place(&t.visible, at, strlen(word), &off, &len);
	tap_is(slice_sub(t.source, off, len), slice_of(want), "from %s", want);
	arena_free(a);
}

static void
places(void)
{
	struct arena *a = arena_new();
	struct html_texts t;
	size_t off, len;

	place(SLICE("utf-8"), SLICE("<p>a b  c</p>"), "c", "c");
	place(SLICE("utf-8"), SLICE("<p>a&amp;b</p>c"), "&", "&amp;");
	place(SLICE("utf-8"), SLICE("<p>a&amp;b</p>c"), "a&b\nc",
	    "a&amp;b</p>c");
	place(SLICE("utf-8"), SLICE("x<b>4111</b>1111<!--x-->11"), "4111111111",
	    "4111</b>1111<!--x-->11");
	place(SLICE("utf-8"), SLICE("\xc3\xa4&auml;\xc3\xb6z"), "\xc3\xb6",
	    "\xc3\xb6");
	place(SLICE("iso-8859-1"), SLICE("\xe4<i>\xf6z</i>"), "\xc3\xb6z",
	    "\xf6z");
	place(SLICE("koi8-r"), SLICE("a\xc1\xc2z"), "z", "z");
	place(SLICE("shift_jis"), SLICE("<p>\x83\x5c\x83</p>z"), "z", "z");
	place(SLICE("utf-16le"), SLICE("<\0p\0>\0z\0"), "z", "z");
	html_text_read(a, SLICE("utf-8"), SLICE("abc"), 2, &t);
	tap_ok(t.visible.cut, "cut at max");
	tap_is(t.visible.text, SLICE("ab"), "that far");
	html_text_place(&t.visible, 5, 1, &off, &len);
	tap_is_int((long long)len, 0, "nothing from beyond");
	html_text_read(a, SLICE("iso-2022-jp"),
	    SLICE("\x1b$B$\"\x1b(B<b>z"), 100, &t);
	tap_is(t.visible.text, SLICE("\xe3\x81\x82z"), "ISO-2022-JP");
	tap_ok(t.copied, "of a copy");
	html_text_read(a, SLICE("utf-8"), SLICE(""), 0, &t);
	tap_is_int((long long)t.visible.text.len, 0, "an empty text");
	html_text_read(a, SLICE("utf-8"), SLICE("1&#8203;2\xc2\xad"), 9, &t);
	tap_is_int((long long)t.unseen, 2, "what has no width is counted");
	arena_free(a);
}

static void
pieces(void)
{
	struct slice in = SLICE("<a href=x>t<img alt=y></a>z");
	struct html_reader *r = mem_alloc(sizeof *r);
	struct html_piece p;

	html_reader_open(r, in);
	tap_ok(html_piece_next(r, &p) && p.kind == HTML_PIECE_TEXT &&
	    p.link == 0, "text in a link");
	tap_ok(html_piece_next(r, &p) && p.kind == HTML_PIECE_ALT &&
	    p.link == 0 && slice_eq(p.raw, SLICE("y")), "and an image's");
	tap_ok(html_piece_next(r, &p) && p.kind == HTML_PIECE_TEXT &&
	    p.link == SIZE_MAX, "and behind it");
	tap_ok(!html_piece_next(r, &p), "no more");
	free(r);
}

static int64_t
spent(const char *before, const char *unit, size_t n)
{
	size_t len = strlen(unit), lead = strlen(before);
	char *bytes = mem_alloc(lead + n + len);
	struct arena *a = arena_new();
	struct html_texts t;
	int64_t from;

	memcpy(bytes, before, lead);
	for (size_t at = 0; at < n; at += len)
		memcpy(bytes + lead + at, unit, len);
	from = tap_worked();
	html_text_read(a, SLICE("utf-8"), slice_make(bytes, lead + n),
	    1 << 20, &t);
	from = tap_worked() - from;
	arena_free(a);
	free(bytes);
	return from;
}

static void
hostile(void)
{
	static const struct {
		const char *before, *unit;
	} list[] = {
		{ "", "<b>" }, { "", "<div>" }, { "", "<b><div></b>" },
		{ "", "<b>x<div></b>" }, { "", "<p>" }, { "", "</p>" },
		{ "<div><table><td>", "<i></div>" }, { "", "<table><td>" },
		{ "", "<ul><li>" }, { "", "<a>" }, { "", "&amp;" },
		{ "", "x <i>" }, { "<p style='", "a:b;" },
		{ "<p style='", "/*" }, { "<p style='color:", "rgb(" },
		{ "<p ", "style=color:red " },
		{ "<p style='background:", "a " },
		{ "", "<svg><title>" }, { "", "<p hidden>\xc3" },
	};
	enum { SHORT = 150 << 10, TIMES = 8 };

	for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
		int64_t one = spent(list[i].before, list[i].unit, SHORT);
		int64_t many = spent(list[i].before, list[i].unit,
		    (size_t)SHORT * TIMES);

		tap_ok(many <= (one + 5) * TIMES * 4, "%s%s...: linear",
		    list[i].before, list[i].unit);
	}
}

int
main(void)
{
	texts();
	places();
	pieces();
	hostile();
	return tap_done();
}
