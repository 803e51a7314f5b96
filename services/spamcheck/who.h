/*
 * who - whose messages are checked, and which of them
 *
 * who_refuses	NULL: this one is checked. Else the answer: it is not from one
 *		of us, or nobody may be answered for it (RFC 3834)
 * who_draft	the message without what it got on its way to us: all down to
 *		the Received field that our Postfix wrote
 *
 * One of us has an address in a domain of ours, and came from a network of
 * ours, or with a login, or from this machine. The network is what XFORWARD
 * says. Of a login LMTP tells nothing, but Postfix writes it into the Received
 * field (RFC 3848: ESMTPSA). A field is Postfix's when it bears the queue id
 * under which the message has come: nobody outside knows that beforehand.
 *
 * A newsletter has List-Unsubscribe, and perhaps "Precedence: bulk" and a
 * List-Id, before it goes to the first reader, so these do not tell a draft
 * from what a list sends; what only a list server writes does.
 *
 * Pure, but for the arena.
 */
#ifndef SPAMCHECK_WHO_H
#define SPAMCHECK_WHO_H

#include "net/lmtp.h"
#include "notice/options.h"

enum { WHO_HEADER = 256 << 10 };	/* bytes of the header that are read */

const char *who_refuses(const struct lmtp_mail *mail, struct slice message,
    const struct notices *n, struct arena *a);
struct slice who_draft(const struct lmtp_mail *mail, struct slice message,
    struct arena *a);

#endif
