/*
 * A whole message with signatures and a chain, all of whose keys are one of
 * RFC 8463 or one of 1024 bits: reading, hashing and verifying keep their
 * limits. What is behind the first line of a dot is the key record.
 */
#include <stdint.h>
#include <stdlib.h>

#include "dkim/arc.h"
#include "dkim/key.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct dkim_keys *keys;
static struct dns_record records[2];
static struct dns_answer answer = { .records = records, .count = 2 };

static void
demand(bool good)
{
	if (!good)
		abort();
}

static const struct dns_answer *
look_up(void *arg, struct slice name)
{
	(void)arg;
	demand(name.len <= DNS_NAME_MAX);
	return &answer;
}

static void
check_signature(const struct dkim_signature *sig, const struct message *msg)
{
	demand(sig->result != DKIM_NONE);
	demand(sig->rule != NULL && sig->reason.ptr != NULL);
	demand(sig->index < msg->nfields);
	if (sig->result == DKIM_PASS)
		demand(sig->domain.ptr != NULL && sig->key_bits > 0);
}

static void
run_dkim(struct arena *a, const struct message *msg,
    struct dkim_bodies *bodies, const struct dkim_limits *limits)
{
	struct dkim_signature *list;
	size_t n = dkim_signatures(a, msg, limits, &list);

	for (size_t i = 0; i < n; i++) {
		struct slice name;

		if (dkim_key_name(a, &list[i], &name))
			demand(name.len <= DNS_NAME_MAX);
		dkim_verify(a, &list[i], msg, bodies, &answer, keys, limits);
		check_signature(&list[i], msg);
	}
}

static void
run_arc(struct arena *a, const struct message *msg,
    struct dkim_bodies *bodies, const struct dkim_limits *limits)
{
	struct arc_chain chain;
	struct slice *names;

	arc_read(a, msg, limits, &chain);
	demand(chain.count <= ARC_SETS && chain.highest <= ARC_SETS);
	demand(arc_names(a, &chain, &names) <= chain.count + 1);
	arc_validate(a, &chain, msg, bodies, look_up, NULL, keys, limits);
	demand(chain.rule != NULL);
	demand((chain.status == ARC_NONE) ==
	    (chain.rule[0] == 'n'));
	demand(chain.oldest_pass <= chain.count);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dkim_limits limits = dkim_limits_default;
	struct slice text = slice_make(data, size), head, body;
	size_t dot = slice_search(text, SLICE("\n.\n"));
	struct arena *a = arena_new();
	struct dkim_bodies *bodies;
	struct message msg;

	if (keys == NULL)
		keys = dkim_keys_new(16);
	records[0].data = slice_after(text, dot + 3);
	records[1].data = SLICE("k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMl"
	    "rwIaaPcHURo=");
	limits.now = 1800000000;
	limits.allow_partial = size % 2 == 1;
	message_split(a, slice_sub(text, 0, dot), &head, &body);
	message_read(&msg, a, head, body, NULL);
	bodies = dkim_bodies_new(a, &msg);
	run_dkim(a, &msg, bodies, &limits);
	run_arc(a, &msg, bodies, &limits);
	arena_free(a);
	return 0;
}
