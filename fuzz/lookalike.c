/* Skeletons of any bytes: well-formed, not longer than they may be, the same
 * again when made of themselves. */
#include <stdlib.h>

#include "text/lookalike.h"
#include "text/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct slice text = slice_make(data, size), rest;
	struct slice first = slice_cut(text, '\n', &rest), s;

	s = look_skeleton(a, text);
	if (s.len > size || !utf8_valid(s) ||
	    !slice_eq(look_skeleton(a, s), s))
		abort();
	look_mixed(text);
	look_host(a, first);
	if (look_distance(first, rest, 3) != look_distance(rest, first, 3))
		abort();
	look_domain(a, first, SLICE("com"), rest, SLICE("de"));
	arena_free(a);
	return 0;
}
