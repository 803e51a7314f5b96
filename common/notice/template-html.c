#include "notice/template-html.h"

#include <string.h>

static bool
name_is(const char *name, size_t len, const char *want)
{
	return slice_eq(slice_make(name, len), slice_of(want));
}

/* Elements whose inside is no markup: it ends at their end tag only. */
static bool
is_raw(const struct html_place *p)
{
	static const char *const raw[] = { "script", "style", "xmp", "iframe",
	    "noembed", "noframes", "noscript", "plaintext", NULL };

	for (size_t i = 0; raw[i] != NULL; i++)
		if (name_is(p->tag, p->tag_len, raw[i]))
			return true;
	return false;
}

static void
add_name(char *name, size_t size, size_t *len, char c)
{
	if (*len < size)
		name[(*len)++] = ascii_lower(c);
}

static void
end_tag(struct html_place *p)
{
	p->state = is_raw(p) ? HTML_RAW : HTML_TEXT;
}

static void
in_tag(struct html_place *p, char c)
{
	if (c == '>') {
		end_tag(p);
	} else if (p->in_tag_name && !ascii_space(c) &&
	    (c != '/' || p->tag_len == 0)) {
		add_name(p->tag, sizeof p->tag, &p->tag_len, c);
	} else if (ascii_space(c) || c == '/') {
		p->in_tag_name = false;
	} else {
		p->state = HTML_NAME;
		p->attribute_len = 0;
		add_name(p->attribute, sizeof p->attribute, &p->attribute_len,
		    c);
	}
}

static void
in_name(struct html_place *p, char c)
{
	if (c == '=')
		p->state = HTML_BEFORE_VALUE;
	else if (c == '>')
		end_tag(p);
	else if (!ascii_space(c))
		add_name(p->attribute, sizeof p->attribute, &p->attribute_len,
		    c);
}

static void
before_value(struct html_place *p, char c)
{
	if (c == '"' || c == '\'') {
		p->state = HTML_VALUE;
		p->quote = c;
		p->first = true;
	} else if (c == '>') {
		end_tag(p);
	} else if (!ascii_space(c)) {
		p->state = HTML_BARE;
	}
}

/* Some bytes are looked at in a row; how many were taken. */
static size_t
in_text(struct html_place *p, struct slice rest)
{
	if (rest.ptr[0] != '<')
		return 1;
	if (slice_starts(rest, SLICE("<!--"))) {
		p->state = HTML_COMMENT;
		return 4;
	}
	p->state = HTML_TAG;
	p->in_tag_name = true;
	p->tag_len = 0;
	return 1;
}

static size_t
in_raw(struct html_place *p, struct slice rest)
{
	if (!slice_starts(rest, SLICE("</")) ||
	    !slice_starts_nocase(slice_after(rest, 2),
	    slice_make(p->tag, p->tag_len)))
		return 1;
	p->state = HTML_TAG;
	p->in_tag_name = true;
	p->tag_len = 0;
	return 1;
}

static size_t
step(struct html_place *p, struct slice rest)
{
	char c = rest.ptr[0];

	switch (p->state) {
	case HTML_TEXT:
		return in_text(p, rest);
	case HTML_RAW:
		return in_raw(p, rest);
	case HTML_COMMENT:
		if (!slice_starts(rest, SLICE("-->")))
			return 1;
		p->state = HTML_TEXT;
		return 3;
	case HTML_TAG:
		in_tag(p, c);
		return 1;
	case HTML_NAME:
		in_name(p, c);
		return 1;
	case HTML_BEFORE_VALUE:
		before_value(p, c);
		return 1;
	case HTML_VALUE:
		p->first = false;
		if (c == p->quote)
			p->state = HTML_TAG;
		return 1;
	default:
		if (c == '>')
			end_tag(p);
		else if (ascii_space(c))
			p->state = HTML_TAG;
		return 1;
	}
}

void
html_place_walk(struct html_place *p, struct slice text)
{
	while (text.len > 0)
		text = slice_after(text, step(p, text));
}

static bool
is_url(const struct html_place *p)
{
	static const char *const urls[] = { "href", "src", "action",
	    "formaction", "background", "cite", "poster", "xlink:href", NULL };

	for (size_t i = 0; urls[i] != NULL; i++)
		if (name_is(p->attribute, p->attribute_len, urls[i]))
			return true;
	return false;
}

/* Attributes in which text is a program, or more than one URL. */
static bool
is_program(const struct html_place *p)
{
	return slice_starts(slice_make(p->attribute, p->attribute_len),
	    SLICE("on")) || name_is(p->attribute, p->attribute_len, "style") ||
	    name_is(p->attribute, p->attribute_len, "srcdoc") ||
	    name_is(p->attribute, p->attribute_len, "srcset") ||
	    name_is(p->attribute, p->attribute_len, "content");
}

enum place
html_place_of(const struct html_place *p, const char **why_r)
{
	*why_r = "";
	switch (p->state) {
	case HTML_TEXT:
		return PLACE_TEXT;
	case HTML_VALUE:
		if (is_program(p)) {
			*why_r = "in such an attribute";
			return PLACE_NONE;
		}
		if (is_url(p))
			return p->first ? PLACE_URL : PLACE_URL_PART;
		return PLACE_ATTRIBUTE;
	case HTML_COMMENT:
		*why_r = "in a comment";
		return PLACE_NONE;
	case HTML_RAW:
		*why_r = "within style or script";
		return PLACE_NONE;
	case HTML_BEFORE_VALUE:
	case HTML_BARE:
		*why_r = "in an attribute without quotes";
		return PLACE_NONE;
	default:
		*why_r = "within a tag";
		return PLACE_NONE;
	}
}

bool
html_place_same(const struct html_place *a, const struct html_place *b)
{
	if (a->state != b->state)
		return false;
	if (a->state == HTML_VALUE)
		return a->quote == b->quote && a->first == b->first &&
		    slice_eq(slice_make(a->attribute, a->attribute_len),
		    slice_make(b->attribute, b->attribute_len));
	if (a->state == HTML_RAW)
		return slice_eq(slice_make(a->tag, a->tag_len),
		    slice_make(b->tag, b->tag_len));
	/* Inside a tag or a name the rest decides what it is. */
	return a->state == HTML_TEXT || a->state == HTML_COMMENT;
}
