#include "html/hidden.h"

#include <string.h>

#include "html/css.h"

enum { STYLE_MAX = 4096, FAR = -400000 };	/* bytes; 1/1000 px */

/* What several declarations say together. */
struct box {
	bool clipped, none, absolute, away;
};

static void
hide(struct html_style *own, unsigned why, bool hidden)
{
	own->hides = (uint16_t)(hidden ? own->hides | why : own->hides & ~why);
	own->shows = (uint16_t)(hidden ? own->shows : own->shows | why);
}

static void
colour(struct html_style *own, struct slice value)
{
	uint32_t rgb = 0;

	own->colour_known = css_colour(value, &rgb);
	if (own->colour_known && rgb == CSS_CLEAR) {
		hide(own, HTML_HIDDEN_COLOUR, true);
		own->colour_known = false;
	} else {
		hide(own, HTML_HIDDEN_COLOUR, false);
	}
	own->colour = rgb;
	own->colour_set = true;
}

/* A colour among the words; an image leaves it open. */
static void
background(struct html_style *own, struct slice value)
{
	struct slice token, rest = value;
	uint32_t rgb;

	while (css_token(&rest, &token)) {
		if (slice_has(token, '(') &&
		    !slice_starts_nocase(token, SLICE("rgb"))) {
			own->back_set = true;
			own->back_known = false;
			return;
		}
		if (css_colour(token, &rgb) && rgb != CSS_CLEAR) {
			own->back_set = own->back_known = true;
			own->back = rgb;
		}
	}
}

static void
size(struct html_style *own, struct slice value)
{
	enum { PIXEL = 1000 };
	int64_t length;
	bool relative;

	if (!css_length(value, &length, &relative))
		hide(own, HTML_HIDDEN_SIZE, false);
	else if (length <= 0)
		hide(own, HTML_HIDDEN_SIZE, true);
	else if (!relative)
		hide(own, HTML_HIDDEN_SIZE, length <= PIXEL);
}

static bool
zero(struct slice value)
{
	int64_t length;
	bool relative;

	return css_length(value, &length, &relative) && length <= 0;
}

static bool
far_away(struct slice value)
{
	int64_t length;
	bool relative;

	if (!css_length(value, &length, &relative))
		return false;
	/* 100% and more to the left, or 100em: out of sight as well. */
	return length <= (relative ? FAR / 4 : FAR);
}

static bool
is(struct slice value, const char *word)
{
	return slice_eq_nocase(value, slice_of(word));
}

static void
declared(struct html_style *own, struct box *box, const struct css_decl *d)
{
	struct slice n = d->name, v = d->value;
	int64_t length;
	bool relative;

	if (is(n, "display")) {
		hide(own, HTML_HIDDEN_DISPLAY, is(v, "none"));
		/* What is none stays so within, whatever is said there. */
		own->shows &= (uint16_t)~HTML_HIDDEN_DISPLAY;
	} else if (is(n, "visibility")) {
		hide(own, HTML_HIDDEN_VISIBILITY, is(v, "hidden") ||
		    is(v, "collapse"));
	} else if (is(n, "font-size")) {
		size(own, v);
	} else if (is(n, "color")) {
		colour(own, v);
	} else if (is(n, "background") || is(n, "background-color") ||
	    is(n, "background-image")) {
		background(own, v);
	} else if (is(n, "opacity")) {
		if (css_length(v, &length, &relative) && length <= 50)
			own->hides |= HTML_HIDDEN_OPACITY;
	} else if (is(n, "overflow") || is(n, "overflow-x") ||
	    is(n, "overflow-y")) {
		box->clipped = is(v, "hidden") || is(v, "clip");
	} else if (is(n, "height") || is(n, "width") || is(n, "max-height") ||
	    is(n, "max-width")) {
		box->none = box->none || zero(v);
	} else if (is(n, "position")) {
		box->absolute = is(v, "absolute") || is(v, "fixed");
	} else if (is(n, "left") || is(n, "top") || is(n, "right") ||
	    is(n, "bottom")) {
		box->away = box->away || far_away(v);
	} else if (is(n, "text-indent") || is(n, "margin-left") ||
	    is(n, "margin-top")) {
		if (far_away(v))
			own->hides |= HTML_HIDDEN_PLACE;
	} else if (is(n, "white-space")) {
		own->pre = slice_starts_nocase(v, SLICE("pre"));
	}
}

/* A style attribute's value with its references decoded, cut at STYLE_MAX. */
static struct slice
decoded(struct slice raw, char *place)
{
	struct html_chars c;
	struct html_char ch;
	size_t n = 0;

	if (!slice_has(raw, '&'))
		return slice_sub(raw, 0, STYLE_MAX);
	html_chars_open(&c, raw, true);
	while (n < STYLE_MAX && html_char(&c, &ch))
		place[n++] = (char)(ch.c < 0x80 ? ch.c : 'x');
	return slice_make(place, n);
}

static void
style(struct html_style *own, struct slice raw)
{
	char place[STYLE_MAX];
	struct slice rest = decoded(raw, place);
	struct css_decl d;
	struct box box = { 0 };

	while (css_next(&rest, &d))
		declared(own, &box, &d);
	if (box.clipped && box.none)
		own->hides |= HTML_HIDDEN_BOX;
	if (box.absolute && box.away)
		own->hides |= HTML_HIDDEN_PLACE;
}

enum { STYLE, HIDDEN, BGCOLOR, BACKGROUND, COLOUR, TEXT, ATTRIBUTES };

static const char *const attributes[] = { "style", "hidden", "bgcolor",
    "background", "color", "text" };

static void
attribute(struct html_style *own, unsigned which, struct slice value,
    enum html_tag tag)
{
	if (which == STYLE) {
		style(own, value);
	} else if (which == HIDDEN) {
		own->hides |= HTML_HIDDEN_ATTRIBUTE;
	} else if (which == BGCOLOR) {
		background(own, value);
	} else if (which == BACKGROUND) {
		own->back_set = true;
		own->back_known = false;
	} else if ((which == COLOUR && tag == HTML_FONT) ||
	    (which == TEXT && tag == HTML_BODY)) {
		colour(own, value);
	}
}

void
html_style_read(const struct html_token *t, struct html_style *own)
{
	struct html_attr attr;
	unsigned seen = 0;

	if (t->tag == HTML_A) {		/* blue, or what the reader likes */
		own->colour_set = true;
		own->colour_known = false;
		own->shows |= HTML_HIDDEN_COLOUR;
	}
	if (t->tag == HTML_TEMPLATE || t->tag == HTML_TITLE ||
	    t->tag == HTML_NOFRAMES || t->tag == HTML_NOEMBED ||
	    t->tag == HTML_IFRAME)
		own->hides |= HTML_HIDDEN_ELEMENT;
	own->pre = t->tag == HTML_PRE || t->tag == HTML_LISTING ||
	    t->tag == HTML_XMP || t->tag == HTML_PLAINTEXT ||
	    t->tag == HTML_TEXTAREA;
	/* Of two with one name the first counts. */
	for (size_t at = 0; html_attr(t, &at, &attr);)
		for (unsigned i = 0; i < ATTRIBUTES; i++)
			if (is(attr.name, attributes[i]) &&
			    (seen & 1u << i) == 0) {
				seen |= 1u << i;
				attribute(own, i, attr.value, t->tag);
			}
}
