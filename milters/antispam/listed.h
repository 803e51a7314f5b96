/*
 * listed - does a recipient's allow or block list name the sender? (R32)
 *
 * listed_look	what the lists of that recipient say about this message's
 *		senders: the address in From, the reverse-path, the client. An
 *		entry that allows counts by From alone, and for an address or a
 *		domain only where the message passes DMARC for it; who is
 *		blocked is blocked by any of the three. RC_RETRY, *why_r: the
 *		map cannot be read
 *
 * For ask(): it reads the job and the policy map.
 */
#ifndef ANTISPAM_LISTED_H
#define ANTISPAM_LISTED_H

#include "milter/filter.h"

struct spam_listed {
	enum listed what;
	struct slice entry;		/* file:line and comment */
};

enum rc listed_look(const struct job *job, const struct policy_who *who,
    struct spam_listed *listed_r, struct slice *why_r);

#endif
