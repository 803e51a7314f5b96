/*
 * A header block with sets of ARC: structure is judged, and where a set may be
 * added, it is. What was no chain before is one of one set then, and passes;
 * what was sealed as failed has ended.
 */
#include <openssl/evp.h>
#include <stdint.h>
#include <stdlib.h>

#include "dkim/arc.h"
#include "dkim/key.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static EVP_PKEY *pkey;
static struct dkim_keys *keys;
static struct dns_record record;
static struct dns_answer answer = { .records = &record, .count = 1 };
static char text[100] = "v=DKIM1; k=ed25519; p=";

static void
demand(bool good)
{
	if (!good)
		abort();
}

static void
begin(void)
{
	unsigned char raw[32];
	size_t len = sizeof raw;

	if (pkey != NULL)
		return;
	pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	keys = dkim_keys_new(16);
	EVP_PKEY_get_raw_public_key(pkey, raw, &len);
	EVP_EncodeBlock((unsigned char *)text + 22, raw, (int)len);
	record.data = slice_of(text);
}

static const struct dns_answer *
look_up(void *arg, struct slice name)
{
	(void)arg;
	(void)name;
	return &answer;
}

static void
validate(struct arena *a, const struct message *msg, struct arc_chain *chain)
{
	struct dkim_limits limits = dkim_limits_default;

	limits.now = 1800000000;
	arc_read(a, msg, &limits, chain);
	demand(chain->count <= ARC_SETS && chain->highest <= ARC_SETS);
	for (unsigned i = 0; i < chain->count; i++)
		demand(chain->sets[i].aar > 0 && chain->sets[i].ams > 0 &&
		    chain->sets[i].as > 0);
	arc_validate(a, chain, msg, dkim_bodies_new(a, msg), look_up, NULL,
	    keys, &limits);
	demand(chain->status != ARC_PASS || chain->count > 0);
}

static struct slice
with_set(struct arena *a, struct slice head, const struct slice bodies[3])
{
	static const char *const names[] = { "ARC-Seal",
	    "ARC-Message-Signature", "ARC-Authentication-Results" };
	struct buf out = buf_in(a);

	for (int i = 0; i < 3; i++) {
		buf_addf(&out, "%s:", names[i]);
		buf_add(&out, bodies[i]);
		buf_adds(&out, "\r\n");
	}
	buf_add(&out, head);
	return buf_slice(&out);
}

static void
seal(struct arena *a, struct slice head, struct slice body,
    const struct message *msg, const struct arc_chain *chain)
{
	struct arc_sealer sealer = { .domain = SLICE("example.org"),
	    .selector = SLICE("s"), .key = pkey, .now = 1800000000,
	    .algorithm = DKIM_ED25519_SHA256, .authserv_id = SLICE("mx"),
	    .header = DKIM_RELAXED, .body = DKIM_RELAXED };
	struct slice bodies[3], why;
	struct message then;
	struct arc_chain after;

	if (arc_seal(a, msg, chain, &sealer, SLICE("spf=none"), bodies, &why)
	    != RC_OK)
		return;
	message_read(&then, a, with_set(a, head, bodies), body, NULL);
	/* A block over the limits is another one with three fields more. */
	if (then.nfields != msg->nfields + 3)
		return;
	validate(a, &then, &after);
	demand((after.status == ARC_PASS) == (chain->status != ARC_FAIL));
	demand(chain->status != ARC_FAIL || after.ended);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct slice head, body;
	struct arc_chain chain;
	struct message msg;

	begin();
	message_split(a, slice_make(data, size), &head, &body);
	message_read(&msg, a, head, body, NULL);
	validate(a, &msg, &chain);
	seal(a, head, body, &msg, &chain);
	arena_free(a);
	return 0;
}
