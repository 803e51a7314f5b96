/* Templates: what is refused and in which words, and what hostile values
 * become in each place. */
#include <stdio.h>
#include <string.h>

#include "notice/template.h"
#include "t/tap.h"

static struct arena *a;

static const struct template_names row_names[] = {
	{ "subject", NULL }, { "link", NULL }, { NULL, NULL }
};
static const struct template_names names[] = {
	{ "name", NULL }, { "empty", NULL }, { "url", NULL },
	{ "rows", row_names }, { "none", row_names }, { NULL, NULL }
};

static struct template_data *
data_with(struct slice value)
{
	struct template_data *data = NULL, *list;
	struct template_row *row;

	list = template_put(a, &data, "rows", SLICE(""));
	for (int i = 0; i < 2; i++) {
		row = template_row(a, list);
		template_put(a, &row->data, "subject", arena_printf(a, "s%d",
		    i));
	}
	template_put(a, &data, "name", value);
	template_put(a, &data, "url", value);
	template_put(a, &data, "empty", SLICE(""));
	template_put(a, &data, "none", SLICE(""));
	return data;
}

static enum rc
find_part(void *arg, struct slice name, const char **file_r,
    struct slice *text_r, struct slice *why_r)
{
	static const struct {
		const char *name, *text;
	} all[] = {
		{ "good", "[{{name}}]\n" }, { "itself", "\n{{> itself}}" },
		{ "wrong", "\n{{nmae}}" }, { "open", "{{#name}}" },
		{ "closes", "{{/name}}" }, { "tag", "<a title=\"" },
	};

	(void)arg;
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (slice_eq(name, slice_of(all[i].name))) {
			*file_r = all[i].name;
			*text_r = slice_of(all[i].text);
			return RC_OK;
		}
	*why_r = SLICE("not in this test");
	return RC_BAD;
}

static const struct template_parts parts = { find_part, NULL };

/* The result, or why not. */
static struct slice
fill(const char *text, enum template_kind kind, struct slice value)
{
	struct buf out = buf_in(a);
	struct template *t;
	struct slice why = SLICE("");

	if (template_parse(a, "F", 1, slice_of(text), kind, names, &parts,
	    &t, &why) != RC_OK)
		return why;
	if (template_render(t, data_with(value), &out) != RC_OK)
		return SLICE("too large");
	return buf_slice(&out);
}

