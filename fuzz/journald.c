/* journald's export format: entries lie within what was fed. */
#include <stdlib.h>

#include "track/export.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice rest = slice_make(data, size), all = rest;
	struct export_entry e;
	size_t before;

	do {
		before = rest.len;
		if (export_next(&rest, &e) != EXPORT_ONE)
			break;
		if (rest.len >= before || (e.text.len > 0 &&
		    (e.text.ptr < all.ptr || e.text.ptr + e.text.len >
		    all.ptr + all.len)))
			abort();
	} while (rest.len > 0);
	return 0;
}
