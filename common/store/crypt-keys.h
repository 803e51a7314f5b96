/*
 * crypt-keys - key pairs as crypt.c uses them; for this room alone
 */
#ifndef STORE_CRYPT_KEYS_H
#define STORE_CRYPT_KEYS_H

#include "store/crypt.h"

struct crypt_key {
	struct crypt_public pub;
	unsigned char secret[CRYPT_KEY];
};

struct crypt_keys {
	size_t count;
	struct crypt_key keys[CRYPT_KEYS];
};

/* The one with that id, or NULL. */
const struct crypt_key *crypt_keys_find(const struct crypt_keys *keys,
    const unsigned char id[CRYPT_ID]);

#endif
