/* libmagic under the limits that the cell gives it: always a type that the
 * other side believes; and the words between both. */
#include <stdint.h>
#include <stdlib.h>

#include "cells/unpack/kind.h"
#include "unpack/kinds.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
ask(struct slice bytes, struct arena *a)
{
	struct buf answer = buf_in(a);
	struct slice kind;

	buf_add(&answer, kind_of(slice_sub(bytes, 0, KINDS_HEAD)));
	buf_addc(&answer, '\n');
	if (!kinds_read_answer(buf_slice(&answer), 1, &kind))
		abort();
}

static void
read_words(struct slice bytes)
{
	struct slice rest, files[KINDS], request = slice_cut(bytes, '\n',
	    &rest);
	size_t n, all = 0;

	if (rest.ptr == NULL)
		rest = SLICE("");
	if (kinds_read_request(request, rest, files, &n)) {
		for (size_t i = 0; i < n; i++)
			all += files[i].len;
		if (n > KINDS || all != rest.len)
			abort();
	}
	for (n = 0; n < 4; n++)
		if (kinds_read_answer(bytes, n, files) && (bytes.len == 0) !=
		    (n == 0))
			abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool ready;
	struct arena *a = arena_new();
	struct slice bytes = slice_make(data, size), why;

	if (!ready && !kind_prepare(a, &why))
		abort();
	ready = true;
	ask(bytes, a);
	read_words(bytes);
	arena_free(a);
	return 0;
}
