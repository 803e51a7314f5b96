/*
 * Words: lines up to an empty one are looked for in what follows. Each hit is
 * one of them, and a plain search finds as many as are told.
 */
#include <stdlib.h>

#include "detect/plain.h"
#include "detect/words.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST = 20 };

static void
must(bool good)
{
	if (!good)
		abort();
}

/* What a word, or the text of a hit, is compared by. */
static struct slice
compared(struct arena *a, struct slice s)
{
	char *out = arena_alloc(a, s.len + 1);
	size_t n = 0;

	for (size_t i = 0; i < s.len; i++)
		if (!ascii_space(s.ptr[i]))
			out[n++] = ascii_lower(s.ptr[i]);
		else if (n == 0 || out[n - 1] != ' ')
			out[n++] = ' ';
	return slice_make(out, n);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct slice rest = slice_make(data, size), line, words[MOST];
	struct words *w = words_new();
	struct words_scan scan;
	struct words_hit hit;
	unsigned n = 0;
	size_t end = 0;

	while (n < MOST && slice_line(&rest, &line) && line.len > 0)
		if (words_add(w, line, n))
			words[n++] = compared(a, slice_trim(plain_text(a,
			    line)));
	words_ready(w);
	rest = plain_text(a, rest);
	words_begin(&scan, w, rest);
	while (words_next(&scan, &hit)) {
		must(hit.number < n && hit.at + hit.len <= rest.len);
		must(hit.at + hit.len >= end);
		end = hit.at + hit.len;
		must(slice_eq(words[hit.number], compared(a, slice_sub(rest,
		    hit.at, hit.len))));
	}
	words_free(w);
	arena_free(a);
	return 0;
}
