/*
 * Numbers in text: whatever the text, each hit lies in it, hits do not
 * overlap, and a mask shows no more than it may.
 */
#include <stdlib.h>
#include <string.h>

#include "detect/find.h"
#include "detect/plain.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool good)
{
	if (!good)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct slice text = plain_text(a, slice_make(data, size));
	char out[FIND_VALUE];
	struct find_hit hit;
	struct finder f;
	size_t end = 0;

	must(text.len <= size);
	must(slice_eq(plain_text(a, text), text));
	find_begin(&f, text, FIND_ALL);
	while (find_next(&f, &hit)) {
		struct slice mask = find_mask(&hit, out);

		must(hit.len > 0 && hit.at >= end);
		end = hit.at + hit.len;
		must(end <= text.len && hit.nvalue <= FIND_VALUE);
		must(mask.len == hit.nvalue);
		must(hit.what == FIND_ADDRESS || mask.len < 5 ||
		    memcmp(mask.ptr, "*****", mask.len - 4 < 5 ? mask.len - 4 :
		    5) == 0);
	}
	arena_free(a);
	return 0;
}
