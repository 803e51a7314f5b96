/*
 * The reader of journals: the first byte says in pieces of what size the rest
 * is fed; what is found is the same as when it comes at once.
 */
#include <stdlib.h>

#include "journal/lines.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct sum {
	size_t lines, bytes;
};

static bool
visit(struct slice line, void *arg)
{
	struct sum *sum = arg;

	if (slice_has(line, '\n') || line.ptr[0] != '{')
		abort();
	sum->lines++;
	sum->bytes += line.len;
	return sum->lines < 100;
}

static size_t
feed(struct slice in, size_t piece, struct sum *sum)
{
	struct lines l = { .visit = visit, .arg = sum };

	for (size_t at = 0; at < in.len; at += piece)
		lines_feed(&l, slice_sub(in, at, piece));
	lines_end(&l);
	lines_free(&l);
	return l.torn;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sum a = { 0 }, b = { 0 };
	struct slice in;
	size_t torn;

	if (size == 0)
		return 0;
	in = slice_make(data + 1, size - 1);
	torn = feed(in, in.len + 1, &a);
	if (torn != feed(in, (size_t)data[0] + 1, &b) || a.lines != b.lines ||
	    a.bytes != b.bytes)
		abort();
	return 0;
}
