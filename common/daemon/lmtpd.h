/*
 * lmtpd - a service that Postfix delivers to by LMTP (net/lmtp.h)
 *
 * Connections live in the loop. What comes is given to the service as one mail
 * (lmtpd_deliver's); its answers go out in the order of the recipients, each as
 * soon as it is known, while the connection waits.
 *
 * lmtpd_open	listens at `path`, with what the service has filled in
 * lmtpd_told	there is more to say of `due`, or it is not being worked on any
 *		more. Nothing may be done with it after that
 * lmtpd_close	no new connections; those that wait for an answer stay
 * lmtpd_end	closes those too, after the service's threads have ended
 *
 * Who connects must be a user of `peers` (SO_PEERCRED). Bounded: connections
 * by `most` (one more hears 421), one that is silent by `idle`. The loop's
 * thread alone calls and is called.
 */
#ifndef DAEMON_LMTPD_H
#define DAEMON_LMTPD_H

#include <sys/types.h>

#include "base/clock.h"
#include "base/rc.h"
#include "daemon/loop.h"
#include "net/lmtp.h"

struct lmtpd_connection;

/* What is due for one mail. The service has it as the first of its own. */
struct lmtpd_due {
	struct lmtp_mail *mail;
	struct slice *replies;		/* of each recipient; absent: not yet */
	size_t given;			/* of them */
	bool working;			/* the service still adds to it */
	struct lmtpd_connection *connection; /* NULL: it is gone */
};

struct lmtpd {
	/* The service's; the last two may change at any time. */
	struct loop *loop;
	struct spool_budget *budget;
	const char *path, *hostname;
	uid_t *peers;
	size_t npeers;
	void *arg;
	/* Takes the mail and says what is due for it; lmtpd sets `connection`.
	 * Calls lmtpd_told later, and never before it comes back. */
	struct lmtpd_due *(*deliver)(void *arg, struct lmtp_mail *mail);
	/* All was given, or nobody waits for it. */
	void (*release)(void *arg, struct lmtpd_due *due);
	unsigned most;
	int64_t idle;			/* ms */

	/* The room's own. */
	int listener;
	struct lmtpd_connection *connections;
	unsigned nconnections;
	deadline_t warned;		/* once a minute: of too many */
};

enum rc lmtpd_open(struct lmtpd *s, struct arena *a, struct slice *why_r);
void lmtpd_told(struct lmtpd *s, struct lmtpd_due *due);
void lmtpd_close(struct lmtpd *s);
void lmtpd_end(struct lmtpd *s);

#endif
