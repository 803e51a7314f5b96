/*
 * The escaper: whatever comes in, one line of printable ASCII comes out, it
 * is as long as was asked for, and what was not cut can be turned back.
 */
#include <stdlib.h>

#include "log/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool good)
{
	if (!good)
		abort();
}

static void
check(struct slice in, struct slice safe, size_t max)
{
	bool cut = slice_ends(safe, SLICE("...")) && safe.len > max - 4;
	size_t n = 0;

	must(safe.len <= max + 3);
	for (size_t i = 0; i < safe.len; i++) {
		char c = safe.ptr[i];

		must(c >= ' ' && c <= '~' && c != '"');
		if (cut && i + 3 >= safe.len)
			break;
		if (c == '\\') {
			must(i + 3 < safe.len && safe.ptr[i + 1] == 'x');
			c = (char)(ascii_hex(safe.ptr[i + 2]) << 4 |
			    ascii_hex(safe.ptr[i + 3]));
			i += 3;
		}
		must(n < in.len && in.ptr[n++] == c);
	}
	must(cut || n == in.len);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = slice_make(data, size);
	struct arena *a = arena_new();
	struct log_line line;

	log_open("fuzz", "/dev/null");
	check(in, log_safe(a, in, 10), 10);
	check(in, log_safe(a, in, 1000), 1000);
	log_begin(&line, a, slice_sub(in, 0, 12));
	log_pair(&line, "a", in);
	log_pairf(&line, "b", "%.*s", SLICE_ARG(in));
	for (size_t i = 0; i < line.buf.len; i++)
		must(line.buf.ptr[i] >= ' ' && line.buf.ptr[i] <= '~');
	log_end(&line, in);
	log_info("%.*s", SLICE_ARG(in));
	arena_free(a);
	return 0;
}
