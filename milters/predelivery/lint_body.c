/* Rules about the text and its lines. */
#include <string.h>

#include "html/html.h"
#include "html/ref.h"
#include "lint_part.h"
#include "match.h"
#include "text/charset.h"

enum {
	LINE_MAX_OCTETS = 998,		/* RFC 5322, 2.1.1 */
	HREF_MAX = 4000,		/* bytes of one */
};

/* ---- what the parts say ---- */

/*
 * Letters in lower case (ASCII, and those that two bytes C3 80 to C3 9E make:
 * Latin-1), each run of blanks and line ends as one blank, so that a phrase is
 * found however it is broken.
 */
static void
add_folded(struct buf *out, struct slice s)
{
	bool blank = out->len == 0 || out->ptr[out->len - 1] == ' ';

	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];
		unsigned char byte = (unsigned char)c;

		if (ascii_space(c) || c == '\f') {
			if (!blank)
				buf_addc(out, ' ');
			blank = true;
			continue;
		}
		blank = false;
		if (i > 0 && (unsigned char)s.ptr[i - 1] == 0xc3 &&
		    byte >= 0x80 && byte <= 0x9e && byte != 0x97)
			c = (char)(byte + 0x20);
		buf_addc(out, ascii_lower(c));
	}
}

static struct slice
folded(struct arena *a, struct slice s)
{
	struct buf b = buf_in(a);

	add_folded(&b, s);
	return slice_trim(buf_slice(&b));
}

struct reading {
	struct lint_read *r;
	struct buf text, links;
};

static void
add_link(struct reading *g, struct slice href)
{
	href = slice_trim(href);
	if (slice_starts_nocase(href, SLICE("http://")) &&
	    g->r->http.len == 0)
		g->r->http = slice_sub(href, 0, 200);
	g->r->linked = g->r->linked ||
	    slice_starts_nocase(href, SLICE("http")) ||
	    slice_starts_nocase(href, SLICE("mailto:"));
	add_folded(&g->links, href);
	buf_addc(&g->links, ' ');
}

static void
read_plain(struct reading *g, struct slice text)
{
	static const char *const schemes[] = { "http://", "https://",
	    "mailto:", NULL };
	size_t from = g->text.len;
	struct slice added;

	add_folded(&g->text, text);
	buf_addc(&g->text, ' ');
	added = slice_after(buf_slice(&g->text), from);
	for (size_t i = 0; schemes[i] != NULL; i++) {
		size_t at = slice_search(added, slice_of(schemes[i]));
		struct slice rest;

		if (at == added.len)
			continue;
		g->r->linked = true;
		if (i == 0 && g->r->http.len == 0)
			g->r->http = arena_copy(g->r->m->arena, slice_cut(
			    slice_sub(added, at, 200), ' ', &rest));
	}
}

static void
read_tag(struct reading *g, const struct html_token *t)
{
	struct buf value = buf_in(g->r->m->arena);
	struct html_attr attr;

	if (((t->tag == HTML_A || t->tag == HTML_AREA) &&
	    html_attr_find(t, SLICE("href"), &attr)) ||
	    (t->tag == HTML_FORM && html_attr_find(t, SLICE("action"),
	    &attr))) {
		html_unref(SLICE("utf-8"), attr.value, true, HREF_MAX, &value);
		add_link(g, buf_slice(&value));
	}
	if (html_tag_is(t->tag) & HTML_TAG_BLOCK || t->tag == HTML_BR)
		add_folded(&g->text, SLICE(" "));
}

/* Text is UTF-8 by now. */
static void
read_html(struct reading *g, struct slice text)
{
	struct buf plain = buf_in(g->r->m->arena);
	struct html_token t;
	struct html h;

	html_open(&h, text);
	while (html_next(&h, &t)) {
		buf_clear(&plain);
		if (t.kind == HTML_START || t.kind == HTML_END)
			read_tag(g, &t);
		if (t.kind != HTML_TEXT || (t.tag != HTML_OTHER &&
		    (html_tag_is(t.tag) & HTML_TAG_RAW) != 0))
			continue;
		if (t.refs)
			html_unref(SLICE("utf-8"), t.text, false, LINT_TEXT,
			    &plain);
		else
			buf_add(&plain, t.text);
		add_folded(&g->text, buf_slice(&plain));
	}
	buf_addc(&g->text, ' ');
}

static void
read_part(struct reading *g, const struct part *p, size_t left)
{
	struct arena *a = g->r->m->arena;
	struct buf utf8 = buf_in(a);
	unsigned flags;
	struct slice bytes = part_decoded(p, a, left, &flags);

	charset_utf8(p->charset.ptr != NULL ? p->charset : SLICE("us-ascii"),
	    bytes, left, &utf8);
	if (part_is(p, "text", "html"))
		read_html(g, buf_slice(&utf8));
	else
		read_plain(g, buf_slice(&utf8));
}

static void
read_text(struct lint_read *r)
{
	struct reading g = { r, buf_in(r->m->arena), buf_in(r->m->arena) };
	const struct part *root, *p;
	unsigned n = 0;

	if (r->text_read)
		return;
	r->text_read = true;
	root = message_parts(r->m->msg);
	for (p = root; p != NULL && n < LINT_PARTS &&
	    g.text.len + g.links.len < LINT_TEXT; p = part_next(root, p)) {
		if (p->lax || p->child != NULL ||
		    slice_eq(p->disposition, SLICE("attachment")) ||
		    !(part_is(p, "text", "plain") ||
		    part_is(p, "text", "html")))
			continue;
		read_part(&g, p, LINT_TEXT - g.text.len - g.links.len);
		n++;
	}
	r->text = buf_slice(&g.text);
	r->links = buf_slice(&g.links);
}

