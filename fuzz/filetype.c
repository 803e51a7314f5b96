/*
 * What a file is, by its name and by its bytes: an answer for everything, names
 * that are UTF-8 without controls, the same answer twice. The first line is the
 * name.
 */
#include <stdlib.h>

#include "filetype/filename.h"
#include "filetype/filetype.h"
#include "text/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_name(struct arena *a, struct slice name)
{
	struct filename n, again;
	struct slice rest;
	uint32_t cp;

	filename_read(a, name, &n);
	if (!utf8_valid(n.clean) || n.ext.len > n.clean.len)
		abort();
	for (rest = n.clean; utf8_next(&rest, &cp);)
		if (utf8_control(cp) || utf8_bidi(cp) || cp == '/' ||
		    cp == '\\')
			abort();
	/* A replacement is three bytes for one; of longer names an end is read. */
	if (n.clean.len > FILENAME_READ)
		return;
	filename_read(a, n.clean, &again);
	if (!slice_eq(again.ext, n.ext) || !slice_eq(again.stream, n.stream))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct slice bytes = slice_make(data, size), name;
	const struct filetype *t;
	unsigned classes, again;

	name = slice_cut(bytes, '\n', &bytes);
	check_name(a, name);
	if (bytes.ptr == NULL)
		bytes = SLICE("");
	t = filetype_of(bytes, &classes);
	if (t == NULL || filetype_of(bytes, &again) != t || again != classes ||
	    (classes & t->classes) != t->classes || !filetype_agree(t, t))
		abort();
	arena_free(a);
	return 0;
}
