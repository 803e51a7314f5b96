/*
 * The seal's reader. First as it comes: without our key nothing may be
 * believed. Then behind a MAC that is right, so that the tags' reader is
 * reached too: what it believes must survive being written and read again.
 */
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdint.h>
#include <stdlib.h>

#include "milter/seal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct seal_key key = { .bytes = "0123456789abcdef", .len = 16 };

/* The input as tags, with the MAC behind it. */
static struct slice
signed_text(struct arena *a, struct slice text)
{
	struct buf bare = buf_in(a), out = buf_in(a);
	unsigned char mac[32];
	unsigned len;

	buf_adds(&bare, SEAL_FIELD ":");
	for (size_t i = 0; i < text.len; i++)
		if (!ascii_space(text.ptr[i]))
			buf_addc(&bare, text.ptr[i]);
	buf_addc(&bare, ';');
	HMAC(EVP_sha256(), key.bytes, (int)key.len,
	    (const unsigned char *)bare.ptr, bare.len, mac, &len);
	buf_add(&out, text);
	buf_adds(&out, "; m=");
	for (int i = 0; i < 32; i++)
		buf_addf(&out, "%02x", mac[i]);
	return buf_slice(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct slice text = slice_make(data, size), again;
	struct slice queue_id = SLICE("4Zx1Qk2hJ9z");
	struct seal seal, twice;

	if (seal_read(text, queue_id, &key, a, &seal) == RC_OK)
		abort();
	if (seal_read(signed_text(a, text), queue_id, &key, a, &seal) ==
	    RC_OK && seal_write(&seal, &key, a, &again) == RC_OK &&
	    (seal_read(again, queue_id, &key, a, &twice) != RC_OK ||
	    twice.nfindings != seal.nfindings ||
	    !slice_eq(twice.client.helo, seal.client.helo)))
		abort();
	arena_free(a);
	return 0;
}
