/*
 * Edits and undo. The first byte says how many random edit lists, the next
 * eight seed them, what follows is the mail; a list that does not hold ends
 * the run.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "t/edit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct edit_random r = { 0 };
	struct slice head, body;
	size_t taken = 0;

	if (size < 9)
		return 0;
	memcpy(&r.state, data + 1, sizeof r.state);
	for (unsigned n = 1 + data[0] % 4; n > 0; n--) {
		struct arena *a = arena_new();
		struct message msg;
		const char *why;

		message_split(a, slice_make(data + 9, size - 9), &head, &body);
		message_read(&msg, a, head, body, NULL);
		why = edit_at_random(&r, &msg, a, &taken);
		if (why != NULL) {
			fprintf(stderr, "%s\n", why);
			abort();
		}
		arena_free(a);
	}
	return 0;
}
