/*
 * lmtp - the server's side of RFC 2033, as bytes come
 *
 * No sockets here: what came is fed in, what is to be said is taken from `out`.
 * Known are PIPELINING, 8BITMIME, SMTPUTF8 (RFC 6531), DSN (RFC 3461),
 * ENHANCEDSTATUSCODES, SIZE and Postfix's XFORWARD. SIZE names no limit: a
 * client would bounce what is larger, and here it only has to wait.
 *
 * lmtp_init	a connection; the greeting stands in `out`
 * lmtp_feed	as many bytes of `in` as can be used; how many. What is left is
 *		fed again with more behind it (room for LMTP_LINE). After
 *		LMTP_WHOLE and LMTP_GONE nothing is taken
 * lmtp_take	after LMTP_WHOLE: the letter, the caller's from now on. One
 *		answer for each recipient is due, in their order
 * lmtp_answer	one: "250 2.0.0 text"
 * lmtp_next	all were given: commands are read again
 * lmtp_mail_free	NULL is allowed
 *
 * Bounded: a line by LMTP_LINE, recipients by LMTP_RECIPIENTS, what is wrong
 * by LMTP_ERRORS and commands of a transaction by LMTP_COMMANDS_MAX (then it
 * hangs up), the message by the spool's budget. Only CRLF.CRLF ends a message.
 * An address is taken as it stands between < and >; control characters are
 * refused.
 */
#ifndef NET_LMTP_H
#define NET_LMTP_H

#include "net/spool.h"

enum {
	LMTP_LINE = 4096,
	LMTP_RECIPIENTS = 1000,
	LMTP_ERRORS = 20,
	LMTP_COMMANDS_MAX = 3000,	/* of a transaction */
	LMTP_ADDRESS = 1000,		/* SMTP_ADDRESS, of who sends it on */
};

enum lmtp_state { LMTP_COMMANDS, LMTP_DATA, LMTP_WHOLE, LMTP_GONE };

struct lmtp_recipient {
	struct slice address;		/* without <> */
	struct slice dsn;		/* "NOTIFY=x ORCPT=y", or empty */
};

/* One transaction. */
struct lmtp_mail {
	struct arena *arena;
	struct slice sender, dsn;	/* "RET=x ENVID=y", or empty */
	bool body8, smtputf8;
	struct slice xforward;		/* "NAME=x ADDR=y ...", or empty */
	struct slice queue_id;		/* of XFORWARD IDENT, or empty */
	struct lmtp_recipient *recipients;
	size_t nrecipients, room;
	struct spool spool;
};

struct lmtp {
	const char *hostname;
	struct spool_budget *budget;
	enum lmtp_state state;
	bool greeted, mail;		/* LHLO, MAIL were there */
	bool skipping;			/* the rest of a line too long */
	bool line, cr;			/* of the message: a line begins; the
					   last byte was CR */
	unsigned errors, commands;
	struct lmtp_mail *letter;
	struct buf out;
};

void lmtp_init(struct lmtp *l, const char *hostname,
    struct spool_budget *budget);
size_t lmtp_feed(struct lmtp *l, struct slice in);
struct lmtp_mail *lmtp_take(struct lmtp *l);
void lmtp_answer(struct lmtp *l, struct slice reply);
void lmtp_next(struct lmtp *l);
void lmtp_free(struct lmtp *l);
void lmtp_mail_free(struct lmtp_mail *letter);

#endif
