/*
 * html: tokens of ugly HTML, each byte in one of them, references, and that
 * nothing hostile takes longer than its length. t/html-tokens.t has the cases
 * of others.
 */
#include <stdlib.h>
#include <string.h>

#include "html/html.h"
#include "html/ref.h"
#include "t/tap.h"

/* S tag[name=value ...]/ for start tags, E, T, C, D, J; T* without refs. */
static const struct {
	const char *in, *want;
} cases[] = {
	{ "", "" },
	{ "a<b>c</b>d", "T:a S:b T:c E:b T:d" },
	{ "<A HREF=x>", "S:a[HREF=x]" },
	{ "<a href='x y' b=\"z\" c>", "S:a[href=x y][b=z][c]" },
	{ "<a href = x>", "S:a[href=x]" },
	{ "<a href=>b", "S:a[href=] T:b" },
	{ "<a b=c/>", "S:a[b=c/]" },
	{ "<a b='c'/>", "S:a[b=c]/" },
	{ "<a b='c'd=e>", "S:a[b=c][d=e]" },
	{ "<a/b/c=d>", "S:a[b][c=d]" },
	{ "<a =b>", "S:a[=b]" },
	{ "<a ==b>", "S:a[==b]" },
	{ "<a b==c>", "S:a[b==c]" },
	{ "<a 'b'>", "S:a['b']" },
	{ "<a b='>'>", "S:a[b=>]" },
	{ "<a b=1 b=2>", "S:a[b=1][b=2]" },
	{ "<a\nb\t=\f'c'\r>", "S:a[b=c]" },
	{ "<br/>", "S:br/" },
	{ "<x<y>", "S:x<y" },
	{ "1 < 2 <3 <", "T:1 < 2 <3 <" },
	{ "a</", "T:a</" },
	{ "a</>b", "T:a J T:b" },
	{ "</ a>b", "C: a T:b" },
	{ "</a b=c>", "E:a[b=c]" },
	{ "<?xml v?>b", "C:?xml v? T:b" },
	{ "<!x>b", "C:x T:b" },
	{ "<!>b", "C: T:b" },
	{ "<!-->b", "C: T:b" },
	{ "<!--->b", "C: T:b" },
	{ "<!---->b", "C: T:b" },
	{ "<!--a--->b", "C:a- T:b" },
	{ "<!--a--!>b", "C:a T:b" },
	{ "<!--a-- >b-->", "C:a-- >b" },
	{ "<!--a", "C:a" },
	{ "<!--a--", "C:a" },
	{ "<!DOCTYPE html PUBLIC '>b", "D:html T:b" },
	{ "<![if !mso]>a<![endif]>", "C:[if !mso] T:a C:[endif]" },
	{ "a<b href='x", "T:a J" },
	{ "a<b", "T:a J" },
	{ "<a href=x", "J" },
	{ "<script>a<b>'</scr'</script >c", "S:script T*:a<b>'</scr' E:script "
	    "T:c" },
	{ "<script></script>", "S:script E:script" },
	{ "<script><!--<script></script>--></script>a",
	    "S:script T*:<!--<script></script>--> E:script T:a" },
	{ "<script><!--></script>a", "S:script T*:<!--> E:script T:a" },
	{ "<STYLE>a</style>b", "S:style T*:a E:style T:b" },
	{ "<style>a</styles></style>b", "S:style T*:a</styles> E:style T:b" },
	{ "<title>a<b>&amp;</title>b", "S:title T:a<b>&amp; E:title T:b" },
	{ "<textarea></b></textarea>", "S:textarea T:</b> E:textarea" },
	{ "<plaintext>a</plaintext>b", "S:plaintext T*:a</plaintext>b" },
	{ "<style>never closed <b>", "S:style T*:never closed <b>" },
	{ "<svg><style><b>a</style>", "S:svg S:style S:b T:a E:style" },
	{ "<svg><style><circle></style></svg><style><b></style>",
	    "S:svg S:style S:circle E:style E:svg S:style T*:<b> E:style" },
	{ "<svg><p><style><b></style>", "S:svg S:p S:style T*:<b> E:style" },
	{ "<svg><![CDATA[a<b]]>c</svg><![CDATA[d]]>",
	    "S:svg T*:a<b T:c E:svg C:[CDATA[d]]" },
	{ "<svg><foreignObject><style><b></style></foreignObject><title><b>",
	    "S:svg S:foreignobject S:style T*:<b> E:style E:foreignobject "
	    "S:title S:b" },
	{ "<svg/><style><b></style>", "S:svg/ S:style T*:<b> E:style" },
};