static const struct {
	enum template_kind kind;
	const char *text, *why;
} refused[] = {
	{ TEMPLATE_TEXT, "a\n{{nmae}}", "F:2: there is no {{nmae}} here; did "
	  "you mean {{name}}?" },
	{ TEMPLATE_TEXT, "{{elephant}}", "F:1: there is no {{elephant}} here; "
	  "the manual lists what there is" },
	{ TEMPLATE_TEXT, "{{subject}}", "F:1: there is no {{subject}} here; "
	  "the manual lists what there is" },
	{ TEMPLATE_TEXT, "{{rows}}", "F:1: rows is a list; write {{#rows}} ... "
	  "{{/rows}}" },
	{ TEMPLATE_TEXT, "{{#rows}}\n", "F:1: {{rows}} is never closed; close "
	  "it with {{/rows}}" },
	{ TEMPLATE_TEXT, "\n\n{{/rows}}", "F:3: {{/rows}} closes nothing" },
	{ TEMPLATE_TEXT, "{{#rows}}\n{{#name}}\n{{/rows}}{{/name}}", "F:3: "
	  "{{/rows}} closes {{name}} of line 2; close that first" },
	{ TEMPLATE_TEXT, "{{name", "F:1: {{ has no end; close it with }}" },
	{ TEMPLATE_TEXT, "{{}}", "F:1: {{}} is no name; a name has letters, "
	  "digits and _" },
	{ TEMPLATE_TEXT, "{{{name}}}", "F:1: {{{name}} is no name; a name has "
	  "letters, digits and _" },
	{ TEMPLATE_TEXT, "{{&name}}", "F:1: {{&name}} is no name; a name has "
	  "letters, digits and _" },
	{ TEMPLATE_TEXT, "caf\xe9", "F:1: the file is not UTF-8; save it as "
	  "UTF-8" },
	{ TEMPLATE_TEXT, "{{#name}}{{#name}}{{#name}}{{#name}}{{#name}}"
	  "{{#name}}{{#name}}{{#name}}", "F:1: sections inside sections, more "
	  "than 7 deep" },
	{ TEMPLATE_TEXT, "\n{{> none}}", "F:2: there is no part {{> none}}; "
	  "not in this test" },
	{ TEMPLATE_TEXT, "{{> wrong}}", "wrong:2: there is no {{nmae}} here; "
	  "did you mean {{name}}?" },
	{ TEMPLATE_TEXT, "{{> itself}}", "itself:2: parts within parts, more "
	  "than 4 deep; does itself contain itself?" },
	{ TEMPLATE_TEXT, "{{> open}}x{{/name}}", "open:1: a section is opened "
	  "or closed in this part alone" },
	{ TEMPLATE_TEXT, "{{#name}}x{{> closes}}", "closes:1: a section is "
	  "opened or closed in this part alone" },
	{ TEMPLATE_TEXT, "{{> good}}\n\n{{nmae}}", "F:3: there is no {{nmae}} "
	  "here; did you mean {{name}}?" },
	{ TEMPLATE_HTML, "<a href={{url}}>", "F:1: {{url}} has no place in an "
	  "attribute without quotes; values stand in text or in a quoted "
	  "attribute" },
	{ TEMPLATE_HTML, "<a href=x{{url}}>", "F:1: {{url}} has no place in an "
	  "attribute without quotes; values stand in text or in a quoted "
	  "attribute" },
	{ TEMPLATE_HTML, "<a {{name}}>", "F:1: {{name}} has no place within a "
	  "tag; values stand in text or in a quoted attribute" },
	{ TEMPLATE_HTML, "<{{name}}>", "F:1: {{name}} has no place within a "
	  "tag; values stand in text or in a quoted attribute" },
	{ TEMPLATE_HTML, "<script>{{name}}</script>", "F:1: {{name}} has no "
	  "place within style or script; values stand in text or in a quoted "
	  "attribute" },
	{ TEMPLATE_HTML, "<SCRIPT/x>{{name}}</script>", "F:1: {{name}} has no "
	  "place within style or script; values stand in text or in a quoted "
	  "attribute" },
	{ TEMPLATE_HTML, "<style>{{name}}", "F:1: {{name}} has no place within "
	  "style or script; values stand in text or in a quoted attribute" },
	{ TEMPLATE_HTML, "<!-- > {{name}} -->", "F:1: {{name}} has no place in "
	  "a comment; values stand in text or in a quoted attribute" },
	{ TEMPLATE_HTML, "<p onclick=\"{{name}}\">", "F:1: {{name}} has no "
	  "place in such an attribute; values stand in text or in a quoted "
	  "attribute" },
	{ TEMPLATE_HTML, "<p STYLE='{{name}}'>", "F:1: {{name}} has no place "
	  "in such an attribute; values stand in text or in a quoted "
	  "attribute" },
	{ TEMPLATE_HTML, "<p>\n{{#name}}<b title=\"{{/name}}\">", "F:2: the "
	  "section {{name}} of line 2 begins and ends in different places of "
	  "the HTML; close what it opens" },
	{ TEMPLATE_HTML, "<a href=\"{{#name}}{{name}}{{/name}}{{url}}\">",
	  "F:1: the section {{name}} of line 1 begins and ends in different "
	  "places of the HTML; close what it opens" },
};

static const struct {
	enum template_kind kind;
	const char *text, *want;
} filled[] = {
	{ TEMPLATE_TEXT, "", "" },
	{ TEMPLATE_TEXT, "a {{ name }} b", "a v b" },
	{ TEMPLATE_TEXT, "{{! a remark }}x", "x" },
	{ TEMPLATE_TEXT, "{ } }} {x}", "{ } }} {x}" },
	{ TEMPLATE_TEXT, "a{{> good}}b\n{{>good}}\nc", "a[v]b\n[v]\nc" },
	{ TEMPLATE_HTML, "{{> tag}}{{name}}\">x", "<a title=\"v\">x" },
	{ TEMPLATE_TEXT, "{{#rows}}{{subject}}{{name}} {{/rows}}",
	  "s0v s1v " },
	{ TEMPLATE_TEXT, "a\n{{#rows}}\n- {{subject}}\n{{/rows}}\nb\n",
	  "a\n- s0\n- s1\nb\n" },
	{ TEMPLATE_TEXT, "  {{#rows}}  \r\n- {{subject}}\r\n  {{/rows}}\r\n",
	  "- s0\r\n- s1\r\n" },
	{ TEMPLATE_TEXT, "{{#none}}never{{/none}}{{^none}}none{{/none}}",
	  "none" },
	{ TEMPLATE_TEXT, "{{^rows}}none{{/rows}}{{#name}}yes{{/name}}",
	  "yes" },
	{ TEMPLATE_TEXT, "{{#empty}}never{{/empty}}{{^empty}}{{name}}"
	  "{{/empty}}", "v" },
	{ TEMPLATE_HTML, "<a href=\"x\" title='{{name}}'>{{name}}</a>",
	  "<a href=\"x\" title='v'>v</a>" },
	{ TEMPLATE_HTML, "<style>p { }</style><p>{{name}}",
	  "<style>p { }</style><p>v" },
	{ TEMPLATE_HTML, "<!-- > --><br/>{{name}}", "<!-- > --><br/>v" },
};

#define HOSTILE	"a<b>&\"'\r\nBcc: x\x01\xe2\x80\xae" "fdp\xe2\x80\x8b.\xff"

