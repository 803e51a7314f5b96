/* The header reader: nothing is lost, values are read, limits hold. */
#include <stdint.h>
#include <stdlib.h>

#include "mime/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct slice block = slice_make(data, size), rest = block;
	struct slice head, body;
	struct message msg;
	struct field f;
	size_t seen = 0;

	while (field_next(&rest, &f)) {
		seen += f.raw.len;
		field_value(a, &f);
	}
	if (seen != size)
		abort();
	message_split(a, block, &head, &body);
	message_read(&msg, a, head, body, NULL);
	if (msg.nfields > msg.limits.fields)
		abort();
	arena_free(a);
	return 0;
}
