#include "html/html.h"

#include <string.h>

#include "html/raw.h"
#include "text/charset.h"

void
html_open(struct html *h, struct slice text)
{
	*h = (struct html){ .source = text };
}

bool
html_readable(struct slice charset)
{
	/* JOHAB's second bytes may be '<' and '>'; the others have states or
	 * wide units. */
	static const char *const wide[] = { "UTF-16", "UTF-16LE", "UTF-16BE",
	    "UTF-32", "UTF-32LE", "UTF-32BE", "JOHAB" };
	const char *name = charset_name(charset);

	if (name == NULL)
		return true;
	for (size_t i = 0; i < sizeof wide / sizeof *wide; i++)
		if (strcmp(name, wide[i]) == 0)
			return false;
	return !charset_keeps_state(charset);
}

static size_t
find(struct slice s, size_t from, char c)
{
	return from + slice_find(slice_after(s, from), c);
}

static size_t
skip_space(struct slice s, size_t at)
{
	while (at < s.len && html_space(s.ptr[at]))
		at++;
	return at;
}

/* --- attributes --- */

enum found { ATTR, TAG_ENDS, TEXT_ENDS };

/*
 * The value behind the '=', at *at on entry. False: the text ends in it.
 */
static bool
value(struct slice s, size_t *at, struct html_attr *attr)
{
	size_t from = skip_space(s, *at), end;

	if (from >= s.len)
		return false;
	attr->value_off = from;
	attr->value = slice_sub(s, from, 0);
	if (s.ptr[from] == '"' || s.ptr[from] == '\'') {
		attr->quote = s.ptr[from++];
		end = find(s, from, attr->quote);
		*at = end + 1;
	} else {
		for (end = from; end < s.len && !html_space(s.ptr[end]) &&
		    s.ptr[end] != '>'; end++)
			;
		*at = end;
	}
	attr->value_off = from;
	attr->value = slice_sub(s, from, end - from);
	return end < s.len;
}

/* The next attribute from *at on, which is behind the name or a value. */
static enum found
next_attr(struct slice s, size_t *at, struct html_attr *attr)
{
	size_t i = *at;

	while (i < s.len && (html_space(s.ptr[i]) || s.ptr[i] == '/'))
		i++;
	*at = i;
	if (i >= s.len)
		return TEXT_ENDS;
	if (s.ptr[i] == '>')
		return TAG_ENDS;
	*attr = (struct html_attr){ .off = i };
	/* A '=' where a name begins is its first letter. */
	for (i++; i < s.len && !html_space(s.ptr[i]) && s.ptr[i] != '/' &&
	    s.ptr[i] != '>' && s.ptr[i] != '='; i++)
		;
	attr->name = slice_sub(s, attr->off, i - attr->off);
	*at = i;
	i = skip_space(s, i);
	if (i < s.len && s.ptr[i] == '=') {
		*at = i + 1;
		if (!value(s, at, attr))
			return TEXT_ENDS;
	} else if (i >= s.len) {
		return TEXT_ENDS;
	}
	attr->len = *at - attr->off;
	return ATTR;
}

bool
html_attr(const struct html_token *t, size_t *at, struct html_attr *attr)
{
	struct slice s = slice_sub(t->source, 0, t->off + t->len);

	if (t->kind != HTML_START && t->kind != HTML_END)
		return false;
	if (*at == 0)
		*at = (size_t)(t->name.ptr + t->name.len - t->source.ptr);
	return next_attr(s, at, attr) == ATTR;
}

bool
html_attr_find(const struct html_token *t, struct slice name,
    struct html_attr *attr)
{
	for (size_t at = 0; html_attr(t, &at, attr);)
		if (slice_eq_nocase(attr->name, name))
			return true;
	return false;
}

/* --- svg and math --- */

static bool
html_inside(enum html_tag tag)
{
	return tag == HTML_FOREIGNOBJECT || tag == HTML_DESC ||
	    tag == HTML_TITLE;
}

