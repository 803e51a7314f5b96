/* What a milter answers: packets, and the first of them. */
#include <stdlib.h>

#include "milter/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = slice_make(data, size), packet;
	struct wire_terms terms;
	char code;

	for (;;) {
		size_t left = in.len;

		if (wire_take(&in, &code, &packet) != RC_OK)
			break;
		if (in.len + packet.len + 5 != left)
			abort();
		if (wire_agreed(packet, &terms) &&
		    (terms.protocol & ~(uint32_t)WIRE_PROTOCOL) != 0)
			abort();
	}
	return 0;
}
