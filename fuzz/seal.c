/*
 * The seal's reader. First as it comes: without our key nothing may be
 * believed. Then behind a MAC that is right, so that the tags' reader is
 * reached too: what it believes must survive being written and read again.
 */
#include <stdint.h>
#include <stdlib.h>

#include "fuzz/signed.h"
#include "milter/seal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct seal_key key = { .bytes = "0123456789abcdef", .len = 16 };

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct slice text = slice_make(data, size), again;
	struct slice queue_id = SLICE("4Zx1Qk2hJ9z");
	struct seal seal, twice;

	if (seal_read(text, queue_id, &key, a, &seal) == RC_OK)
		abort();
	if (seal_read(signed_text(a, SEAL_FIELD, text), queue_id, &key, a, &seal) ==
	    RC_OK && seal_write(&seal, &key, a, &again) == RC_OK &&
	    (seal_read(again, queue_id, &key, a, &twice) != RC_OK ||
	    twice.nfindings != seal.nfindings ||
	    !slice_eq(twice.client.helo, seal.client.helo)))
		abort();
	arena_free(a);
	return 0;
}
