#include "disclaimer_html.h"

#include "html/hidden.h"
#include "html/chars.h"

enum quote { NO_QUOTE, CONTAINER, SEPARATOR };

/* Words of class and id attributes by which clients mark what they quote. */
static const struct {
	const char *word;
	enum quote quote;
} marks[] = {
	{ "gmail_quote", CONTAINER }, { "gmail_quote_container", CONTAINER },
	{ "moz-cite-prefix", CONTAINER }, { "moz-forward-container",
	    CONTAINER }, { "moz-email-headers-table", CONTAINER },
	{ "yahoo_quoted", CONTAINER }, { "yahoo-quoted-begin", CONTAINER },
	{ "protonmail_quote", CONTAINER }, { "tutanota_quote", CONTAINER },
	{ "zmail_extra", CONTAINER }, { "ymail_android_signature_quote",
	    CONTAINER }, { "gmail_attr", CONTAINER },
	{ "mail-quote-collapse", CONTAINER }, { "ox-reply", CONTAINER },
	{ "replyheader", CONTAINER }, { "sh-message-quote", CONTAINER },
	{ "divrplyfwdmsg", SEPARATOR }, { "x_divrplyfwdmsg", SEPARATOR },
	{ "appendonsend", SEPARATOR }, { "x_appendonsend", SEPARATOR },
	{ "olk_src_body_section", SEPARATOR }, { "stopspelling", SEPARATOR },
	{ "_mailoriginal", SEPARATOR },
	{ "mail-editor-reference-message-container", SEPARATOR },
	{ "ms-outlook-mobile-reference-message", SEPARATOR },
	{ "isreplycontent", SEPARATOR },
};

struct spot {
	struct html_opened open;
	size_t good;			/* the last place that is seen */
	bool any;			/* there was one */
	size_t top;			/* the first one in the body */
	bool begun;
	size_t end;			/* before the last </body>, </html> */
	size_t quote;			/* where it begins, or SIZE_MAX */
	bool final;			/* a separator: it lasts */
	unsigned depth;			/* of the quote's container, or 0 */
	size_t container;		/* its offset */
};

/* Is one of the words of a class, id or name a mark? */
static enum quote
marked(struct slice raw)
{
	while (raw.len > 0) {
		size_t n = 0;
		struct slice word;

		while (n < raw.len && !html_space(raw.ptr[n]))
			n++;
		word = slice_sub(raw, 0, n);
		raw = slice_after(raw, n + 1);
		for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
			if (slice_eq_nocase(word, slice_of(marks[i].word)))
				return marks[i].quote;
	}
	return NO_QUOTE;
}

/* Outlook draws a line over what it quotes: no border but that at the top. */
static bool
outlook_line(struct slice style)
{
	return slice_starts(style, SLICE("border:none;border-top:solid #")) &&
	    slice_search(style, SLICE("padding:3.0pt")) < style.len;
}

static enum quote
quotes(const struct html_token *t)
{
	struct html_attr attr;
	enum quote found = NO_QUOTE;
	bool cite = false;

	for (size_t at = 0; html_attr(t, &at, &attr);) {
		enum quote q = NO_QUOTE;

		if (slice_eq_nocase(attr.name, SLICE("class")) ||
		    slice_eq_nocase(attr.name, SLICE("id")) ||
		    slice_eq_nocase(attr.name, SLICE("name")))
			q = marked(attr.value);
		else if (slice_eq_nocase(attr.name, SLICE("type")))
			cite = slice_eq_nocase(attr.value, SLICE("cite"));
		else if (slice_eq_nocase(attr.name, SLICE("style")) &&
		    t->tag == HTML_DIV && outlook_line(attr.value))
			q = SEPARATOR;
		if (q > found)
			found = q;
	}
	if (t->tag == HTML_BLOCKQUOTE && cite && found == NO_QUOTE)
		found = CONTAINER;
	/* These words mean a quote on a quote only. */
	if (found == CONTAINER && t->tag != HTML_BLOCKQUOTE &&
	    t->tag != HTML_DIV && t->tag != HTML_TABLE && t->tag != HTML_SPAN)
		found = NO_QUOTE;
	return found;
}

/* "-----Original Message-----" at the begin of a text, in any language. */
static bool
separates(const struct html_token *t)
{
	enum { DASHES = 5, LONGEST = 80 };
	struct slice s = slice_trim(t->text);
	size_t lead = 0, tail = 0;

	if (s.len < 2 * DASHES + 1)
		return false;
	while (lead < s.len && s.ptr[lead] == '-')
		lead++;
	s = slice_after(s, lead);
	s = slice_sub(s, 0, LONGEST);
	while (tail < s.len && s.ptr[tail] != '-')
		tail++;
	return lead >= DASHES && tail > 0 && slice_starts(slice_after(s, tail),
	    SLICE("-----"));
}

/* Would a reader see a block here, where it is put? */
static bool
good_place(const struct html_opened *o)
{
	size_t table = html_opened_at(o, HTML_TABLE), cell;

	if (html_hides(o) != 0 ||
	    html_opened_at(o, HTML_A) != SIZE_MAX ||
	    html_opened_at(o, HTML_SVG) != SIZE_MAX ||
	    html_opened_at(o, HTML_MATH) != SIZE_MAX ||
	    html_opened_at(o, HTML_SELECT) != SIZE_MAX ||
	    html_opened_at(o, HTML_BUTTON) != SIZE_MAX ||
	    html_opened_at(o, HTML_OBJECT) != SIZE_MAX ||
	    html_opened_at(o, HTML_MAP) != SIZE_MAX ||
	    html_opened_at(o, HTML_NOSCRIPT) != SIZE_MAX ||
	    html_opened_at(o, HTML_VIDEO) != SIZE_MAX)
		return false;
	if (table == SIZE_MAX)
		return true;
	/* Within a cell of the innermost table, or it is moved before it. */
	cell = html_opened_at(o, HTML_TD);
	if (cell == SIZE_MAX || (html_opened_at(o, HTML_TH) != SIZE_MAX &&
	    html_opened_at(o, HTML_TH) > cell))
		cell = html_opened_at(o, HTML_TH);
	return cell != SIZE_MAX && cell > table;
}

