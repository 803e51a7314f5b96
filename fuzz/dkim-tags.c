/*
 * A tag list as it stands in a signature or a key record: what is read must
 * lie within the text and be what a second reading gives.
 */
#include <stdint.h>
#include <stdlib.h>

#include "dkim/tags.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
demand(bool good)
{
	if (!good)
		abort();
}

static bool
within(struct slice part, struct slice all)
{
	return part.ptr >= all.ptr && part.ptr + part.len <= all.ptr + all.len;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = slice_make(data, size);
	struct arena *a = arena_new();
	struct tags tags;

	if (tags_read(text, &tags) == NULL)
		demand(tags.count > 0);
	demand(tags.count <= TAGS_MAX);
	for (size_t i = 0; i < tags.count; i++) {
		const struct tag *tag = &tags.list[i];
		struct slice squeezed, rest = tag->value, raw;

		demand(within(tag->name, text) && within(tag->span, text));
		demand(within(tag->value, tag->span));
		demand(tags_find(&tags, tag->name).ptr == tag->value.ptr);
		squeezed = tags_squeeze(a, tag->value);
		demand(squeezed.len <= tag->value.len);
		raw = tags_base64(a, tag->value);
		demand(raw.ptr == NULL || raw.len <= squeezed.len);
		while (rest.ptr != NULL)
			demand(within(tags_cut(rest, ':', &rest), tag->value));
	}
	arena_free(a);
	return 0;
}