static void
dump(struct buf *out, const struct html_token *t)
{
	static const char *const kinds[] = { "T", "S", "E", "C", "D", "J" };
	struct html_attr attr;

	if (out->len > 0)
		buf_addc(out, ' ');
	buf_adds(out, kinds[t->kind]);
	if (t->kind == HTML_TEXT && !t->refs)
		buf_addc(out, '*');
	if (t->kind != HTML_JUNK)
		buf_addc(out, ':');
	if (t->kind == HTML_TEXT || t->kind == HTML_COMMENT)
		buf_add(out, t->text);
	else if (t->tag != HTML_OTHER)
		buf_adds(out, html_tag_name(t->tag));
	else if (t->kind != HTML_JUNK)
		buf_add(out, t->name);
	for (size_t at = 0; html_attr(t, &at, &attr);) {
		buf_addc(out, '[');
		buf_add(out, attr.name);
		if (attr.value.ptr != NULL) {
			buf_addc(out, '=');
			buf_add(out, attr.value);
		}
		buf_addc(out, ']');
	}
	if (t->self_closing)
		buf_addc(out, '/');
}

static void
tokens(void)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct slice in = slice_of(cases[i].in);
		struct html h;
		struct html_token t;
		struct buf out = { 0 };
		size_t at = 0;

		html_open(&h, in);
		while (html_next(&h, &t)) {
			if (t.off != at || t.len == 0)
				break;
			at += t.len;
			dump(&out, &t);
		}
		tap_is(buf_slice(&out), slice_of(cases[i].want), "case %zu", i);
		tap_is_int((long long)at, (long long)in.len, "no gap");
		buf_free(&out);
	}
}

static void
attributes(void)
{
	struct slice in = SLICE("x<a b = 'c' HREF=\"d&amp;\" href=e f>");
	struct html h;
	struct html_token t;
	struct html_attr attr;

	html_open(&h, in);
	html_next(&h, &t);
	html_next(&h, &t);
	tap_ok(html_attr_find(&t, SLICE("href"), &attr), "it is there");
	tap_is(attr.value, SLICE("d&amp;"), "the first one counts");
	tap_is(slice_sub(in, attr.value_off, attr.value.len), attr.value,
	    "the value's place");
	tap_is(slice_sub(in, attr.off, attr.len), SLICE("HREF=\"d&amp;\""),
	    "all of it");
	tap_is_int(attr.quote, '"', "its quote");
	tap_ok(html_attr_find(&t, SLICE("f"), &attr) && attr.value.ptr == NULL,
	    "one without a value");
	tap_ok(!html_attr_find(&t, SLICE("g"), &attr), "and none");
}

static void
conditional(void)
{
	static const struct {
		const char *in, *want;
	} list[] = {
		{ "<!--[if mso]><a href=x><![endif]-->", "<a href=x>" },
		{ "<!-- [IF gte mso 9]>b<![ENDIF] -->", "b" },
		{ "<!--[if mso]>b-->", "b" },
		{ "<!--[if mso]>-->", "" },
		{ "<!--[if mso]-->", NULL },
		{ "<!--if mso]>b-->", NULL },
		{ "<![if mso]>", NULL },
	};

	for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
		struct html h;
		struct html_token t;
		struct slice inside = SLICE_NONE;
		size_t off = 0;
		bool is;

		html_open(&h, slice_of(list[i].in));
		html_next(&h, &t);
		is = html_conditional(&t, &inside, &off);
		tap_is(is ? inside : SLICE_NONE, slice_of(list[i].want), "%s",
		    list[i].in);
		if (is)
			tap_ok(list[i].in + off == inside.ptr, "its offset");
	}
}

