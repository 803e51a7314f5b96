/*
 * A member of an office file. Whatever it is: its text is within the limit, and
 * no longer than what it was made of allows.
 */
#include <stdlib.h>

#include "content/office.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX = 4096 };

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct slice bytes = slice_make(data, size), text;
	bool cut;

	office_xml(bytes);
	text = office_text(a, bytes, MAX, &cut);
	if (text.len > MAX + 1)
		abort();
	arena_free(a);
	return 0;
}
