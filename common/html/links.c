#include "html/links.h"

#include "html/css.h"
#include "text/charset.h"

enum how { ONE, SRCSET, CSS, REFRESH };

#define CLICK	HTML_LINK_CLICK
#define LOAD	HTML_LINK_LOAD
#define NAME	HTML_LINK_NAME

/* Which attributes have URLs; `only` one element, or any (HTML_OTHER). */
static const struct row {
	struct slice name;
	enum html_link_kind kind;
	enum how how;
	enum html_tag only;
} rows[] = {
	{ { "href", 4 }, CLICK, ONE, HTML_OTHER },
	{ { "src", 3 }, LOAD, ONE, HTML_OTHER },
	{ { "style", 5 }, LOAD, CSS, HTML_OTHER },
	{ { "background", 10 }, LOAD, ONE, HTML_OTHER },
	{ { "action", 6 }, CLICK, ONE, HTML_OTHER },
	{ { "formaction", 10 }, CLICK, ONE, HTML_OTHER },
	{ { "srcset", 6 }, LOAD, SRCSET, HTML_OTHER },
	{ { "imagesrcset", 11 }, LOAD, SRCSET, HTML_OTHER },
	{ { "content", 7 }, CLICK, REFRESH, HTML_META },
	{ { "xlink:href", 10 }, LOAD, ONE, HTML_OTHER },
	{ { "ping", 4 }, CLICK, ONE, HTML_OTHER },
	{ { "data", 4 }, LOAD, ONE, HTML_OBJECT },
	{ { "codebase", 8 }, LOAD, ONE, HTML_OTHER },
	{ { "poster", 6 }, LOAD, ONE, HTML_OTHER },
	{ { "dynsrc", 6 }, LOAD, ONE, HTML_OTHER },
	{ { "lowsrc", 6 }, LOAD, ONE, HTML_OTHER },
	{ { "icon", 4 }, LOAD, ONE, HTML_OTHER },
	{ { "manifest", 8 }, LOAD, ONE, HTML_HTML },
	{ { "cite", 4 }, NAME, ONE, HTML_OTHER },
	{ { "longdesc", 8 }, NAME, ONE, HTML_OTHER },
	{ { "profile", 7 }, NAME, ONE, HTML_HEAD },
};

enum { ROWS = sizeof rows / sizeof *rows };
_Static_assert(ROWS <= 64, "a bit of html_links.seen for each");

void
html_links_open(struct html_links *l, struct slice text)
{
	*l = (struct html_links){ .how = ONE };
	html_open(&l->h, text);
}

/* Row of that attribute; ROWS: no URL in it. */
static size_t
find_row(const struct html_token *t, struct slice name)
{
	size_t i = 0;

	while (i < ROWS && (rows[i].name.len != name.len ||
	    !slice_eq_nocase(rows[i].name, name) ||
	    (rows[i].only != HTML_OTHER && rows[i].only != t->tag)))
		i++;
	return i;
}

static enum html_link_kind
kind_of(const struct row *row, enum html_tag tag)
{
	if (row == &rows[0] && tag == HTML_BASE)
		return HTML_LINK_BASE;
	if (row == &rows[0] && (tag == HTML_LINK || tag == HTML_IMAGE))
		return HTML_LINK_LOAD;
	if (row->how == ONE && tag == HTML_A)
		return row->kind == NAME ? NAME : CLICK;
	return row->kind;
}

/* A meta with http-equiv=refresh, whatever the letters. */
static bool
refreshes(const struct html_token *t)
{
	static const char refresh[] = "refresh";
	struct html_attr attr;
	struct html_chars c;
	struct html_char ch;
	size_t n = 0;

	if (!html_attr_find(t, SLICE("http-equiv"), &attr))
		return false;
	html_chars_open(&c, attr.value, true);
	for (; html_char(&c, &ch); n++)
		if (n >= sizeof refresh - 1 ||
		    html_lower(ch.c) != (unsigned char)refresh[n])
			return false;
	return n == sizeof refresh - 1;
}

/* The link gets bytes [from, end) of what l->chars reads. */
static void
set(struct html_links *l, size_t from, size_t end)
{
	size_t before = (size_t)(l->chars.raw.ptr - l->h.source.ptr);

	l->link.raw = slice_sub(l->chars.raw, from, end - from);
	l->link.off = l->base + before + from;
}

static bool
whole(struct html_links *l)
{
	struct slice raw = l->chars.raw;
	size_t from = 0, end = raw.len;

	while (from < end && html_space(raw.ptr[from]))
		from++;
	while (end > from && html_space(raw.ptr[end - 1]))
		end--;
	set(l, from, end);
	l->how = ONE;
	return true;
}

/* "a.png 1x, b.png 2x": URLs end in a blank; a comma at its end ends it too. */
static bool
next_of_srcset(struct html_links *l)
{
	struct html_char ch;
	size_t from = 0, end = 0;
	bool comma = false;
	unsigned parens = 0;

	do {
		if (!html_char(&l->chars, &ch))
			return false;
	} while (html_blank(ch.c) || ch.c == ',');
	from = ch.off;
	do {
		comma = ch.c == ',';
		if (!comma)
			end = ch.off + ch.len;
	} while (html_char(&l->chars, &ch) && !html_blank(ch.c));
	set(l, from, end);
	/* The descriptor, up to the comma outside of parentheses. */
	while (!comma && html_char(&l->chars, &ch)) {
		parens += ch.c == '(';
		parens -= ch.c == ')' && parens > 0;
		comma = ch.c == ',' && parens == 0;
	}
	return true;
}