static void
references(void)
{
	static const struct {
		const char *in, *text, *attribute;	/* NULL: the same */
	} list[] = {
		{ "a&amp;b", "a&b", NULL },
		{ "&lt&gt", "<>", NULL },
		{ "&copy2", "\u00a92", "&copy2" },
		{ "?a&copy=b", "?a\u00a9=b", "?a&copy=b" },
		{ "&copy;=", "\u00a9=", NULL },
		{ "&notit;", "\u00acit;", "&notit;" },
		{ "&notin;", "\u2209", NULL },
		{ "&nosuch;", "&nosuch;", NULL },
		{ "&", "&", NULL },
		{ "&;", "&;", NULL },
		{ "&#65;&#x41;&#X41", "AAA", NULL },
		{ "&#;&#x;&#xg", "&#;&#x;&#xg", NULL },
		{ "&#128;&#x9f;&#129;", "\u20ac\u0178\xc2\x81", NULL },
		{ "&#0;&#xd800;&#x110000;&#99999999999999;",
		    "\ufffd\ufffd\ufffd\ufffd", NULL },
		{ "&NotEqualTilde;", "\u2242\u0338", NULL },
		{ "&CounterClockwiseContourIntegral;", "\u2233", NULL },
		{ "&zwnj;&AElig&zwj;", "\u200c\u00c6\u200d", NULL },
		{ "&amp;lt;", "&lt;", NULL },
	};

	for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
		struct buf out = { 0 };
		const char *attribute = list[i].attribute;

		html_unref(SLICE("utf-8"), slice_of(list[i].in), false, 1000,
		    &out);
		tap_is(buf_slice(&out), slice_of(list[i].text), "%s",
		    list[i].in);
		buf_clear(&out);
		html_unref(SLICE("utf-8"), slice_of(list[i].in), true, 1000,
		    &out);
		tap_is(buf_slice(&out), slice_of(attribute != NULL ? attribute :
		    list[i].text), "%s in an attribute", list[i].in);
		buf_free(&out);
	}
}

static void
charsets(void)
{
	static const char *const good[] = { "utf-8", "iso-8859-1", "shift_jis",
	    "gb18030", "big5", "euc-kr", "koi8-r", "nobody-knows", "" };
	static const char *const bad[] = { "utf-16", "utf-16le", "utf-7",
	    "iso-2022-jp", "iso-2022-kr", "johab", "utf-32" };
	struct buf out = { 0 };

	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		tap_ok(html_readable(slice_of(good[i])), "%s as it is",
		    good[i]);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		tap_ok(!html_readable(slice_of(bad[i])), "%s not", bad[i]);
	html_unref(SLICE("koi8-r"), SLICE("\xc1&auml;\xc2"), false, 100, &out);
	tap_is(buf_slice(&out), SLICE("\u0430\u00e4\u0431"),
	    "bytes between references are of the charset");
	buf_clear(&out);
	tap_ok(!html_unref(SLICE("utf-8"), SLICE("ab&auml;c"), false, 3, &out),
	    "cut at max");
	tap_is(buf_slice(&out), SLICE("ab"), "at a character");
	buf_free(&out);
}

/* How long a text of n bytes that repeats `unit` takes. */
static int64_t
spent(const char *unit, size_t n)
{
	size_t len = strlen(unit);
	char *bytes = mem_alloc(n + len);
	struct html h;
	struct html_token t;
	int64_t from;

	for (size_t at = 0; at < n; at += len)
		memcpy(bytes + at, unit, len);
	from = tap_worked();
	html_open(&h, slice_make(bytes, n));
	while (html_next(&h, &t)) {
		struct html_attr attr;
		struct html_ref ref;

		for (size_t at = 0; html_attr(&t, &at, &attr);)
			;
		for (size_t at = 0; t.kind == HTML_TEXT && at < t.text.len;
		    at++)
			html_ref(t.text, at, false, &ref);
	}
	free(bytes);
	return tap_worked() - from;
}

static void
hostile(void)
{
	static const char *const units[] = { "<b>", "<", "</", "<!--", "<!-",
	    "<a href='x", "<a href=\"", "<a ", "<a b", "<script>", "<style>",
	    "</script", "<title></titl", "<script><!--<script></script>",
	    "<svg>", "<svg><title>", "<svg><![CDATA[", "<![CDATA[", "<?",
	    "&", "&#", "&amp", "&#x41", "&NotEqualTild", "--", "<!--[if mso]>",
	    "=", "<a =", "<!DOCTYPE ", "-->", "<script", "<textarea><" };
	enum { SHORT = 250 << 10, TIMES = 8 };

	for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
		int64_t one = spent(units[i], SHORT);
		int64_t many = spent(units[i], (size_t)SHORT * TIMES);

		tap_ok(many <= (one + 5) * TIMES * 4,
		    "%s: %d times as long takes as many times as long",
		    units[i], TIMES);
	}
}

int
main(void)
{
	tokens();
	attributes();
	conditional();
	references();
	charsets();
	hostile();
	return tap_done();
}
