/*
 * letter - a message of ours, whole: header, text, HTML, an attached message
 *
 * letter_write	appends the message, lines ending in CRLF, ready for SMTP
 *		(dots are not stuffed). ASCII but for an attached message. The
 *		header says that a machine wrote it (Auto-Submitted, RFC 3834;
 *		Precedence and X-Auto-Response-Suppress for those who read
 *		these), so that nobody's robot answers; the reverse-path is for
 *		the caller, and is null
 *		What answers a message says that instead (auto-replied, and
 *		whom: RFC 3834, 3.1.5)
 * letter_field	a field with a text of people's: RFC 2047 where it must be,
 *		folded, controls and bidi marks gone as template_plain does
 * letter_id	the Message-ID for a key: the same key gives the same id, so
 *		what is sent twice by accident is seen to be one message
 *
 * text and html are UTF-8; html absent: a single part. The attached message
 * goes as message/rfc822 when its lines may (RFC 5322, 2.1.1; no NUL), else as
 * a file in base64. body8_r says whether SMTP must be told BODY=8BITMIME.
 * Data beside the text goes in base64 under its type and name.
 * A display name is written only for an address in From and Reply-To of ours.
 */
#ifndef NOTICE_LETTER_H
#define NOTICE_LETTER_H

#include "base/buf.h"

struct letter {
	const char *from;		/* address; it is checked by options */
	struct slice from_name;		/* UTF-8, or absent */
	struct slice to;		/* address */
	struct slice subject;
	struct slice text, html;	/* html absent: text only */
	struct slice attached;		/* a message; absent: none */
	struct slice data;		/* a file; absent: none */
	const char *data_type, *data_name; /* "application/json", "x.json" */
	struct slice message_id;	/* without <> */
	struct slice in_reply_to;	/* with <>; empty: it has none; absent:
					   this answers nobody */
	struct slice date;		/* RFC 5322, 3.3 */
	struct slice language;		/* "de" */
	const char *hostname;
};

void letter_write(struct buf *out, struct arena *a, const struct letter *l,
    bool *body8_r);
void letter_field(struct buf *out, struct arena *a, const char *name,
    struct slice value);
struct slice letter_id(struct arena *a, struct slice key,
    const char *hostname);

#endif
