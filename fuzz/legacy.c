/*
 * Streams of office documents, each to the reader that the first byte says: the
 * text is within the limit, and reading it a second time gives the same.
 */
#include <stdlib.h>

#include "cells/unpack/codepage.h"
#include "cells/unpack/legacy.h"
#include "cells/unpack/lzfu.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX = 100000 };

/* A Word document's two streams are one, cut in half. */
static enum legacy
word(struct slice bytes, struct buf *out)
{
	struct slice document = slice_sub(bytes, 0, bytes.len / 2);
	struct slice tables[2];

	tables[0] = tables[1] = slice_after(bytes, bytes.len / 2);
	return word_text(document, tables, MAX, out);
}

static enum legacy
objects(struct slice bytes, struct buf *out)
{
	struct arena *a = arena_new();
	struct slice one;
	size_t at = 0;

	for (int n = 0; n < 20 && (one = slides_object(bytes, &at, MAX / 20,
	    a)).ptr != NULL; n++)
		buf_addf(out, "%zu", one.len);
	arena_free(a);
	return LEGACY_WHOLE;
}

static enum legacy
look(char which, struct slice bytes, struct buf *out)
{
	switch (which) {
	case 'w':
		return word(bytes, out);
	case 'x':
		return excel_text(bytes, MAX, out);
	case 's':
		return slides_text(bytes, MAX, out);
	case 'o':
		return objects(bytes, out);
	case 'p':
		return properties_text(bytes, MAX, out);
	case 'l':
		return lzfu_expand(bytes, MAX, out) ? LEGACY_WHOLE :
		    LEGACY_PART;
	default:
		return rtf_text(bytes, MAX, out);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf out = { 0 }, again = { 0 };
	/* A piece of eight copies may go over, and a line end between texts. */
	size_t most = MAX + 200;

	if (size == 0)
		return 0;
	codepage_prepare();
	if (look((char)data[0], slice_make(data + 1, size - 1), &out) !=
	    look((char)data[0], slice_make(data + 1, size - 1), &again) ||
	    out.len > most || !slice_eq(buf_slice(&out), buf_slice(&again)))
		abort();
	buf_free(&out);
	buf_free(&again);
	return 0;
}
