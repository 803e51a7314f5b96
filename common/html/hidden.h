/*
 * hidden - which elements are open, and whether a reader sees what is in them
 *
 * For text.c. A stack of open elements, no tree: what a start tag's style says
 * is added to what its parent said. End tags close what WHATWG's tree builder
 * would close (implied ends of p, li, tr, td; scopes of tables; misnested b and
 * i), as far as text can tell.
 *
 * html_open_tags	after html_next: the token's effect
 * html_hides		HTML_HIDDEN_* of a text that stands here
 *
 * Deeper than HTML_DEPTH nothing new is noted: what stands there looks like
 * its ancestor at that depth. Constant time for each token but that its
 * attributes are read once.
 */
#ifndef HTML_HIDDEN_H
#define HTML_HIDDEN_H

#include "html/html.h"

enum { HTML_DEPTH = 256 };

#define HTML_HIDDEN_DISPLAY	0x001u	/* display: none */
#define HTML_HIDDEN_VISIBILITY	0x002u	/* visibility: hidden, collapse */
#define HTML_HIDDEN_SIZE	0x004u	/* font-size: 0, or up to 1 px */
#define HTML_HIDDEN_COLOUR	0x008u	/* as the background, or nearly */
#define HTML_HIDDEN_PLACE	0x010u	/* off screen */
#define HTML_HIDDEN_BOX		0x020u	/* no width or height */
#define HTML_HIDDEN_OPACITY	0x040u
#define HTML_HIDDEN_ATTRIBUTE	0x080u	/* hidden */
#define HTML_HIDDEN_COMMENT	0x100u	/* <!-- --> */
#define HTML_HIDDEN_ELEMENT	0x200u	/* title, template, noframes ... */

/* What one element says, and what holds with all around it. */
struct html_style {
	uint16_t hides, shows;		/* HTML_HIDDEN_*; shows: taken away */
	bool colour_known, back_known;
	bool colour_set, back_set;
	bool pre;
	uint32_t colour, back;		/* 0xRRGGBB */
};

struct html_element {
	enum html_tag tag;
	uint16_t same, scope, special;	/* those around it, place + 1 */
	bool ended;			/* misnested: of no effect any more */
	size_t off;			/* of its start tag */
	struct html_style own, all;
};

struct html_opened {
	struct html_element stack[HTML_DEPTH];
	unsigned n, over;		/* open ones; and those not noted */
	uint16_t top[HTML_TAGS];	/* innermost of each, place + 1 */
	uint16_t scope, special;
	struct html_style base;		/* of html and body */
	bool body;
};

void html_opened_init(struct html_opened *o);
void html_open_tags(struct html_opened *o, const struct html_token *t);
unsigned html_hides(const struct html_opened *o);
const struct html_style *html_style_here(const struct html_opened *o);
/* Offset of the innermost open one's start tag; SIZE_MAX: none is open. */
size_t html_opened_at(const struct html_opened *o, enum html_tag tag);
/* For it: what the attributes of a start tag say. */
void html_style_read(const struct html_token *t, struct html_style *own);

#endif