static const struct {
	const char *name;
	enum template_kind kind;
	const char *text, *value, *want;
} escaped[] = {
	{ "plain text", TEMPLATE_TEXT, "{{name}}", HOSTILE,
	  "a<b>&\"'  Bcc: x fdp.\xef\xbf\xbd" },
	{ "HTML text", TEMPLATE_HTML, "<p>{{name}}</p>", HOSTILE,
	  "<p>a&lt;b&gt;&amp;&quot;&#39;  Bcc: x fdp.\xef\xbf\xbd</p>" },
	{ "attribute", TEMPLATE_HTML, "<p title=\"{{name}}\">",
	  "\" onclick=\"x", "<p title=\"&quot; onclick=&quot;x\">" },
	{ "attribute in single quotes", TEMPLATE_HTML, "<p title='{{name}}'>",
	  "' onclick='x", "<p title='&#39; onclick=&#39;x'>" },
	{ "a good URL", TEMPLATE_HTML, "<a href=\"{{url}}\">",
	  "https://a.example/?t=1&u=2", "<a href=\"https://a.example/?t=1&amp;"
	  "u=2\">" },
	{ "mailto", TEMPLATE_HTML, "<a href=\"{{url}}\">",
	  "mailto:a@b.example?subject=x", "<a href=\"mailto:a@b.example?"
	  "subject=x\">" },
	{ "a program as URL", TEMPLATE_HTML, "<a href=\"{{url}}\">",
	  "javascript:alert(1)", "<a href=\"#\">" },
	{ "in other letters", TEMPLATE_HTML, "<a HREF='{{url}}'>",
	  "JavaScript:alert(1)", "<a HREF='#'>" },
	{ "behind a blank", TEMPLATE_HTML, "<a href=\"{{url}}\">",
	  " javascript:alert(1)", "<a href=\"#\">" },
	{ "data", TEMPLATE_HTML, "<img src=\"{{url}}\">",
	  "data:text/html,x", "<img src=\"#\">" },
	{ "a URL with a line end", TEMPLATE_HTML, "<a href=\"{{url}}\">",
	  "https://a\n.example", "<a href=\"#\">" },
	{ "part of a URL", TEMPLATE_HTML, "<a href=\"https://a/?q={{url}}\">",
	  "a&b=c\"#/\xc3\xa9", "<a href=\"https://a/?q=a%26b%3Dc%22%23%2F%C3"
	  "%A9\">" },
	{ "a value that looks like a mark", TEMPLATE_HTML, "{{name}}",
	  "{{url}}", "{{url}}" },
};

static void
tables(void)
{
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
		tap_is(fill(refused[i].text, refused[i].kind, SLICE("v")),
		    slice_of(refused[i].why), "refused %zu", i);
	for (size_t i = 0; i < sizeof filled / sizeof *filled; i++)
		tap_is(fill(filled[i].text, filled[i].kind, SLICE("v")),
		    slice_of(filled[i].want), "filled %zu", i);
	for (size_t i = 0; i < sizeof escaped / sizeof *escaped; i++)
		tap_is(fill(escaped[i].text, escaped[i].kind,
		    slice_of(escaped[i].value)), slice_of(escaped[i].want),
		    "%s", escaped[i].name);
}

static void
bounds(void)
{
	struct buf b = buf_in(a);
	struct template_data *data = NULL, *list;
	struct template *t;
	struct slice got, why;
	struct buf out = { 0 };

	for (int i = 0; i < 3000; i++)
		buf_adds(&b, "\xc3\xa9");
	got = fill("{{name}}", TEMPLATE_TEXT, buf_slice(&b));
	tap_ok(got.len == TEMPLATE_VALUE + 3 &&
	    slice_ends(got, SLICE("\xc3\xa9...")), "a long value is cut, not "
	    "within a character");
	list = template_put(a, &data, "rows", SLICE(""));
	for (int i = 0; i < 5000; i++)
		template_put(a, &template_row(a, list)->data, "subject",
		    buf_slice(&b));
	template_parse(a, "F", 1, SLICE("{{#rows}}{{subject}}{{/rows}}"),
	    TEMPLATE_TEXT, names, NULL, &t, &why);
	tap_is_int(template_render(t, data, &out), RC_BAD, "a result without "
	    "bound");
	tap_ok(out.len < TEMPLATE_OUT + 2 * TEMPLATE_VALUE, "stops in time");
	buf_free(&out);
	b.len = 0;
	for (int i = 0; i <= TEMPLATE_NODES; i++)
		buf_adds(&b, "{{name}}");
	buf_addc(&b, '\0');
	got = fill(b.ptr, TEMPLATE_TEXT, SLICE("v"));
	tap_is(got, SLICE("F:1: over 10000 places in one template"), "nodes");
}

int
main(void)
{
	a = arena_new();
	tables();
	bounds();
	arena_free(a);
	return tap_done();
}
