#include "text/percent.h"

void
percent_encode(struct buf *out, struct slice s, const char *also)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];

		if (ascii_alnum(c) || slice_has(SLICE("-._~"), c) ||
		    slice_has(slice_of(also), c))
			buf_addc(out, c);
		else
			buf_addf(out, "%%%02X", (unsigned char)c);
	}
}
