/* Content-Type and Content-Disposition values. */
#include <stdint.h>
#include <stdlib.h>

#include "text/param.h"
#include "text/transfer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct slice body = slice_make(data, size);
	struct params params;
	size_t n = 0;

	params_read(a, body, &params);
	for (const struct param *p = params.first; p != NULL; p = p->next) {
		if (params_find(&params, p->name) == NULL)
			abort();
		/* Both readings are bytes of the field; those behind a quote
		 * that never closes stand in it, and once more in the
		 * sections that follow. */
		if (p->value.len > 2 * size || p->other.len > 2 * size)
			abort();
		n++;
	}
	if (n != params.count || n > PARAMS_MAX)
		abort();
	transfer_parse(body);
	arena_free(a);
	return 0;
}
