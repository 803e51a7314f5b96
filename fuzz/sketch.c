/*
 * The sketch of any bytes: the same each time, and of the text with its case
 * and signs changed.
 */
#include <stdlib.h>
#include <string.h>

#include "milters/antispam/sketch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool good)
{
	if (!good)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sketch one, two;
	char *other = malloc(size + 1);
	bool is = sketch_text(slice_make(data, size), &one);

	must(other != NULL);
	for (size_t i = 0; i < size; i++)
		other[i] = data[i] == '!' ? '?' : ascii_lower((char)data[i]);
	must(sketch_text(slice_make(other, size), &two) == is);
	must(memcmp(&one, &two, sizeof one) == 0);
	must(sketch_alike(&one, &two) == SKETCH_BINS);
	for (unsigned i = 0; i < SKETCH_BANDS; i++)
		must(sketch_band(&one, i) == sketch_band(&two, i));
	free(other);
	return 0;
}