/* What the tag means for the content that follows it. */
static void
follow(struct html *h, struct html_token *t)
{
	bool foreign = h->foreign > 0 && h->inner == 0;
	bool leaves = (html_tag_is(t->tag) & HTML_TAG_LEAVES) != 0;

	if (foreign && t->kind == HTML_START && leaves) {
		h->foreign = 0;
		foreign = false;
	}
	t->foreign = foreign;
	if (t->tag == HTML_SVG || t->tag == HTML_MATH) {
		if (t->kind == HTML_START && !t->self_closing) {
			h->foreign++;
			h->inner = 0;
		} else if (t->kind == HTML_END && h->foreign > 0) {
			h->foreign--;
			h->inner = 0;
		}
	} else if (h->foreign > 0 && html_inside(t->tag)) {
		if (t->kind == HTML_END)
			h->inner = 0;
		else if (foreign && !t->self_closing)
			h->inner = 1;
	}
	if (t->kind == HTML_START && !foreign && (html_tag_is(t->tag) &
	    (HTML_TAG_RAW | HTML_TAG_REFS)) != 0) {
		h->raw = t->tag;
		h->raw_name = t->name;
	}
}

/* --- tokens --- */

/* The tag whose name begins at `from`; false: the text ends in it. */
static bool
read_tag(struct html *h, struct html_token *t, size_t from)
{
	struct slice s = h->source;
	struct html_attr attr;
	enum found found;
	size_t at = from, last;

	while (at < s.len && !html_space(s.ptr[at]) && s.ptr[at] != '/' &&
	    s.ptr[at] != '>')
		at++;
	t->name = slice_sub(s, from, at - from);
	do {
		last = at;
		found = next_attr(s, &at, &attr);
	} while (found == ATTR);
	if (found == TEXT_ENDS)
		return false;
	/* <br/>, but not <a href=/>: there the slash is of the value. */
	t->self_closing = at > last && s.ptr[at - 1] == '/';
	t->tag = html_tag_of(t->name);
	h->at = at + 1;
	return true;
}

/* Where a comment's inside, from `from` on, ends; *behind_r is what follows. */
static size_t
comment_end(struct slice s, size_t from, size_t *behind_r)
{
	size_t at = from;

	if (at < s.len && s.ptr[at] == '>') {
		*behind_r = at + 1;
		return at;
	}
	if (slice_starts(slice_after(s, at), SLICE("->"))) {
		*behind_r = at + 2;
		return at;
	}
	for (; (at = find(s, at, '-')) < s.len; at++) {
		struct slice rest = slice_after(s, at);

		if (slice_starts(rest, SLICE("-->")) ||
		    slice_starts(rest, SLICE("--!>"))) {
			*behind_r = at + (rest.ptr[2] == '>' ? 3 : 4);
			return at;
		}
		/* The text's end ends it as well, half a mark is no text. */
		if (slice_eq(rest, SLICE("--!")) ||
		    slice_eq(rest, SLICE("--")) || rest.len == 1)
			break;
	}
	*behind_r = s.len;
	return at;
}

static void
bogus(struct html *h, struct html_token *t, size_t from)
{
	size_t end = find(h->source, from, '>');

	t->kind = HTML_COMMENT;
	t->bogus = true;
	t->text = slice_sub(h->source, from, end - from);
	h->at = end < h->source.len ? end + 1 : end;
}

static void
cdata(struct html *h, struct html_token *t, size_t from)
{
	size_t end = from + slice_search(slice_after(h->source, from),
	    SLICE("]]>"));

	t->kind = HTML_TEXT;
	t->foreign = true;
	t->text = slice_sub(h->source, from, end - from);
	h->at = end < h->source.len ? end + 3 : end;
}

static void
doctype(struct html *h, struct html_token *t, size_t from)
{
	struct slice s = h->source;
	size_t end = find(s, from, '>'), at = skip_space(s, from);

	t->kind = HTML_DOCTYPE;
	t->name = slice_sub(s, at < end ? at : end, 0);
	while (at + t->name.len < end && !html_space(t->name.ptr[t->name.len]))
		t->name.len++;
	h->at = end < s.len ? end + 1 : end;
}

