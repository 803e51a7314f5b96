/*
 * A message, and each of its parts taken out: no other part changes by a byte,
 * and it can be undone (t/removes.h).
 */
#include <stdio.h>
#include <stdlib.h>

#include "t/removes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PARTS = 8 };

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct slice head, body, note = SLICE("This was removed:\n--b\n-- \n");
	const struct part *root;
	struct message msg;
	unsigned n = 0;

	message_split(a, slice_make(data, size), &head, &body);
	message_read(&msg, a, head, body, &message_limits_default);
	root = message_parts(&msg);
	for (const struct part *p = root; p != NULL && n++ < PARTS;
	    p = part_next(root, p)) {
		const char *why;
		const struct part *target = part_multipart(p) ? NULL :
		    remove_target(&msg, p, &why);

		if (target == NULL)
			continue;
		why = removes(&msg, target, note);
		if (why != NULL) {
			fprintf(stderr, "part %u: %s\n", n, why);
			abort();
		}
	}
	arena_free(a);
	return 0;
}
