#include "bench/signed.h"

#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "bench/loop.h"
#include "dkim/arc.h"
#include "dkim/sign.h"
#include "mime/patch.h"

enum { KEYS = 100 };

/* Keys that were read already. */
struct ring {
	const char *folder;
	struct { const char *domain, *kind; EVP_PKEY *key; } keys[KEYS];
	size_t count;
};

struct making {
	struct ring ring;
	struct arena *arena;		/* of one message */
	struct message msg;
};

static EVP_PKEY *
key_of(struct ring *r, const char *domain, const char *kind)
{
	char path[4096];
	FILE *f;

	for (size_t i = 0; i < r->count; i++)
		if (slice_eq(slice_of(r->keys[i].domain), slice_of(domain)) &&
		    r->keys[i].kind == kind)
			return r->keys[i].key;
	snprintf(path, sizeof path, "%s/%s.%s", r->folder, domain, kind);
	f = fopen(path, "r");
	if (f == NULL || r->count == KEYS)
		bench_die("%s: cannot be read", path);
	r->keys[r->count].domain = domain;
	r->keys[r->count].kind = kind;
	r->keys[r->count].key = PEM_read_PrivateKey(f, NULL, NULL, NULL);
	fclose(f);
	if (r->keys[r->count].key == NULL)
		bench_die("%s: no key", path);
	return r->keys[r->count++].key;
}

static void
put_on_top(struct making *m, const char *name, struct slice value)
{
	struct patches p;
	struct slice head, body;

	patches_init(&p, m->arena, &m->msg);
	patch_insert(&p, slice_of(name), value);
	patches_apply(&p, m->arena, &head, &body);
	message_read(&m->msg, m->arena, head, body, NULL);
}

static void
sign(struct making *m, const char *domain, enum dkim_algorithm algorithm,
    enum dkim_canon canon)
{
	bool rsa = algorithm == DKIM_RSA_SHA256;
	struct dkim_signer signer = { .domain = slice_of(domain),
	    .selector = slice_of(rsa ? SIGNED_RSA : SIGNED_ED25519),
	    .identity = SLICE_NONE, .algorithm = algorithm,
	    .key = key_of(&m->ring, domain, rsa ? "rsa" : "ed25519"),
	    .header = canon, .body = canon, .now = clock_wall(),
	    .signed_fields = SLICE_NONE, .oversigned = SLICE_NONE };
	struct slice value, why;

	if (dkim_sign(m->arena, &m->msg, dkim_bodies_new(m->arena, &m->msg),
	    &signer, &value, &why) != RC_OK)
		bench_die("signing: %.*s", SLICE_ARG(why));
	put_on_top(m, "DKIM-Signature", value);
}

/* On top of a chain that is known to pass: we have just made it. */
static void
seal(struct making *m, const char *domain)
{
	static const char *const names[] = { "ARC-Seal",
	    "ARC-Message-Signature", "ARC-Authentication-Results" };
	struct arc_sealer sealer = { .domain = slice_of(domain),
	    .selector = SLICE(SIGNED_RSA), .algorithm = DKIM_RSA_SHA256,
	    .key = key_of(&m->ring, domain, "rsa"),
	    .authserv_id = slice_of(domain), .signed_fields = SLICE_NONE,
	    .header = DKIM_RELAXED, .body = DKIM_RELAXED,
	    .now = clock_wall() };
	struct arc_chain chain;
	struct slice bodies[3], why;

	arc_read(m->arena, &m->msg, &dkim_limits_default, &chain);
	if (chain.count > 0)
		chain.status = ARC_PASS;
	if (arc_seal(m->arena, &m->msg, &chain, &sealer,
	    SLICE("spf=none; dmarc=pass"), bodies, &why) != RC_OK)
		bench_die("sealing: %.*s", SLICE_ARG(why));
	for (int i = 2; i >= 0; i--)
		put_on_top(m, names[i], bodies[i]);
}

static void
sign_as_due(struct making *m, size_t number, const char *domain)
{
	static const char *const lists[] = SIGNED_LISTS;
	size_t turn = number % 10;

	if (turn == 7)
		sign(m, domain, DKIM_ED25519_SHA256, DKIM_RELAXED);
	sign(m, domain, DKIM_RSA_SHA256, turn == 8 ? DKIM_SIMPLE :
	    DKIM_RELAXED);
	if (turn == 6)
		sign(m, SIGNED_PROVIDER, DKIM_RSA_SHA256, DKIM_RELAXED);
	for (size_t i = 0; turn == 9 && i < 2; i++)
		seal(m, lists[i]);
}

/* What SMTP's dots stand for. */
static struct slice
undotted(struct arena *a, struct slice wire)
{
	struct buf out = buf_in(a);
	struct slice line;

	buf_room(&out, wire.len);
	while (slice_line(&wire, &line)) {
		buf_add(&out, slice_after(line, slice_starts(line,
		    SLICE(".."))));
		buf_adds(&out, "\r\n");
	}
	return buf_slice(&out);
}

static struct slice
head_of(struct making *m, const struct mix *mix, size_t number,
    const struct mail_sender *from)
{
	struct buf plain = buf_in(m->arena), out = { 0 };
	struct slice head;

	mail_header(&plain, mix, number, from);
	head = buf_slice(&plain);
	head.len -= 2;			/* the blank line */
	message_read(&m->msg, m->arena, head,
	    undotted(m->arena, mix_mail(mix, number)->body), NULL);
	sign_as_due(m, number, from->domain);
	buf_add(&out, m->msg.head);
	buf_adds(&out, "\r\n");
	return buf_slice(&out);
}

struct slice *
signed_heads(const struct mix *mix, size_t messages,
    const struct mail_sender *(*sender_of)(void *arg, size_t number),
    void *arg, const char *folder)
{
	struct slice *heads = mem_alloc(messages * sizeof *heads);
	struct making m = { .ring = { .folder = folder },
	    .arena = arena_new() };

	for (size_t i = 0; i < messages; i++) {
		heads[i] = head_of(&m, mix, i, sender_of(arg, i));
		arena_reset(m.arena);
	}
	for (size_t i = 0; i < m.ring.count; i++)
		EVP_PKEY_free(m.ring.keys[i].key);
	arena_free(m.arena);
	return heads;
}

void
signed_free(struct slice *heads, size_t messages)
{
	for (size_t i = 0; heads != NULL && i < messages; i++)
		free((void *)(uintptr_t)heads[i].ptr);
	free(heads);
}
