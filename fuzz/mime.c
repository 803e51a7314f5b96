/* The MIME reader: the whole tree, each part decoded in all readings. */
#include <stdint.h>
#include <stdlib.h>

#include "mime/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_part(const struct message *msg, const struct part *p, struct arena *a)
{
	struct slice content;
	unsigned flags;
	size_t off;

	if (part_offset(msg, p, &off) && (off > msg->body.len ||
	    p->body.len > msg->body.len - off))
		abort();
	for (unsigned n = 0; part_reading(p, n, a, 1 << 20, &content, &flags);
	    n++)
		if (content.len > 1 << 20)
			abort();
	if (p->depth > msg->limits.depth + 1)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct message_limits limits = { 50, 4096, 8, 40 };
	struct arena *a = arena_new();
	struct slice head, body;
	struct message msg;
	const struct part *root;
	size_t parts = 0;

	message_split(a, slice_make(data, size), &head, &body);
	message_read(&msg, a, head, body, &limits);
	root = message_parts(&msg);
	for (const struct part *p = root; p != NULL; p = part_next(root, p)) {
		check_part(&msg, p, a);
		parts++;
	}
	if (parts > limits.parts)
		abort();
	arena_free(a);
	return 0;
}
