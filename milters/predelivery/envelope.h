/*
 * envelope - another MAIL FROM for what goes out, and whose it was
 *
 * Bounces of outbound mail come to one mailbox (bounce_address). With
 * bounce_keyed the address says whose mail it was:
 *
 *	bounces+K=MAC=DAY=DOMAIN=LOCAL@example.org
 *
 * DAY is that of the sending, of 1024, in two characters; MAC ten characters
 * (50 bits) of an HMAC-SHA256 of all else under the gateways' key, so nobody
 * outside can have us send mail to whom he likes. Letter case does not matter
 * in either: relays change it. LOCAL keeps its own.
 *
 * envelope_rewrite	the new MAIL FROM; SLICE_NONE where it stays: a bounce,
 *			or one that has been rewritten. What does not fit into
 *			a local part of 64 octets, or needs quotes, gets the
 *			address without a key
 * envelope_original	whose mail it was, from the address that a bounce came
 *			to. Only for ENVELOPE_GOOD may mail be sent there
 * envelope_check	is this an address that can be told from its extension?
 *			RC_BAD with *why_r
 *
 * Pure.
 */
#ifndef PREDELIVERY_ENVELOPE_H
#define PREDELIVERY_ENVELOPE_H

#include "base/arena.h"
#include "base/rc.h"

enum { ENVELOPE_DAYS = 30 };		/* that a key is good */

struct seal_key;

enum envelope_state {
	ENVELOPE_PLAIN,			/* no key in it */
	ENVELOPE_FORGED,		/* not ours, or changed on the way */
	ENVELOPE_OLD,
	ENVELOPE_GOOD,
};

struct envelope_how {
	struct slice address;		/* bounce_address */
	bool keyed;
	const struct seal_key *key;	/* NULL: none, no keyed address */
};

struct slice envelope_rewrite(struct arena *a, const struct envelope_how *how,
    struct slice sender, int64_t now);
enum envelope_state envelope_original(struct arena *a,
    const struct seal_key *key, struct slice address, int64_t now,
    struct slice *sender_r);
enum rc envelope_check(const char *address, bool keyed, struct arena *a,
    struct slice *why_r);

#endif