/* What is not blank nor one of `also`; false at the end. */
static bool
pass(struct html_chars *c, struct html_char *ch, const char *also)
{
	while (html_char(c, ch)) {
		bool skip = html_blank(ch->c);

		for (const char *p = also; *p != '\0'; p++)
			skip = skip || ch->c == (unsigned char)*p;
		if (!skip)
			return true;
	}
	return false;
}

/* Behind "url =", where that is next; else nothing is taken. */
static void
pass_url(struct html_chars *c)
{
	struct html_chars ahead = *c;
	struct html_char ch;

	if (css_word(&ahead, "url") && pass(&ahead, &ch, "") && ch.c == '=')
		*c = ahead;
}

/* "5; url='x'" (WHATWG, 4.2.5.3, "shared declarative refresh steps"). */
static bool
of_refresh(struct html_links *l)
{
	struct html_chars *c = &l->chars;
	struct html_char ch;
	uint32_t quote = 0;
	size_t from, end;

	l->how = ONE;
	if (!pass(c, &ch, "0123456789.;,"))
		return false;
	c->at = ch.off;
	pass_url(c);
	if (!pass(c, &ch, ""))
		return false;
	from = ch.off;
	if (ch.c == '"' || ch.c == '\'') {
		quote = ch.c;
		from = c->at;
	} else {
		c->at = ch.off;
	}
	for (end = from; html_char(c, &ch); end = ch.off + ch.len)
		if (quote != 0 && ch.c == quote)
			break;
	set(l, from, end);
	return true;
}

/* The next URL of the value in hand; false: there is none. */
static bool
more(struct html_links *l)
{
	size_t from, end;

	switch ((enum how)l->how) {
	case SRCSET:
		return next_of_srcset(l);
	case REFRESH:
		return of_refresh(l);
	case CSS:
		if (!css_url(&l->chars, &from, &end, &l->link.css_quote))
			return false;
		set(l, from, end);
		return true;
	case ONE:
		break;
	}
	return false;
}

static bool
first(struct html_links *l)
{
	return l->how == ONE ? whole(l) : more(l);
}

static void
begin(struct html_links *l, enum html_link_kind kind, enum how how,
    struct slice raw, bool refs)
{
	l->link = (struct html_link){ .kind = kind, .tag = l->t.tag,
	    .refs = refs, .token = l->base + l->t.off,
	    .conditional = l->conditional };
	html_chars_open(&l->chars, raw, true);
	l->chars.refs = refs;
	l->how = (int)how;
}

/* The next attribute of the token that has a URL. */
static bool
next_attr(struct html_links *l)
{
	while (html_attr(&l->t, &l->at, &l->attr)) {
		size_t i = find_row(&l->t, l->attr.name);

		if (i == ROWS || l->attr.value.ptr == NULL)
			continue;
		/* Of the first content attribute only, or it is quadratic. */
		if (rows[i].how == REFRESH && ((l->seen & UINT64_C(1) << i) != 0
		    || !refreshes(&l->t))) {
			l->seen |= UINT64_C(1) << i;
			continue;
		}
		begin(l, kind_of(&rows[i], l->t.tag), rows[i].how,
		    l->attr.value, true);
		l->link.attr = l->attr.name;
		l->link.quote = l->attr.quote;
		l->link.repeated = (l->seen & UINT64_C(1) << i) != 0;
		l->seen |= UINT64_C(1) << i;
		if (first(l))
			return true;
	}
	return false;
}

/* The next token, of a conditional comment too. */
static bool
next_token(struct html_links *l)
{
	struct slice inside;
	size_t off;

	l->at = 0;
	l->seen = 0;
	if (html_next(&l->h, &l->t)) {
		if (!l->conditional &&
		    html_conditional(&l->t, &inside, &off)) {
			l->outer = l->h;
			l->base = off;
			l->conditional = true;
			html_open(&l->h, inside);
		}
		return true;
	}
	if (!l->conditional)
		return false;
	l->h = l->outer;
	l->base = 0;
	l->conditional = false;
	l->t.kind = HTML_JUNK;
	return true;
}

bool
html_link_next(struct html_links *l, struct html_link *link)
{
	bool found = more(l);

	while (!found) {
		l->how = ONE;
		if (l->t.kind == HTML_START && l->t.len > 0 && next_attr(l))
			break;
		if (!next_token(l))
			return false;
		if (l->t.kind == HTML_TEXT && l->t.tag == HTML_STYLE) {
			begin(l, HTML_LINK_LOAD, CSS, l->t.text, false);
			found = more(l);
		}
	}
	*link = l->link;
	return true;
}

void
html_link_url(struct slice charset, const struct html_link *link, size_t max,
    struct buf *out)
{
	size_t from = out->len, to = from;

	if (link->refs)
		html_unref(charset, link->raw, true, max, out);
	else
		charset_utf8(charset, link->raw, max, out);
	for (size_t i = from; i < out->len; i++)
		if (out->ptr[i] != '\t' && out->ptr[i] != '\r' &&
		    out->ptr[i] != '\n')
			out->ptr[to++] = out->ptr[i];
	out->len = to;
}

void
html_escape_value(struct buf *out, struct slice value, char quote)
{
	for (size_t i = 0; i < value.len; i++) {
		char c = value.ptr[i];
		bool ends = quote != '\0' ? c == quote :
		    html_space(c) || c == '>' || c == '"' || c == '\'' ||
		    c == '=' || c == '<' || c == '`';

		if (c == '&' || ends)
			buf_addf(out, "&#%d;", c);
		else
			buf_addc(out, c);
	}
}
