/*
 * The mark in From: twice is once, the bytes that were there stay in their
 * order, and where a From can be read without doubt its addresses are the same.
 */
#include <stdlib.h>

#include "milters/predelivery/external.h"
#include "text/address.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* As the bytes of a field come: line ends are folds. */
static struct slice
folded(struct arena *a, struct slice in)
{
	struct buf out = buf_in(a);

	for (size_t i = 0; i < in.len; i++) {
		if (in.ptr[i] == '\n')
			buf_adds(&out, "\r\n x");
		else if (in.ptr[i] != '\r' && in.ptr[i] != '\0')
			buf_addc(&out, in.ptr[i]);
	}
	return buf_slice(&out);
}

/* Are all bytes of `in` in `out`, in this order? */
static bool
holds(struct slice out, struct slice in)
{
	size_t at = 0;

	for (size_t i = 0; i < in.len; i++) {
		while (at < out.len && out.ptr[at] != in.ptr[i])
			at++;
		if (at++ == out.len)
			return false;
	}
	return true;
}

/* local@domain of all; absent where readers may disagree. */
static struct slice
addresses(struct arena *a, struct slice body)
{
	struct address_list list;
	struct address who;
	struct buf out = buf_in(a);
	unsigned flags = 0;

	address_open(&list, a, body);
	while (address_next(&list, &who)) {
		flags |= who.flags;
		buf_add(&out, who.local);
		buf_addc(&out, '@');
		buf_add(&out, who.domain);
		buf_addc(&out, '\n');
	}
	flags |= list.flags;
	return (flags & ADDRESS_MALFORMED) != 0 ? SLICE_NONE : buf_slice(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct slice mark = SLICE("\xe2\x9a\xa0");
	struct slice in = folded(a, slice_make(data, size));
	struct slice out = external_from(a, in, mark);

	if (out.ptr != NULL) {
		struct slice before = addresses(a, in);

		if (!holds(out, in))
			abort();
		if (external_from(a, out, mark).ptr != NULL)
			abort();
		if (before.ptr != NULL && before.len > 0 &&
		    !slice_eq(before, addresses(a, out)))
			abort();
	}
	arena_free(a);
	return 0;
}
