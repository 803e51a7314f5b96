/*
 * Addresses: the reader ends, gives what lies in the value, and what it calls
 * well-formed is read the same once more from what address_print makes of it.
 */
#include <stdlib.h>

#include "text/address.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool good)
{
	if (!good)
		abort();
}

static void
again(struct arena *a, const struct address *was)
{
	struct address_list list;
	struct address is;

	address_open(&list, a, address_print(a, was->local, was->domain));
	must(address_next(&list, &is));
	must(slice_eq(is.local, was->local));
	must(slice_eq(is.domain, was->domain));
	must(!address_next(&list, &is));
}

static void
borrowed(struct slice in, struct slice part)
{
	must(part.ptr == NULL || part.len == 0 ||
	    (part.ptr >= in.ptr && part.ptr + part.len <= in.ptr + in.len));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = slice_make(data, size), rest = in, local, domain;
	struct arena *a = arena_new();
	struct address_list list;
	struct address one;
	size_t guesses = 0;

	address_open(&list, a, in);
	while (address_next(&list, &one)) {
		borrowed(in, one.raw);
		borrowed(in, one.name);
		borrowed(in, one.comment);
		must(one.local.ptr != NULL);
		if ((one.flags & ADDRESS_MALFORMED) == 0)
			again(a, &one);
		if (domain_ascii(a, one.domain, &domain))
			must(domain_ascii(a, domain, &local) &&
			    slice_eq(local, domain));
	}
	must(list.count <= ADDRESS_MAX);
	while (address_guess(&rest, &local, &domain)) {
		borrowed(in, local);
		borrowed(in, domain);
		guesses++;
	}
	must(guesses <= size);
	address_split(in, &local, &domain);
	borrowed(in, local);
	address_unquote(a, local);
	arena_free(a);
	return 0;
}
