/*
 * bodies - what was hashed of one message, and how its fields are found
 *
 * bodies_hash		SHA-256 over at most `limit` bytes of the canonical body,
 *			and the length of all of it. Kept: the same is never
 *			hashed twice. NULL when libcrypto fails, or when more
 *			than BODIES different ones are asked for
 * bodies_field		the canonical form of a field with its CRLF, kept too
 * bodies_headers	the hash that a signature signs (RFC 6376, 3.7, 5.4.2):
 *			the fields that h= names, each the lowest one that no
 *			name before it took, then the signature's own field
 *			with its b= empty, which is never one of the former
 * bodies_headers_of	the same for a field that is not in the message yet
 * bodies_count		how many fields have this name; of any name in
 *			logarithmic time, whatever the message holds
 *
 * For one thread.
 */
#ifndef DKIM_BODIES_H
#define DKIM_BODIES_H

#include "dkim/canon.h"
#include "dkim/dkim.h"

enum { BODIES = 12 };

const unsigned char *bodies_hash(struct dkim_bodies *b,
    enum dkim_canon canon, uint64_t limit, uint64_t *length_r);
struct slice bodies_field(struct dkim_bodies *b, enum dkim_canon canon,
    size_t index);
bool bodies_headers(struct dkim_bodies *b, const struct dkim_signature *sig,
    unsigned char hash_r[DKIM_HASH]);
bool bodies_headers_of(struct dkim_bodies *b,
    const struct dkim_signature *sig, const struct field *self,
    unsigned char hash_r[DKIM_HASH]);
size_t bodies_count(const struct dkim_bodies *b, struct slice name);

#endif
