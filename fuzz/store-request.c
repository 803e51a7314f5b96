/* What is asked at the control socket of gatehouse-store. */
#include <stdlib.h>

#include "services/store/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct request r;
	struct slice why = SLICE("");

	if (request_read(slice_make(data, size), a, &r, &why) != RC_OK) {
		if (why.len == 0)
			abort();	/* refused without a word */
	} else if (r.op.len == 0 || r.object.len > STORE_ID ||
	    r.filter.limit > STORE_LIST_MAX || r.filter.since < 0) {
		abort();
	}
	arena_free(a);
	return 0;
}
