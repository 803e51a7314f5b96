/*
 * What the classifier reads of a message: bounded, each feature once, of a
 * family, and the same with names as without.
 */
#include <stdlib.h>
#include <string.h>

#include "milters/antispam/feature.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool good)
{
	if (!good)
		abort();
}

static void
read_features(struct arena *a, struct slice mail, bool named,
    struct features *f_r)
{
	struct message *msg = arena_alloc(a, sizeof *msg);
	struct slice head, body;
	struct content content;

	message_split(a, mail, &head, &body);
	message_read(msg, a, head, body, &message_limits_default);
	content_read(msg, &content_limits_default, &content);
	features_read(msg, &content, named, f_r);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice mail = slice_make(data, size);
	struct arena *a = arena_new();
	struct features f, named;
	size_t counted = 0;

	read_features(a, mail, false, &f);
	read_features(a, mail, true, &named);
	must(f.n == named.n && f.n <= FEATURES_MAX);
	must(f.n == 0 || memcmp(f.hash, named.hash, f.n * sizeof *f.hash) ==
	    0);
	for (size_t i = 0; i < f.n; i++)
		must(f.family[i] < FAMILIES && named.name[i].ptr != NULL);
	for (int i = 0; i < FAMILIES; i++)
		counted += f.count[i];
	must(counted == f.n);
	arena_free(a);
	return 0;
}
