/* The configuration reader: any bytes are a file, or are refused in words. */
#include <stdlib.h>

#include "conf/house.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct house_conf house;
	const struct conf_section sections[] = {
	    { house_options, &house }, { NULL, NULL } };
	struct arena *a = arena_new();
	struct slice why = SLICE_NONE;

	if (conf_parse(a, "fuzz", slice_make(data, size), sections, &why) !=
	    RC_OK) {
		if (why.ptr == NULL || why.len == 0)
			abort();	/* refused without a word */
	} else if (house_finish(&house, a, &why) == RC_OK &&
	    (house.hostname[0] == '\0' || house.peers.count == 0)) {
		abort();
	}
	arena_free(a);
	return 0;
}
