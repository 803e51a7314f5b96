/*
 * The release mark's reader. First as it comes: without our key nothing may be
 * believed. Then behind a MAC that is right: what it believes must survive
 * being written and read again, and hold for no longer than a mark may.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/signed.h"
#include "store/mark.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { NOW = 1795000000 };

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct slice text = slice_make(data, size), again;
	struct mark mark, twice;

	if (mark_read(text, signed_key, NOW, a, &mark) == RC_OK)
		abort();
	if (mark_read(signed_text(a, MARK_FIELD, text), signed_key, NOW, a,
	    &mark) == RC_OK) {
		if (mark.expires <= NOW || mark.expires > NOW + MARK_LIFE ||
		    mark.nrecipients == 0 ||
		    !mark_has(&mark, mark.recipients[0]))
			abort();
		if (mark_write(&mark, signed_key, a, &again) == RC_OK &&
		    (mark_read(again, signed_key, NOW, a, &twice) != RC_OK ||
		    twice.nrecipients != mark.nrecipients ||
		    twice.cause != mark.cause ||
		    strcmp(twice.body_sha256, mark.body_sha256) != 0 ||
		    !slice_eq(twice.helo, mark.helo)))
			abort();
	}
	arena_free(a);
	return 0;
}
