/*
 * postfix - a line of Postfix's log, read
 *
 * postfix_read	splits one line (without its end) of a syslog file, of
 *		maillog_file, or of RFC 5424; the time stands in ms_r's place
 *		of the struct. POSTFIX_ALIEN: no line of a Postfix that goes by
 *		a name of `names`; POSTFIX_OTHER: one that says nothing of a
 *		message
 * postfix_text	the same for what journald gives: tag and text apart
 *
 * A Postfix is known by its syslog_name: "postfix/smtpd[1]" is of "postfix",
 * "postfix-in/submission/smtpd[1]" of "postfix-in". A name of `names` that
 * ends with "*" stands for all that begin so.
 *
 * Pure: it looks at one line, all slices borrow from it, and nothing is
 * allocated. Any bytes are allowed. A value that mail brought (addresses,
 * HELO, replies) ends where Postfix ends it; words of Postfix within a quoted
 * address are part of the address.
 *
 * Forms are those of Postfix 3.5 to 3.11: smtpd/, cleanup/, *qmgr/, smtp/,
 * local/, pipe/, bounce/, postscreen/, pickup/, postsuper/ and global/
 * log_adhoc.c of its source.
 */
#ifndef TRACK_POSTFIX_H
#define TRACK_POSTFIX_H

#include "track/stamp.h"

enum postfix_kind {
	POSTFIX_ALIEN = 0,		/* not of our Postfix */
	POSTFIX_OTHER,			/* of no use here */
	POSTFIX_CONNECT,		/* client, ip */
	POSTFIX_DISCONNECT,
	POSTFIX_TLS_IN,			/* text: level, version and cipher */
	POSTFIX_TLS_OUT,		/* the same; relay */
	POSTFIX_CLIENT,			/* a queue file: client, ip, user,
					   orig_id */
	POSTFIX_PICKUP,			/* uid, from, orig_id */
	POSTFIX_MESSAGE_ID,		/* text */
	POSTFIX_SUBJECT,		/* text, as header_checks told it */
	POSTFIX_REJECT,			/* action, stage, client, ip, text,
					   from, to, helo; of NOQUEUE too */
	POSTFIX_HOLD,			/* by a milter or a check; as above */
	POSTFIX_DISCARD,
	POSTFIX_QUEUED,			/* qmgr: from, size, nrcpt */
	POSTFIX_EXPIRED,		/* qmgr: from, text */
	POSTFIX_REMOVED,
	POSTFIX_STATUS,			/* a delivery: to, orig_to, relay, dsn,
					   status, delay_ms, text, next_id */
	POSTFIX_NOTICE,			/* bounce: text says which, next_id */
	POSTFIX_PUT_ON_HOLD,		/* postsuper */
	POSTFIX_RELEASED,
	POSTFIX_DELETED,
	POSTFIX_REQUEUED,
};

struct postfix_line {
	enum postfix_kind kind;
	int64_t time;			/* ms */
	struct slice instance;		/* syslog_name */
	struct slice service;		/* "submission", "smtpd" ... */
	struct slice program;		/* "smtpd" */
	struct slice pid;
	struct slice id;		/* queue id; empty: none, or NOQUEUE */
	struct slice action;		/* "milter-reject", "reject" ... */
	struct slice stage;		/* "RCPT", "END-OF-MESSAGE", "header" */
	struct slice client, ip, helo, user;
	struct slice from, to, orig_to;
	bool has_from, has_to;		/* may be empty: <> */
	struct slice relay, dsn, status, next_id, orig_id;
	struct slice text;		/* reply, reason */
	uint64_t size, nrcpt;
	int64_t delay_ms;		/* -1: not told */
};

struct postfix_names {
	const struct slice *items;
	size_t count;
};

enum postfix_kind postfix_read(struct stamp *st,
    const struct postfix_names *names, struct slice line,
    struct postfix_line *l);
enum postfix_kind postfix_text(const struct postfix_names *names,
    struct slice tag, struct slice pid, struct slice text,
    struct postfix_line *l);

/* The id that a reply of the next hop gives: "queued as ID" and what other
 * systems say instead; empty when there is none. */
struct slice postfix_next_id(struct slice reply);
/* Letters and digits, 6 to 30: both forms of a queue id. */
bool postfix_is_id(struct slice s);

#endif
