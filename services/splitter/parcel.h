/*
 * parcel - a letter becomes one parcel for each form class
 *
 * parcels_make	reads the mark (milter/split.h), takes it and what else is ours
 *		off the message, and sorts the recipients by their class.
 *		RC_RETRY: our trouble, *why_r says which; there is no other
 *		kind, for Postfix brings nothing here that we have not marked
 *
 * Each parcel has the mark of the second pass: identity, origin and findings of
 * the first, and nothing of its changes to the envelope, for Postfix has made
 * them. All lives in the letter's arena. Pure but for the clock.
 */
#ifndef SPLITTER_PARCEL_H
#define SPLITTER_PARCEL_H

#include "milter/forms.h"
#include "milter/seal.h"
#include "net/lmtp.h"

enum { PARCEL_HEAD = 4 << 20 };		/* bytes of a header block, at most */

struct parcel {
	uint64_t form;
	size_t *which;			/* of the letter's recipients */
	size_t n;
	struct slice mark;		/* the field, whole */
};

struct parcels {
	char identity[33];
	struct slice head, body;	/* without fields of ours */
	struct parcel *items;
	size_t count;
};

/* done[i]: recipient i has his copy already, and is in no parcel. */
enum rc parcels_make(struct lmtp_mail *letter, const struct seal_key *key,
    const struct forms *forms,
    bool (*done)(void *arg, const char *identity,
    const struct lmtp_recipient *r), void *arg, struct parcels *p_r,
    struct slice *why_r);

#endif
