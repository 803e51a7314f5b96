/*
 * A table of harvest protection that somebody damaged: the input is laid over
 * a good one, then clients come. Nothing crashes, nothing is read or written
 * outside, and what is shown is within bounds.
 */
#include <stdlib.h>
#include <string.h>

#include "milters/auth-check/harvest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ENTRIES = 64, NOW = 1795000000 };

static const struct harvest_policy policy = { .half_life = 3600, .slow = 3,
    .refuse = 6, .share = 0.3, .delay = 1000 };

static void
visit(const struct harvest_view *v, void *arg)
{
	(void)arg;
	if (v->state > HARVEST_REFUSE || !(v->refused >= 0) ||
	    !(v->accepted >= 0) || v->delay < 0 || v->delay > policy.delay ||
	    v->source.bits > 128)
		abort();
}

static void
play(struct harvest_table *t, const uint8_t *data, size_t size)
{
	struct harvest_view v;
	struct network net;
	struct ip ip;

	for (size_t i = 0; i + 4 < size && i < 400; i += 5) {
		unsigned char bytes[16] = { 0x20, 1, data[i], data[i + 1],
		    [15] = data[i + 2] };

		ip_of_bytes(data[i + 3] & 1 ? 10 : 2, bytes, &ip);
		harvest_count(t, &policy, &ip, data[i + 3] & 2, data[i + 4],
		    NOW + (int64_t)i * data[i + 3], &v);
		visit(&v, NULL);
		harvest_look(t, &policy, &ip, NOW + (int64_t)i, &v);
		visit(&v, NULL);
	}
	net = (struct network){ .bits = 0 };
	ip_of_bytes(2, "\x20\x01\0\0", &net.ip);
	harvest_forget(t, &net);
	harvest_each(t, &policy, NOW, visit, NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t whole = harvest_size(ENTRIES), at = size > 0 ? data[0] * 16u : 0;
	unsigned char *memory = malloc(whole);
	struct harvest_table *t = (void *)memory;

	if (memory == NULL)
		abort();
	harvest_begin(memory, ENTRIES, NOW);
	play(t, data, size);
	for (size_t i = 1; i < size && at + i <= whole; i++)
		memory[at + i - 1] = data[i];
	if (harvest_whole(memory, whole))
		play(t, data, size);
	/* As a file of any size. */
	free(memory);
	memory = malloc(size + 1);
	if (memory != NULL && size > 0) {
		memcpy(memory, data, size);
		if (harvest_whole(memory, size))
			harvest_each((void *)memory, &policy, NOW, visit, NULL);
	}
	free(memory);
	return 0;
}
