/*
 * html - the tokens of an HTML text, with the bytes they stand in
 *
 *	html_open(&h, text);
 *	while (html_next(&h, &token))
 *		for (size_t at = 0; html_attr(&token, &at, &attr);)
 *			...
 *
 * The text is decoded from its transfer encoding, in any charset whose bytes
 * below 0x80 are ASCII where markup stands: html_readable() says for which
 * that holds. Any other (UTF-16, ISO-2022, UTF-7) is decoded to UTF-8 first,
 * by charset_utf8(), and offsets are those of that copy.
 *
 * The tokenizer is WHATWG's (HTML, 13.2.5): the same tags, attributes and
 * comments come out, whatever is wrong with them. Tokens follow each other
 * without a gap from the first byte to the last, so whoever copies the bytes
 * of all tokens has copied the text. It never allocates, never fails and is
 * linear in the length of the text; all slices are borrowed from it.
 *
 * HTML_TEXT	its `text` is as it stands there. `refs`: character references
 *		count (html/ref.h); not in script, style, CDATA and their like.
 *		The content of an element with HTML_TAG_RAW or HTML_TAG_REFS is
 *		one such token, with that element as `tag`; else tag is
 *		HTML_OTHER. A text never ends within a reference
 * HTML_START, HTML_END
 *		name, tag, and attributes by html_attr()
 * HTML_COMMENT	`text` is its inside; `bogus`: <!x>, <?x>, </ x>, and CDATA
 *		outside of svg and math
 * HTML_DOCTYPE	its name
 * HTML_JUNK	no reader shows it: </>, a tag that the end of the text cuts
 *
 * What a tree builder would tell the tokenizer is told by its own start tags:
 * script, style, title, textarea and so on have raw content, but not within
 * svg and math. NULs stay; the names of tags and attributes are as written.
 *
 * html_attr	the next attribute of a start or end tag; *at is 0 at first. Of
 *		two with one name the first counts in WHATWG's rules; both come
 *		here. Without a value: value is SLICE_NONE
 * html_attr_find	the first of that name
 * html_conditional	a comment that Outlook reads as HTML, <!--[if mso]> html
 *		<![endif]-->: what is inside can be opened anew, *off_r is its
 *		offset
 */
#ifndef HTML_HTML_H
#define HTML_HTML_H

#include "html/tag.h"

enum html_kind { HTML_TEXT, HTML_START, HTML_END, HTML_COMMENT, HTML_DOCTYPE,
    HTML_JUNK };

struct html {
	struct slice source;
	size_t at;
	enum html_tag raw;		/* whose content comes next */
	struct slice raw_name;		/* as its start tag wrote it */
	unsigned foreign;		/* open svg and math elements */
	unsigned inner;			/* HTML within them: foreignObject */
};

struct html_token {
	enum html_kind kind;
	struct slice source;		/* what was opened */
	size_t off, len;		/* all of the token in it */
	enum html_tag tag;
	struct slice name;
	struct slice text;
	bool refs;
	bool bogus;
	bool self_closing;		/* <br/> */
	bool foreign;			/* within svg or math */
};

struct html_attr {
	struct slice name;		/* as written */
	struct slice value;		/* without quotes, references as they
					   are; SLICE_NONE: there is none */
	size_t off, len;		/* all of it, quotes too */
	size_t value_off;		/* of value */
	char quote;			/* '"', '\'', or '\0' */
};

void html_open(struct html *h, struct slice text);
bool html_next(struct html *h, struct html_token *t);
bool html_attr(const struct html_token *t, size_t *at, struct html_attr *attr);
bool html_attr_find(const struct html_token *t, struct slice name,
    struct html_attr *attr);
bool html_conditional(const struct html_token *t, struct slice *inside_r,
    size_t *off_r);
bool html_readable(struct slice charset);

/* Space, tab, LF, FF, CR: what separates attributes. */
static inline bool
html_space(char c)
{
	return ascii_space(c) || c == '\f';
}

#endif
