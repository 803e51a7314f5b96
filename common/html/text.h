/*
 * text - what a reader sees of an HTML text, and what he does not
 *
 *	html_reader_open(&r, text);
 *	while (html_piece_next(&r, &piece))
 *
 * HTML_PIECE_TEXT	a run of text as it stands in the source: references
 *		not decoded (piece.refs says whether they count), blanks as
 *		they are. `hidden` is 0, or HTML_HIDDEN_* for each reason why
 *		nobody sees it (html/hidden.h): style attributes, the old
 *		attributes for colours, comments, elements that are not shown.
 *		Style sheets are not applied, so what only a class hides counts
 *		as visible. `link` is the offset of the a element around it,
 *		which is html_link.token of its links
 * HTML_PIECE_BREAK	a new line begins: br, or a block's start or end
 * HTML_PIECE_CELL	a table cell begins
 * HTML_PIECE_ALT	the alt text of an image, raw
 *
 * Script and style give no piece. Nothing is allocated, and it is linear; the
 * reader takes about 20 kB.
 *
 * html_text_read	both texts as UTF-8, as DLP and filters want it:
 *		references decoded, runs of blanks (no-break ones too) one
 *		space, breaks one LF, cells one tab, characters without width
 *		left out and counted. At most max bytes each. *out lives in the
 *		arena. Text that mail's charset makes unreadable is no error
 * html_text_place	where in the source bytes [at, at + len) of the text
 *		come from: the range that holds all of them
 *
 * A charset that cannot be read in place (html_readable), and those with more
 * than one byte a character but UTF-8, are turned to UTF-8 first: then
 * out->source is that copy, which offsets are for, and out->copied is set.
 */
#ifndef HTML_TEXT_H
#define HTML_TEXT_H

#include "base/arena.h"
#include "html/hidden.h"

enum html_piece_kind { HTML_PIECE_TEXT, HTML_PIECE_BREAK, HTML_PIECE_CELL,
    HTML_PIECE_ALT };

struct html_piece {
	enum html_piece_kind kind;
	struct slice raw;		/* TEXT, ALT */
	size_t off;			/* of it; else of the tag */
	bool refs;
	bool pre;			/* line ends and blanks count */
	unsigned hidden;		/* HTML_HIDDEN_* */
	size_t link;			/* SIZE_MAX: not within a link */
};

struct html_reader {
	struct html h;
	struct html_opened open;
	struct html_token t;
};

void html_reader_open(struct html_reader *r, struct slice text);
bool html_piece_next(struct html_reader *r, struct html_piece *piece);

struct html_run;

struct html_text {
	struct slice text;		/* UTF-8, normalised */
	const struct html_run *runs;
	size_t nruns;
	bool cut;			/* at max */
};

struct html_texts {
	struct slice source;
	bool copied;
	struct html_text visible, hidden;
	unsigned hides;			/* HTML_HIDDEN_* of all hidden text */
	size_t unseen;			/* characters without width */
};

void html_text_read(struct arena *a, struct slice charset, struct slice text,
    size_t max, struct html_texts *out);
void html_text_place(const struct html_text *t, size_t at, size_t len,
    size_t *off_r, size_t *len_r);
/* Plain word for a HTML_HIDDEN_* bit ("display"); NULL at the end. */
const char *html_hidden_name(unsigned bit);

#endif
