/* A line of an object's log: what is read is written the same way again. */
#include <stdlib.h>

#include "services/store/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct store_index *x;
	const struct slice id = SLICE("00112233445566778899aabbccddeeff");
	struct arena *a = arena_new();
	struct buf once = buf_in(a), twice = buf_in(a);
	struct record r, again;
	struct slice why;
	bool done;

	if (x == NULL && index_sqlite_open(NULL, STORE_WRITE, &x, a, &why) !=
	    RC_OK)
		abort();
	if (record_read(slice_make(data, size), id, a, &r) == RC_OK) {
		record_write(&once, &r);
		if (record_read(slice_sub(buf_slice(&once), 0, once.len - 1),
		    id, a, &again) != RC_OK)
			abort();
		record_write(&twice, &again);
		if (!slice_eq(buf_slice(&once), buf_slice(&twice)))
			abort();
		if (record_apply(x, &r, a, &done) != RC_OK ||
		    x->does->forget(x, id) != RC_OK)
			abort();
	}
	arena_free(a);
	return 0;
}
