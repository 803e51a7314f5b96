/*
 * verify - a hash, a signature and the key that fits
 *
 * verify_hash	looks for a key among the records of the answer that verifies
 *		sig->b over this hash, and sets result, rule, reason, key_bits
 *		and testing. DKIM_PASS says no more than that; what the body
 *		is like is for the caller
 */
#ifndef DKIM_VERIFY_H
#define DKIM_VERIFY_H

#include "dkim/canon.h"
#include "dkim/dkim.h"
#include "dkim/key.h"

void verify_hash(struct dkim_signature *sig,
    const unsigned char hash[DKIM_HASH], const struct dns_answer *answer,
    struct dkim_keys *keys, const struct dkim_limits *limits);

#endif
