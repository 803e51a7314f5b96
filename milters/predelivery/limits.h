/*
 * limits - how many recipients, how many of them for all to see, how large
 *
 * A message over a limit goes to nobody: who names 601 recipients and is told
 * no for one of them has written to 600 without knowing it, and where the limit
 * is there so that a list of addresses does not get out, 600 of them have it
 * by then. So the answer is given at the end, for all. At RCPT it is worse
 * still: a 4xx there has clients send the rest in the next transaction, and a
 * 5xx for a hundred recipients has Postfix hang up (smtpd_hard_error_limit), so
 * that a relay tries again for days. Only SIZE= is answered before the message,
 * at MAIL FROM: nobody has been named yet.
 *
 * limits_judge		the strongest of what the limits call for: refuse, then
 *			drop, then tempfail. False: it is within all of them
 * limits_visible	addresses in To and Cc
 * limits_declared	the reply to SIZE=; code NULL: go on. What is to be
 *			dropped is not answered here
 *
 * Pure.
 */
#ifndef PREDELIVERY_LIMITS_H
#define PREDELIVERY_LIMITS_H

#include "milter/filter.h"
#include "outbound.h"

struct limits_seen {
	size_t recipients;		/* of this transaction */
	uint64_t before;		/* of earlier ones of the message */
	uint64_t all;			/* each once, with those of this one */
	size_t visible;
	uint64_t size;
};

struct limits_verdict {
	enum limit_action action;
	const char *rule;
	struct slice reason, reply;	/* reply without its first digit: it
					   is said with 5 and with 4 */
};

bool limits_judge(const struct outbound_conf *conf,
    const struct limits_seen *seen, struct arena *a,
    struct limits_verdict *verdict_r);
size_t limits_visible(const struct message *msg, struct arena *a);
void limits_declared(const struct outbound_conf *conf, uint64_t size,
    struct arena *a, struct early_reply *answer_r);

#endif
