/*
 * dlp_texts - all that a message says, for those who look for what must not go
 * out
 *
 * dlp_texts_read	the texts of its parts (content), and of each attachment
 *		and each member of one: office files (content/office.h), HTML,
 *		plain text in any file whose bytes are text. What can hold text
 *		and could not be read is in `unread`, and says why: that is no
 *		finding, and it is not "clean" either. Pictures, sound, programs
 *		are no text and are not told
 *
 * Texts are as plain_text() gives them. At most `max` bytes of them; `cut` says
 * that there were more. Lives in the message's arena; the same thread.
 */
#ifndef ATTACHMENT_DLP_TEXTS_H
#define ATTACHMENT_DLP_TEXTS_H

#include "items.h"

enum { DLP_TEXT_BYTES = 64 << 20, DLP_TEXTS = 20000 };

struct dlp_text {
	struct dlp_text *next;
	struct slice where;		/* "subject", "a.docx/word/x.xml" */
	struct slice text;
	bool label;			/* labels may stand there */
};

struct dlp_unread {
	struct dlp_unread *next;
	struct slice path;
	const char *why;		/* static: "encrypted", "pdf" */
};

struct dlp_texts {
	struct dlp_text *first, **last;
	struct dlp_unread *unread, **last_unread;
	unsigned count, nunread;
	size_t bytes;
};

void dlp_texts_read(struct message *msg, const struct items *items,
    struct dlp_texts *texts_r);

#endif
