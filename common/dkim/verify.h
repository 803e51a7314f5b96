/*
 * verify - a hash, a signature and the key that fits
 *
 * verify_hash	looks for a key among the records of the answer that verifies
 *		sig->b over this hash, and sets result, rule, reason, key_bits
 *		and testing. DKIM_PASS says no more than that; what the body
 *		is like is for the caller
 * verify_fits	whether this key may be used for this signature, by its record
 *		and by policy (RFC 8301); sets key_bits and testing, and what
 *		is wrong
 * verify_duplicates
 *		a signature that is good becomes DKIM_POLICY where a second
 *		From, Subject and the like stands unsigned above the first
 *
 * The two last ones are what another engine than ours says in the same words.
 */
#ifndef DKIM_VERIFY_H
#define DKIM_VERIFY_H

#include "dkim/bodies.h"
#include "dkim/canon.h"
#include "dkim/dkim.h"
#include "dkim/key.h"

void verify_hash(struct dkim_signature *sig,
    const unsigned char hash[DKIM_HASH], const struct dns_answer *answer,
    struct dkim_keys *keys, const struct dkim_limits *limits);
bool verify_fits(struct dkim_signature *sig, const struct dkim_key *key,
    const struct dkim_limits *limits);
void verify_duplicates(struct dkim_signature *sig,
    const struct dkim_bodies *bodies);

#endif
