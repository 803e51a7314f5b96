/* Pictures of any bytes, and the codes in them. */
#include <stdlib.h>

#include "cells/code/codes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice codes[CODES_MOST], why;
	struct arena *a = arena_new();
	struct picture p;

	if (picture_read(a, slice_make(data, size), &p, &why)) {
		if ((uint64_t)p.width * p.height > PICTURE_PIXELS &&
		    p.width > 1 && p.height > 1)
			abort();
		/* zbar is not ours, and slow on noise of that size. */
		if ((uint64_t)p.width * p.height <= 65536 &&
		    codes_read(a, &p, codes) > CODES_MOST)
			abort();
	}
	arena_free(a);
	return 0;
}