/* ---- rules ---- */

/* Between slashes: a regular expression. */
static bool
is_regex(struct slice item)
{
	return item.len > 2 && item.ptr[0] == '/' &&
	    item.ptr[item.len - 1] == '/';
}

static enum rc
read_regex(struct match *m, struct arena *a, struct slice item,
    struct slice *why_r)
{
	return match_add(m, a, PATTERN_REGEX, slice_sub(item, 1, item.len - 2),
	    why_r);
}

enum rc
lint_phrases_check(const char *option, const struct conf_list *phrases,
    struct arena *a, struct slice *why_r)
{
	for (size_t i = 0; i < phrases->count; i++) {
		struct match m = { .n = 0 };
		struct slice why;

		if (!is_regex(phrases->items[i]) || read_regex(&m, a,
		    phrases->items[i], &why) == RC_OK)
			continue;
		*why_r = arena_printf(a, "%s: %.*s", option, SLICE_ARG(why));
		return RC_BAD;
	}
	return RC_OK;
}

/* One that is over its limits has not been found. */
static bool
has_regex(struct lint_read *r, struct slice item)
{
	/* What is deferred in the arena looks at it once more. */
	struct matcher *w = arena_alloc(r->m->arena, sizeof *w);
	struct match m = { .n = 0 };
	struct slice why;

	if (read_regex(&m, r->m->arena, item, &why) != RC_OK)
		return false;
	match_ready(&m, r->m->arena);
	matcher_init(w, r->m->arena, 0);
	return match_text(&m, r->text, SLICE_NONE, w) == TRUTH_YES;
}

static bool
has_any(struct lint_read *r, const struct conf_list *phrases)
{
	read_text(r);
	for (size_t i = 0; i < phrases->count; i++) {
		struct slice item = phrases->items[i];
		struct slice phrase = folded(r->m->arena, item);

		if (is_regex(item) ? has_regex(r, item) : phrase.len > 0 &&
		    slice_search(r->text, phrase) < r->text.len)
			return true;
	}
	return false;
}

struct slice
lint_imprint(struct lint_read *r, enum lint_state *state_r)
{
	(void)state_r;
	if (has_any(r, &r->m->conf->imprint_phrases))
		return SLICE_NONE;
	return SLICE("the text has no imprint: none of the phrases of "
	    "imprint_phrases");
}

struct slice
lint_opt_out(struct lint_read *r, enum lint_state *state_r)
{
	(void)state_r;
	read_text(r);
	for (size_t i = 0; i < r->nunsubscribe; i++) {
		struct slice uri = folded(r->m->arena, r->unsubscribe[i].uri);

		if (uri.len > 0 && (slice_search(r->text, uri) < r->text.len ||
		    slice_search(r->links, uri) < r->links.len))
			return SLICE_NONE;
	}
	if (!has_any(r, &r->m->conf->opt_out_phrases))
		return SLICE("the text shows no way out of the list");
	if (!r->linked)
		return SLICE("the text speaks of a way out of the list, and has "
		    "no link");
	return SLICE_NONE;
}

struct slice
lint_http_links(struct lint_read *r, enum lint_state *state_r)
{
	const struct message *msg = r->m->msg;

	(void)state_r;
	for (size_t i = 0; i < msg->nfields; i++) {
		const struct field *f = &msg->fields[i];
		struct list_uri uris[LIST_URIS];
		size_t n;

		if (!slice_starts_nocase(f->name, SLICE("List-")))
			continue;
		n = list_uris(r->m->arena, f->body, uris);
		for (size_t k = 0; k < n; k++)
			if (uris[k].scheme == LIST_HTTP)
				return arena_printf(r->m->arena, "%.*s has an "
				    "http address", SLICE_ARG(f->name));
	}
	read_text(r);
	if (r->http.len > 0)
		return arena_printf(r->m->arena, "the text links to %.*s",
		    SLICE_ARG(r->http));
	return SLICE_NONE;
}

/* The number of the first line that is too long; 0: there is none. */
static size_t
long_line(struct slice s)
{
	size_t number = 0;

	while (s.len > 0) {
		const char *end = memchr(s.ptr, '\n', s.len);
		size_t len = end != NULL ? (size_t)(end - s.ptr) : s.len;

		number++;
		if (len > LINE_MAX_OCTETS + 1 || (len == LINE_MAX_OCTETS + 1 &&
		    s.ptr[len - 1] != '\r'))
			return number;
		s = slice_after(s, len + 1);
	}
	return 0;
}

struct slice
lint_line_length(struct lint_read *r, enum lint_state *state_r)
{
	const struct message *msg = r->m->msg;
	size_t n = long_line(msg->head);

	(void)state_r;
	if (n > 0)
		return arena_printf(r->m->arena, "line %zu of the header is "
		    "longer than %d octets", n, LINE_MAX_OCTETS);
	n = long_line(msg->body);
	if (n > 0)
		return arena_printf(r->m->arena, "line %zu of the text is "
		    "longer than %d octets", n, LINE_MAX_OCTETS);
	return SLICE_NONE;
}
