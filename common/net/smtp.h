/*
 * smtp - gives one message to the mail system (a client of RFC 5321)
 *
 * For our own mail to our own Postfix: what is released, notices, reports. One
 * connection a message, no pipelining, no TLS, an address or a path and no
 * name. It says what the other side said, for each recipient, and believes
 * nothing but a reply: a message has been taken when the final dot was answered
 * 2xx.
 *
 * smtp_send	blocks until all is known, at most until mail->deadline. Fills
 *		outcomes[i] for recipient i. RC_OK: there was an answer for each
 *		(which may be a refusal); RC_RETRY: the server could not be
 *		reached, hung up, was too slow or spoke nonsense: *why_r, and
 *		the outcomes say how far it went; RC_BAD: the message cannot be
 *		sent as it is (an address with a control character or too long,
 *		or one that needs SMTPUTF8 and the server does not know it):
 *		nothing of it went out
 *
 *	SMTP_TAKEN	2xx after the final dot
 *	SMTP_NOT_NOW	4xx, or no answer before anything could be taken
 *	SMTP_REFUSED	5xx
 *	SMTP_UNSURE	the whole message went out and no answer came: it may
 *			have been taken (RFC 1047). Trying again may deliver it
 *			twice
 *
 * The message is head and then what next() gives, piece by piece, until an
 * empty one; next() may return RC_RETRY or RC_BAD, which ends the connection
 * before the dot, so that nothing is taken, and is passed on with *why_r. Lines
 * end in CRLF; a bare LF is sent as CRLF, so that nothing in a message looks
 * like the end of it to anybody; a dot that begins a line is doubled; a last
 * line without an end gets one.
 *
 * Replies are cut at SMTP_REPLY bytes, lines joined by a blank, what is no
 * printable ASCII replaced by '?'. They live in the arena.
 */
#ifndef NET_SMTP_H
#define NET_SMTP_H

#include "base/arena.h"
#include "base/clock.h"
#include "base/rc.h"

enum {
	SMTP_REPLY = 500,		/* bytes of a reply that are kept */
	SMTP_ADDRESS = 1000,		/* of an address */
	SMTP_STEP_MS = 60000,		/* for a reply; for the last one, all */
};

enum smtp_outcome_kind { SMTP_NOT_NOW = 0, SMTP_TAKEN, SMTP_REFUSED,
    SMTP_UNSURE };

struct smtp_outcome {
	enum smtp_outcome_kind kind;
	struct slice reply;		/* "250 2.0.0 Ok: queued as ..." */
};

struct smtp_mail {
	const char *server;		/* "127.0.0.1:10026", "[::1]:25", or
					   the path of a unix socket */
	const char *helo;
	struct slice sender;		/* without <>; empty: <> */
	const struct slice *recipients;
	size_t nrecipients;
	bool smtputf8;			/* needed */
	bool body8;			/* said where 8BITMIME is offered */
	bool no_dsn;			/* NOTIFY=NEVER, where DSN is offered */
	/* RET=FULL ENVID=x, and for each recipient NOTIFY=x ORCPT=y, as they
	 * stand in the command; said where DSN is offered. Empty, or NULL:
	 * none. They want to be checked by who got them. */
	struct slice dsn;
	const struct slice *recipient_dsn;
	/* NAME=x ADDR=y ..., said where XFORWARD is offered (Postfix: for the
	 * log). Empty: none. */
	struct slice xforward;
	struct slice head;		/* goes first */
	enum rc (*next)(void *arg, struct slice *piece_r,
	    struct slice *why_r);
	void *arg;
	deadline_t deadline;		/* of all of it */
};

enum rc smtp_send(const struct smtp_mail *mail,
    struct smtp_outcome *outcomes, struct arena *a, struct slice *why_r);

/* Is this a server that could be connected to? For checking options. */
bool smtp_server_valid(struct slice server);

#endif
