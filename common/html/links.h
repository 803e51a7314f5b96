/*
 * links - where an HTML text leads, and what it fetches
 *
 *	html_links_open(&l, text);
 *	while (html_link_next(&l, &link))
 *
 * `raw` is the URL as it stands in the text, at `off`: references are not
 * decoded (html_link_url does that), blanks around it are left out, and it may
 * be empty or no URL at all. Replacing these bytes by others, escaped by
 * html_escape_value, replaces the link and nothing else.
 *
 * HTML_LINK_CLICK	a, area and svg's a; form action; meta refresh; and any
 *		other href (VML's)
 * HTML_LINK_LOAD	src, srcset, background, poster, object data, link
 *		href, CSS url() and @import in style attributes and elements
 * HTML_LINK_BASE	what relative URLs are relative to
 * HTML_LINK_NAME	cite, longdesc, profile: nobody goes there by himself
 *
 * Outlook's conditional comments are read too (`conditional`); other comments
 * are not. Of two attributes of one name the later ones are `repeated`: WHATWG
 * passes over them. Plain URLs in the text are for whoever reads text
 * (html/text.h).
 *
 * Nothing is allocated; linear in the length of the text.
 */
#ifndef HTML_LINKS_H
#define HTML_LINKS_H

#include "base/buf.h"
#include "html/chars.h"
#include "html/html.h"

enum html_link_kind { HTML_LINK_CLICK, HTML_LINK_LOAD, HTML_LINK_BASE,
    HTML_LINK_NAME };

struct html_link {
	enum html_link_kind kind;
	enum html_tag tag;		/* of the element */
	struct slice attr;		/* as written; none: a style element */
	struct slice raw;
	size_t off;
	bool refs;			/* references count in it */
	char quote;			/* around the attribute: '"', '\'', or
					   '\0': it has none */
	char css_quote;			/* the same for url('') in CSS */
	size_t token;			/* offset of its tag; of a style
					   element's content */
	bool conditional, repeated;
};

/* Private but for its size. */
struct html_links {
	struct html h, outer;
	size_t base;			/* of h.source in the whole text */
	bool conditional;
	struct html_token t;
	size_t at;			/* in its attributes; 0: no token */
	uint64_t seen;			/* attributes, by place in the table */
	struct html_attr attr;
	int how;			/* several URLs in one value */
	struct html_chars chars;
	struct html_link link;
};

void html_links_open(struct html_links *l, struct slice text);
bool html_link_next(struct html_links *l, struct html_link *link);

/* Its URL as UTF-8, at most max bytes: tabs and line ends within are left out,
 * as WHATWG does. */
void html_link_url(struct slice charset, const struct html_link *link,
    size_t max, struct buf *out);

/* ASCII or bytes of the part's charset, so that they can stand in an attribute
 * with these quotes (none: all that would end the value is a reference). */
void html_escape_value(struct buf *out, struct slice value, char quote);

#endif