static bool
says_something(const struct html_token *t)
{
	struct html_chars c;
	struct html_char ch;

	html_chars_open(&c, t->text, false);
	c.refs = t->refs;
	while (html_char(&c, &ch))
		if (!html_blank(ch.c) && ch.c != 0xa0)
			return true;
	return false;
}

/* Is the quote's container open still? */
static bool
in_quote(const struct spot *s)
{
	return s->depth > 0 && s->open.n >= s->depth &&
	    s->open.stack[s->depth - 1].off == s->container;
}

static void
begin_quote(struct spot *s, const struct html_token *t, enum quote q)
{
	if (s->final || in_quote(s) || !s->any)
		return;
	if (s->quote == SIZE_MAX)
		s->quote = s->good;
	s->final = q == SEPARATOR;
	s->depth = s->open.n;
	s->container = t->off;
}

/* Text that is seen: of the quote, or behind it. */
static void
own_text(struct spot *s, const struct html_token *t)
{
	if (!s->final && separates(t)) {
		if (s->quote == SIZE_MAX && s->any)
			s->quote = s->good;
		s->final = s->quote != SIZE_MAX;
		return;
	}
	if (html_hides(&s->open) != 0 || !says_something(t))
		return;
	if (!s->final && !in_quote(s))
		s->quote = SIZE_MAX;
	/* Text behind </body> is shown all the same. */
	s->end = SIZE_MAX;
}

/* The body has begun with this token, if anything of it is shown. */
static bool
begins_body(const struct html_token *t)
{
	if (t->kind == HTML_TEXT)
		return t->tag == HTML_OTHER && says_something(t);
	return t->kind == HTML_START && t->tag != HTML_HTML &&
	    t->tag != HTML_HEAD && t->tag != HTML_META &&
	    t->tag != HTML_TITLE && t->tag != HTML_STYLE &&
	    t->tag != HTML_LINK && t->tag != HTML_BASE &&
	    t->tag != HTML_SCRIPT && t->tag != HTML_NOSCRIPT &&
	    t->tag != HTML_TEMPLATE && !t->foreign;
}

/* A token that the end of the text cuts: nobody would see what is behind. */
static bool
open_ended(const struct html_token *t, const struct html *h)
{
	struct slice all = slice_sub(t->source, t->off, t->len);

	if (t->off + t->len < t->source.len)
		return false;
	if (t->kind == HTML_COMMENT && !t->bogus)
		return !slice_ends(all, SLICE("-->")) &&
		    !slice_ends(all, SLICE("--!>"));
	if (t->kind == HTML_COMMENT || t->kind == HTML_DOCTYPE)
		return !slice_ends(all, SLICE(">"));
	return t->kind == HTML_JUNK || h->raw != HTML_OTHER ||
	    (t->kind == HTML_TEXT && t->tag != HTML_OTHER);
}

static void
note_place(struct spot *s, size_t at)
{
	if (!s->begun || !good_place(&s->open))
		return;
	if (!s->any)
		s->top = at;
	s->any = true;
	s->good = at;
}

static void
look(struct spot *s, const struct html_token *t, const struct html *h)
{
	enum quote q = t->kind == HTML_START ? quotes(t) : NO_QUOTE;

	if (!s->begun && begins_body(t) && t->tag != HTML_BODY) {
		s->begun = true;
		note_place(s, t->off);
	}
	if (t->kind == HTML_END && (t->tag == HTML_BODY ||
	    (t->tag == HTML_HTML && s->end == SIZE_MAX)) && s->begun)
		s->end = s->good;
	html_open_tags(&s->open, t);
	if (t->tag == HTML_BODY && t->kind == HTML_START)
		s->begun = true;
	if (q != NO_QUOTE && s->begun)
		begin_quote(s, t, q);
	if (t->kind == HTML_TEXT && t->tag == HTML_OTHER)
		own_text(s, t);
	/* Not within a script, nor where the end of the text cuts. */
	if (!open_ended(t, h) && h->raw == HTML_OTHER &&
	    (t->kind != HTML_TEXT || t->tag == HTML_OTHER))
		note_place(s, t->off + t->len);
}

bool
disclaimer_html_spot(struct arena *a, struct slice text,
    enum disclaimer_place place, size_t *at_r)
{
	struct spot *s = arena_alloc(a, sizeof *s);
	struct html h;
	struct html_token t = { .kind = HTML_TEXT };

	html_opened_init(&s->open);
	s->end = s->quote = SIZE_MAX;
	html_open(&h, text);
	while (html_next(&h, &t))
		look(s, &t, &h);
	/* An empty text, or one of a head alone: it is all there is. */
	if (!s->any && !s->begun && html_style_here(&s->open)->hides == 0 &&
	    (text.len == 0 || !open_ended(&t, &h))) {
		*at_r = text.len;
		return true;
	}
	if (!s->any)
		return false;
	if (place == DISCLAIMER_TOP)
		*at_r = s->top;
	else if (place == DISCLAIMER_REPLY && s->quote != SIZE_MAX)
		*at_r = s->quote;
	else
		*at_r = s->end != SIZE_MAX ? s->end : s->good;
	return true;
}
