/*
 * intake - a mail to the release or the request address
 *
 * intake_read	what it asks for. Nothing in it is believed but a token, which
 *		is its own proof, and its envelope sender, as far as to say
 *		whose digest is wanted: that goes to the sender's own mailbox
 *		and to nobody else. Mail of machines asks for nothing: null
 *		sender, mailer-daemons, Auto-Submitted, lists, and all that is
 *		ours
 *
 * sender and recipient are those of the envelope, as Postfix gives them to a
 * pipe (without <>). recipient may be absent: then the subject decides.
 */
#ifndef NOTICE_INTAKE_H
#define NOTICE_INTAKE_H

#include "notice/options.h"

enum { INTAKE_HEADER = 256 << 10 };	/* bytes that are read of a mail */

enum intake_kind { INTAKE_NOTHING = 0, INTAKE_RELEASE, INTAKE_DIGEST };

struct intake {
	enum intake_kind kind;
	struct slice token;		/* INTAKE_RELEASE */
	const char *why;		/* INTAKE_NOTHING: a word for the log */
};

struct intake intake_read(const struct notices_conf *conf, struct arena *a,
    struct slice sender, struct slice recipient, struct slice message);

#endif
