/*
 * A message before both DKIM engines, which must say the same of it unless the
 * guards keep it from libopendkim. The first line of the input is the record
 * of all keys, the second one another record; what follows is the message.
 */
#include <string.h>

#include "dkim/key.h"
#include "milters/auth-check/dkim_opendkim.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct dns_answer *
look_up(void *arg, struct slice name)
{
	(void)name;
	return arg;
}

static void
compare(struct arena *a, struct message *msg, struct dkim_opendkim *lib,
    struct dns_answer *answer)
{
	struct dkim_limits limits = dkim_limits_default;
	struct dkim_signature *own, *other;
	struct dkim_bodies *bodies = dkim_bodies_new(a, msg);
	size_t n;

	limits.now = 1700000000;
	n = dkim_signatures(a, msg, &limits, &own);
	dkim_signatures(a, msg, &limits, &other);
	dkim_opendkim_verify(a, lib, msg, other, n, look_up, answer, &limits);
	for (size_t i = 0; i < n; i++) {
		dkim_verify(a, &own[i], msg, bodies, answer, NULL, &limits);
		if (other[i].result == DKIM_NONE)
			__builtin_trap();
		if (strcmp(other[i].rule, "engine") != 0 &&
		    (own[i].result != other[i].result ||
		    strcmp(own[i].rule, other[i].rule) != 0))
			__builtin_trap();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct dkim_opendkim *lib;
	struct slice rest = slice_make(data, size), head, body;
	struct dns_record records[2] = { { .data = SLICE("") },
	    { .data = SLICE("") } };
	struct dns_answer answer = { .records = records, .count = 2 };
	struct arena *a = arena_new();
	struct message msg;

	if (lib == NULL)
		lib = dkim_opendkim_open();
	slice_line(&rest, &records[0].data);
	slice_line(&rest, &records[1].data);
	if (rest.ptr == NULL)
		rest = SLICE("");
	/* With its bytes as they are: message_split() mends line ends. */
	head = slice_sub(rest, 0, slice_search(rest, SLICE("\n\r\n")) + 1);
	body = slice_after(rest, head.len + 2);
	message_read(&msg, a, head, body, NULL);
	compare(a, &msg, lib, &answer);
	arena_free(a);
	return 0;
}
