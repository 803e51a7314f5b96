/*
 * A key record as DNS gives it: a key or what is wrong with it, never both,
 * and never one that is too large to be used.
 */
#include <stdint.h>
#include <stdlib.h>

#include "dkim/key.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
demand(bool good)
{
	if (!good)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct dkim_keys *keys;
	struct slice record = slice_make(data, size);
	struct dkim_key *key, *again;

	if (keys == NULL)
		keys = dkim_keys_new(16);
	key = dkim_key_get(NULL, record);
	again = dkim_key_get(keys, record);
	demand((key->pkey != NULL) == (key->rule == NULL));
	demand((key->rule == NULL) == (key->reason == NULL));
	demand(key->rule == again->rule && key->bits == again->bits);
	if (key->pkey != NULL) {
		demand(key->bits > 0 && key->bits <= DKIM_KEY_BITS);
		demand((unsigned)EVP_PKEY_get_bits(key->pkey) <=
		    DKIM_KEY_BITS);
		demand(key->looks);
	}
	dkim_key_drop(again);
	dkim_key_drop(key);
	return 0;
}
