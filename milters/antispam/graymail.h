/*
 * graymail - mail that goes to many, or comes from a machine, and is no spam
 *
 * graymail_read	what kind of bulk mail it is, by what it says of itself
 *			(list fields, fields of bulk mailers, the reverse-path)
 *			and by its text (a way to unsubscribe, a copy to be read
 *			in a browser), in several languages. `weight` is the
 *			evidence in log-odds, with the words for it; 0: none
 *
 * GRAYMAIL_TRANSACTION (an order, a receipt, a parcel) is what one person is
 * waiting for: it is no graymail, whoever mails it.
 *
 * `code` says that somebody waits for this mail with a form open before him:
 * a one-time code, a link that sets a password or proves an address, a word
 * about a login. It is a claim of the message, as all of this is: who steals
 * passwords writes just that. So it takes mail out of what is done with
 * graymail, and proves nothing. Mail with an attached file is none, and long
 * mail is none.
 *
 * graymail_open	the words, once; any thread may read with them
 *
 * Pure but for message_parts(); linear, and of each text no more than
 * GRAYMAIL_TEXT bytes.
 */
#ifndef ANTISPAM_GRAYMAIL_H
#define ANTISPAM_GRAYMAIL_H

#include "content/content.h"

enum {
	GRAYMAIL_TEXT = 1 << 20,
	GRAYMAIL_CODE_TEXT = 6000,	/* bytes of text; more is no code */
};

enum graymail_kind { GRAYMAIL_NONE = 0, GRAYMAIL_LIST, GRAYMAIL_NEWSLETTER,
    GRAYMAIL_NOTICE, GRAYMAIL_TRANSACTION, GRAYMAIL_KINDS };

struct graymail {
	enum graymail_kind kind;
	double weight;
	struct slice words;		/* "newsletter: List-Unsubscribe" */
	bool fields;			/* it has list fields of some kind */
	bool code;
};

struct graymail_words;

struct graymail_words *graymail_open(void);
void graymail_close(struct graymail_words *words);

/* sender: the reverse-path without <>; SLICE_NONE: not known. */
void graymail_read(const struct graymail_words *words, struct message *msg,
    const struct content *content, struct slice sender,
    struct graymail *seen_r);
const char *graymail_name(enum graymail_kind kind);

#endif
