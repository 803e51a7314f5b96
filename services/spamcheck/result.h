/*
 * result - what was judged, for a program and for people
 *
 * result_id	names this check of this message: the same when Postfix brings
 *		it again, so that what is told twice is known as one
 * result_json	{"id", "sender", "message_id", "subject", "checked", "result"};
 *		result is what `gatehouse spam check --json` prints
 * result_mail	the report as a mail to the sender, with the JSON beside the
 *		text. RC_BAD, *why_r: the template's result is too long
 *
 * Pure, but for the arena.
 */
#ifndef SPAMCHECK_RESULT_H
#define SPAMCHECK_RESULT_H

#include "net/lmtp.h"
#include "notice/write.h"
#include "services/spamcheck/judge.h"

struct result {
	const struct lmtp_mail *mail;
	const struct judged *judged;
	const struct notices *notices;
	struct slice id;
	int64_t now;			/* seconds since 1970 */
};

struct slice result_id(const struct lmtp_mail *mail, struct slice message,
    struct arena *a);
struct slice result_json(const struct result *r, struct arena *a);
enum rc result_mail(const struct result *r, struct slice json,
    struct arena *a, struct state_mail *mail_r, struct slice *why_r);

#endif
