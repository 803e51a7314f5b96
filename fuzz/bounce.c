/*
 * The reader of bounces: whatever comes in, what it finds lies within its
 * bounds, and reading it again finds the same.
 */
#include <stdlib.h>
#include <string.h>

#include "milters/auth-check/backscatter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct seal_key key = { .bytes = "0123456789abcdef", .len = 16 };

static void
read_it(struct arena *a, struct slice in, struct bounce *b_r)
{
	struct message msg;
	struct slice head, body;

	message_split(a, in, &head, &body);
	message_read(&msg, a, head, body, NULL);
	bounce_read(&msg, SLICE(""), a, b_r);
}

static void
look(const struct bounce_found *f)
{
	if (f->count > BOUNCE_FOUND)
		abort();
	for (size_t i = 0; i < f->count; i++)
		if (f->items[i].len == 0 || f->items[i].ptr == NULL)
			abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct bounce *one = arena_alloc(a, sizeof *one);
	struct bounce *two = arena_alloc(a, sizeof *two);
	struct slice in = slice_make(data, size);

	read_it(a, in, one);
	read_it(a, in, two);
	if (one->kind != two->kind || one->ids.count != two->ids.count)
		abort();
	look(&one->ids);
	look(&one->proofs);
	look(&one->recipients);
	for (size_t i = 0; i < one->proofs.count; i++)
		if (proof_good(&key, one->proofs.items[i], &one->ids,
		    1795000000))
			abort();
	if (proof_good(&key, in, &one->ids, 1795000000))
		abort();
	arena_free(a);
	return 0;
}