/* <! at t->off. */
static void
declaration(struct html *h, struct html_token *t)
{
	size_t from = t->off + 2, end;
	struct slice rest = slice_after(h->source, from);

	if (slice_starts(rest, SLICE("--"))) {
		end = comment_end(h->source, from + 2, &h->at);
		t->kind = HTML_COMMENT;
		t->text = slice_sub(h->source, from + 2, end - from - 2);
	} else if (slice_starts_nocase(rest, SLICE("DOCTYPE"))) {
		doctype(h, t, from + 7);
	} else if (h->foreign > 0 && h->inner == 0 &&
	    slice_starts(rest, SLICE("[CDATA["))) {
		cdata(h, t, from + 7);
	} else {
		bogus(h, t, from);
	}
}

/* Does markup begin with the '<' at `at`? */
static bool
opens(struct slice s, size_t at)
{
	char c = at + 1 < s.len ? s.ptr[at + 1] : '\0';

	return ascii_alpha(c) || c == '!' || c == '?' ||
	    (c == '/' && at + 2 < s.len);
}

static void
markup(struct html *h, struct html_token *t)
{
	struct slice s = h->source;
	bool end = s.ptr[t->off + 1] == '/';
	size_t from = t->off + 1 + end;

	if (s.ptr[from] == '!' && !end) {
		declaration(h, t);
	} else if (ascii_alpha(s.ptr[from])) {
		t->kind = end ? HTML_END : HTML_START;
		if (read_tag(h, t, from)) {
			follow(h, t);
			return;
		}
		t->kind = HTML_JUNK;
		t->name = SLICE_NONE;
		h->at = s.len;
	} else if (end && s.ptr[from] == '>') {
		t->kind = HTML_JUNK;
		h->at = from + 1;
	} else {
		bogus(h, t, from);
	}
}

static void
text(struct html *h, struct html_token *t)
{
	size_t at = h->at;

	while ((at = find(h->source, at, '<')) < h->source.len &&
	    !opens(h->source, at))
		at++;
	t->refs = true;
	t->text = slice_sub(h->source, h->at, at - h->at);
	h->at = at;
}

/* The content of a raw element; false where it is empty. */
static bool
raw(struct html *h, struct html_token *t)
{
	struct slice rest = slice_after(h->source, h->at);

	t->tag = h->raw;
	t->refs = (html_tag_is(h->raw) & HTML_TAG_REFS) != 0;
	t->text = slice_sub(rest, 0, html_raw_end(rest, h->raw, h->raw_name));
	h->at += t->text.len;
	h->raw = HTML_OTHER;
	return t->text.len > 0;
}

bool
html_next(struct html *h, struct html_token *t)
{
	struct slice s = h->source;

	if (h->at >= s.len)
		return false;
	*t = (struct html_token){ .kind = HTML_TEXT, .source = s,
		.off = h->at, .foreign = h->foreign > 0 && h->inner == 0 };
	if (h->raw == HTML_OTHER || !raw(h, t)) {
		t->tag = HTML_OTHER;
		t->refs = false;
		if (s.ptr[h->at] == '<' && opens(s, h->at))
			markup(h, t);
		else
			text(h, t);
	}
	t->len = h->at - t->off;
	return true;
}

bool
html_conditional(const struct html_token *t, struct slice *inside_r,
    size_t *off_r)
{
	struct slice head, rest, s = t->text;
	size_t lead = 0, end;

	if (t->kind != HTML_COMMENT || t->bogus)
		return false;
	while (lead < s.len && html_space(s.ptr[lead]))
		lead++;
	head = slice_cut(slice_after(s, lead), ']', &rest);
	if (!slice_starts_nocase(head, SLICE("[if")) || rest.len == 0 ||
	    rest.ptr[0] != '>')
		return false;
	rest = slice_after(rest, 1);
	for (end = rest.len; end > 0 && html_space(rest.ptr[end - 1]); end--)
		;
	if (slice_ends_nocase(slice_sub(rest, 0, end), SLICE("<![endif]")))
		rest.len = end - 9;
	*inside_r = rest;
	*off_r = (size_t)(rest.ptr - t->source.ptr);
	return true;
}
