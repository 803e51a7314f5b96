/*
 * The From reader over a header block. One author means: one field, one
 * domain, A-labels.
 */
#include "milters/auth-check/from.h"
#include "text/address.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct slice again;
	struct from f;

	from_read(a, slice_make(data, size), &f);
	if ((f.state == FROM_ONE) != (f.domain.ptr != NULL))
		__builtin_trap();
	if (f.state == FROM_ONE && (f.ndomains != 1 || f.fields != 1 ||
	    !slice_eq(f.domain, f.domains[0]) || f.rule != NULL))
		__builtin_trap();
	if (f.state != FROM_ONE && f.rule == NULL)
		__builtin_trap();
	for (size_t i = 0; i < f.ndomains; i++)
		if (!domain_ascii(a, f.domains[i], &again) ||
		    !slice_eq(again, f.domains[i]))
			__builtin_trap();
	for (size_t i = 0; i < f.reason.len; i++)
		if (f.reason.ptr[i] < ' ' || f.reason.ptr[i] > '~')
			__builtin_trap();
	arena_free(a);
	return 0;
}
