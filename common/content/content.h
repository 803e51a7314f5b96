/*
 * content - what a message says, decoded once for all who look at it
 *
 * content_read	the texts of a message in the order in which a reader meets
 *		them: subject, then each text part (strict and lax readings) and
 *		each part's file name. Transfer encoding, charset, references
 *		and blanks are undone; `text` is UTF-8 as plain_text() gives it
 *		(detect/plain.h). Of HTML what is seen and what is hidden are
 *		two texts. Reading ends at the limits, and says so
 *
 * CONTENT_SUBJECT, CONTENT_PLAIN, CONTENT_HTML, CONTENT_HIDDEN, CONTENT_NAME
 *
 * `markup` of CONTENT_HTML is the decoded part, for who wants tags and links
 * (html/links.h); `charset` is its. content_hrefs gives the first CONTENT_HREFS
 * of its links, which are read when first asked for. Lives in the message's
 * arena. For one thread: message_parts() is called.
 */
#ifndef CONTENT_CONTENT_H
#define CONTENT_CONTENT_H

#include "html/links.h"
#include "mime/message.h"

enum { CONTENT_HREFS = 80 };

struct content_found;

enum content_kind { CONTENT_SUBJECT, CONTENT_PLAIN, CONTENT_HTML,
    CONTENT_HIDDEN, CONTENT_NAME };

struct content_limits {
	size_t part_bytes;		/* of one part, decoded (8 MB) */
	size_t bytes;			/* of all texts together (32 MB) */
	unsigned texts;			/* (2000) */
};

extern const struct content_limits content_limits_default;

struct content_text {
	struct content_text *next;
	enum content_kind kind;
	const struct part *part;	/* NULL: of the header block */
	struct slice text;
	struct slice markup, charset;	/* of HTML; else SLICE_NONE */
	unsigned hides;			/* of HTML: HTML_HIDDEN_* bits */
	struct content_found *found;	/* of HTML: what content_hrefs keeps */
};

struct content {
	struct content_text *first;
	unsigned count;
	size_t bytes;			/* of all texts */
	bool cut;			/* a limit was met */
};

void content_read(struct message *msg, const struct content_limits *limits,
    struct content *content_r);
/* Of a text that is CONTENT_HTML. */
const struct html_link *content_hrefs(struct arena *a,
    const struct content_text *html, unsigned *n_r);

#endif
