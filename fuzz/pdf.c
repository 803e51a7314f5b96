/*
 * A PDF: whatever its objects say, its text is within the limit, and reading it
 * a second time gives the same.
 */
#include <stdlib.h>

#include "cells/unpack/pdf_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX = 100000 };

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct buf out = { 0 }, again = { 0 };
	struct pdf pdf;

	pdf_index(&pdf, slice_make(data, size), a);
	pdf_text(&pdf, MAX, &out);
	pdf_index(&pdf, slice_make(data, size), a);
	pdf_text(&pdf, MAX, &again);
	if (out.len > MAX || !slice_eq(buf_slice(&out), buf_slice(&again)))
		abort();
	buf_free(&out);
	buf_free(&again);
	arena_free(a);
	return 0;
}
