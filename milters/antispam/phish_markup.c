/* Fields for passwords, and scripts: in what is shown, and in pages that are attached. */
#include <string.h>

#include "html/html.h"
#include "phish.h"
#include "text/charset.h"

enum { TAGS = 100000, SCRIPT = 1 << 20, PAGE = 8 << 20, PAGES = 20 };

struct page {
	bool password, script, builds;
};

/* How scripts make a file or a page of data that no scanner saw. */
static bool
builds(struct slice script)
{
	static const char *const ways[] = { "atob(", "document.write",
	    "unescape(", "fromCharCode", "createObjectURL", "msSaveOrOpenBlob",
	    "msSaveBlob", "new Blob", "eval(", "Uint8Array", "innerHTML",
	    "location.href", "location.replace", "window.location", NULL };
	struct slice s = slice_sub(script, 0, SCRIPT);

	for (const char *const *w = ways; *w != NULL; w++)
		if (slice_search(s, slice_of(*w)) < s.len)
			return true;
	return false;
}

static void
look_tag(const struct html_token *t, struct page *page)
{
	struct html_attr attr;

	if (t->tag == HTML_SCRIPT)
		page->script = true;
	if (t->tag == HTML_INPUT && html_attr_find(t, SLICE("type"), &attr) &&
	    slice_eq_nocase(slice_trim(attr.value), SLICE("password")))
		page->password = true;
	/* onload= of anything, in a page or a picture (SVG). */
	for (size_t at = 0; html_attr(t, &at, &attr);)
		if (slice_starts_nocase(attr.name, SLICE("on")) &&
		    attr.value.len > 0) {
			page->script = true;
			page->builds = page->builds || builds(attr.value);
		}
}

static void
look_page(struct slice markup, struct page *page)
{
	struct html_token t;
	struct html h;
	unsigned n = 0;

	html_open(&h, slice_sub(markup, 0, PAGE));
	while (n < TAGS && html_next(&h, &t)) {
		if (t.kind == HTML_START) {
			n++;
			look_tag(&t, page);
		} else if (t.kind == HTML_TEXT && t.tag == HTML_SCRIPT) {
			page->builds = page->builds || builds(t.text);
		}
	}
}

/* A page that a browser opens when it is clicked. */
static bool
named_page(const struct part *p)
{
	static const char *const ends[] = { ".html", ".htm", ".shtml", ".xhtml",
	    ".xht", ".svg", ".mht", ".mhtml", NULL };

	for (const char *const *e = ends; *e != NULL; e++)
		if (slice_ends_nocase(slice_trim(p->filename), slice_of(*e)))
			return true;
	return part_is(p, "image", "svg+xml") ||
	    (part_is(p, "text", "html") &&
	    slice_eq(p->disposition, SLICE("attachment")));
}

/* Pages of wide letters are read too. */
static struct slice
page_text(struct arena *a, const struct part *p)
{
	struct slice bytes = part_decoded(p, a, PAGE, NULL);
	struct buf utf8 = buf_in(a);

	if (!slice_starts(bytes, SLICE("\xff\xfe")) &&
	    !slice_starts(bytes, SLICE("\xfe\xff")))
		return bytes;
	charset_utf8(slice_of(bytes.ptr[0] == '\xff' ? "utf-16le" :
	    "utf-16be"), slice_after(bytes, 2), PAGE, &utf8);
	return buf_slice(&utf8);
}

static void
say_file(struct phish_seen *s, const struct part *p, const struct page *page)
{
	struct slice name = p->filename.len > 0 ? slice_sub(p->filename, 0,
	    100) : SLICE("a page");
	bool picture = part_is(p, "image", NULL) ||
	    slice_ends_nocase(name, SLICE(".svg"));

	if (!picture)
		phish_say(s, SIGN_FILE_HTML, "%.*s is attached, a page",
		    SLICE_ARG(name));
	if (page->password)
		phish_say(s, SIGN_FILE_FORM, "%.*s asks for a password",
		    SLICE_ARG(name));
	if (page->script)
		phish_say(s, SIGN_FILE_SCRIPT, "%.*s has a script",
		    SLICE_ARG(name));
	if (page->script && page->builds)
		phish_say(s, SIGN_SMUGGLED, "%.*s has a script that makes a "
		    "page or a file", SLICE_ARG(name));
}

static void
look_text(struct phish_seen *s, struct slice markup)
{
	struct page page = { .script = false };

	look_page(markup, &page);
	if (page.password)
		phish_say(s, SIGN_PASSWORD, "the message asks for a password");
	if (page.builds)
		phish_say(s, SIGN_SMUGGLED, "the message has a script that "
		    "makes a page or a file");
}

enum rc
phish_check_markup(struct spam_look *look, struct slice *why_r)
{
	struct phish_seen s = { .look = look, .a = look->msg->arena };
	const struct part *root = message_parts(look->msg);
	unsigned pages = 0;

	(void)why_r;
	for (const struct part *p = root; p != NULL && pages < PAGES;
	    p = part_next(root, p)) {
		struct page page = { .script = false };

		if (part_multipart(p) || !named_page(p))
			continue;
		pages++;
		look_page(page_text(s.a, p), &page);
		say_file(&s, p, &page);
	}
	for (const struct content_text *t = look->content->first; t != NULL;
	    t = t->next)
		if (t->kind == CONTENT_HTML && !named_page(t->part))
			look_text(&s, t->markup);
	return RC_OK;
}
