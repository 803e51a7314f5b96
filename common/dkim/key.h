/*
 * key - a key record (RFC 6376, 3.6.1; RFC 8463), parsed once
 *
 * dkim_keys_new	a cache of at most `max` parsed records (0: a default).
 *			Shared by all threads. What is malformed is kept too, so
 *			that it costs its reading once
 * dkim_keys_free	when nobody uses it any more
 * dkim_key_get		the key of this record; keys may be NULL: no cache.
 *			Give it back with dkim_key_drop
 *
 * A record is known by the SHA-256 of its text. When the cache is full, what
 * was not asked for since half of it was filled goes.
 *
 * A key that is over DKIM_KEY_BITS, or whose exponent would make it slow, is
 * never given to libcrypto; bits says how large it would be. What a policy says
 * about size and hash is for the caller.
 */
#ifndef DKIM_KEY_H
#define DKIM_KEY_H

#include <openssl/evp.h>
#include <stdatomic.h>

#include "base/arena.h"

enum {
	DKIM_KEY_BITS = 8192,		/* RSA, at most */
	DKIM_RECORD_MAX = 65536		/* bytes of one record */
};

struct dkim_key {
	const char *rule;		/* static; NULL: it can be used */
	const char *reason;		/* static, plain words */
	EVP_PKEY *pkey;			/* NULL with a rule */
	bool ed25519;			/* k=ed25519; else k=rsa */
	bool sha256;			/* h= allows it */
	bool email;			/* s= allows it */
	bool testing, strict;		/* t=y, t=s */
	bool looks;			/* like a key record: counts even when
					   it is malformed */
	unsigned bits;
	atomic_uint users;
};

struct dkim_keys;

struct dkim_keys *dkim_keys_new(size_t max);
void dkim_keys_free(struct dkim_keys *keys);
struct dkim_key *dkim_key_get(struct dkim_keys *keys, struct slice record);
void dkim_key_drop(struct dkim_key *key);

#endif
