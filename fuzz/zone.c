/* Any bytes as the file of a time zone. */
#include <stdint.h>
#include <stdlib.h>

#include "notice/due.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int64_t moments[] = { -(INT64_C(1) << 40), 0, 1774746000,
	    INT64_C(1) << 40 };
	struct arena *a = arena_new();
	const struct zone *z;

	if (zone_parse(a, slice_make(data, size), &z)) {
		struct due_times due = { .zone = z, .weekday = { 0, 150 },
		    .nweekday = 2, .weekend = { 90 }, .nweekend = 1 };

		for (size_t i = 0; i < sizeof moments / sizeof *moments; i++) {
			zone_moment(z, moments[i]);
			zone_date(a, z, moments[i]);
			if (due_last(&due, moments[i]) > moments[i])
				abort();
		}
	}
	arena_free(a);
	return 0;
}
