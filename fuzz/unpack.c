/* Readers of containers that are ours, whatever the format says; libarchive
 * has fuzzers of its own. And what a cell that was taken over may answer. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cells/unpack/walk.h"
#include "unpack/format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
read_answer(struct slice bytes)
{
	struct told_record record;
	struct told_request request;

	while (told_read_record(&bytes, &record))
		if (record.path.len > 1 << 20)
			abort();
	told_read_request(bytes, &request);
}

static void
check(const struct walk *w)
{
	for (const struct walk_entry *e = w->first; e != NULL; e = e->next) {
		const struct told_record *r = &e->record;

		if (r->why >= UNPACK_WHYS || (e->index > 0 &&
		    r->parent >= e->index) ||
		    r->len > w->request.limits.member_bytes ||
		    r->depth > w->request.limits.depth)
			abort();
	}
	if (w->count > w->request.limits.members + 1 ||
	    w->written > w->request.limits.bytes)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct walk w = { .arena = a, .out = memfd_create("fuzz", MFD_CLOEXEC),
	    .request = { .limits = { 4, 50, 1 << 20, 4 << 20, 100 },
	    .name = SLICE("file") } };
	struct slice bytes = slice_make(data, size);
	const struct unpack_format *f = unpack_format_of(bytes);

	if (f == NULL || f->by != UNPACK_BY_ARCHIVE)
		walk_file(&w, bytes);
	check(&w);
	read_answer(bytes);
	close(w.out);
	arena_free(a);
	return 0;
}
