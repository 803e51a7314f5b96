#include "t/dkim-lab.h"

#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "dkim/bodies.h"
#include "dkim/sign.h"
#include "dkim/tags.h"
#include "text/transfer.h"

static EVP_PKEY *pkeys[LAB_KEYS];
static struct arena *kept;
static struct slice publics[LAB_KEYS];

struct slice
lab_replace(struct arena *a, struct slice in, const char *what,
    struct slice with)
{
	size_t at = slice_search(in, slice_of(what));
	struct buf out = buf_in(a);

	if (at == in.len)
		return in;
	buf_add(&out, slice_sub(in, 0, at));
	buf_add(&out, with);
	buf_add(&out, slice_after(in, at + strlen(what)));
	return buf_slice(&out);
}

static struct slice
base64(struct arena *a, const void *bytes, size_t len)
{
	struct buf out = buf_in(a);

	encode_base64(&out, slice_make(bytes, len));
	return tags_squeeze(a, buf_slice(&out));
}

static struct slice
public_of(EVP_PKEY *pkey)
{
	unsigned char raw[32], *der = NULL;
	size_t len = sizeof raw;
	struct slice out;
	int n;

	if (EVP_PKEY_is_a(pkey, "ED25519")) {
		EVP_PKEY_get_raw_public_key(pkey, raw, &len);
		return base64(kept, raw, len);
	}
	n = i2d_PUBKEY(pkey, &der);
	out = base64(kept, der, (size_t)n);
	OPENSSL_free(der);
	return out;
}

void
lab_open(void)
{
	static const unsigned bits[LAB_KEYS] = { 2048, 0, 512, 1024, 3072,
	    2048 };

	kept = arena_new();
	for (int i = 0; i < LAB_KEYS; i++) {
		pkeys[i] = bits[i] > 0 ? EVP_RSA_gen(bits[i]) :
		    EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
		if (pkeys[i] == NULL)
			abort();
		publics[i] = public_of(pkeys[i]);
	}
}

void
lab_close(void)
{
	for (int i = 0; i < LAB_KEYS; i++)
		EVP_PKEY_free(pkeys[i]);
	arena_free(kept);
}

EVP_PKEY *
lab_pkey(enum lab_key key)
{
	return pkeys[key];
}

struct slice
lab_p(enum lab_key key)
{
	return publics[key];
}

struct slice
lab_record(struct arena *a, const char *text, enum lab_key key)
{
	if (text == NULL)
		text = key == LAB_ED25519 ? "v=DKIM1; k=ed25519; p=%p" :
		    "v=DKIM1; k=rsa; p=%p";
	return lab_replace(a, slice_of(text), "%p", publics[key]);
}

static void
der_wrap(struct buf *out, unsigned char kind, struct slice content)
{
	buf_addc(out, (char)kind);
	if (content.len >= 0x80) {
		buf_addc(out, (char)0x83);
		buf_addc(out, (char)(content.len >> 16));
		buf_addc(out, (char)(content.len >> 8));
	}
	buf_addc(out, (char)content.len);
	buf_add(out, content);
}

struct slice
lab_p_bits(struct arena *a, unsigned bits, unsigned exponent)
{
	size_t len = (bits + 7) / 8;
	char *n = arena_alloc(a, len + 1), e[4];
	struct buf inner = buf_in(a), out = buf_in(a);

	memset(n, 0x5b, len + 1);
	n[0] = 0;
	n[1] = (char)(1 << ((bits - 1) % 8));
	e[0] = (char)(exponent >> 24);
	e[1] = (char)(exponent >> 16);
	e[2] = (char)(exponent >> 8);
	e[3] = (char)exponent;
	der_wrap(&inner, 0x02, slice_make(n, len + 1));
	der_wrap(&inner, 0x02, slice_make(e, 4));
	der_wrap(&out, 0x30, buf_slice(&inner));
	return base64(a, out.ptr, out.len);
}

struct dns_answer *
lab_answer(struct arena *a, struct slice record)
{
	struct dns_answer *answer = arena_alloc(a, sizeof *answer);
	struct dns_record *r = arena_alloc(a, sizeof *r);

	r->data = record;
	answer->status = record.ptr != NULL ? DNS_OK : DNS_NXDOMAIN;
	answer->records = r;
	answer->count = record.ptr != NULL;
	return answer;
}

/* What the text says of how it is to be hashed, wrong as it may be. */
static void
read_text(struct slice text, struct dkim_signature *sig, uint64_t *length_r)
{
	static struct tags tags;
	struct slice c, l;

	memset(sig, 0, sizeof *sig);
	tags_read(text, &tags);
	c = tags_find(&tags, SLICE("c"));
	l = tags_find(&tags, SLICE("l"));
	sig->header = slice_starts(c, SLICE("relaxed"));
	sig->body = slice_ends(c, SLICE("/relaxed"));
	sig->signed_fields = tags_find(&tags, SLICE("h"));
	*length_r = UINT64_MAX;
	slice_number(l, UINT64_MAX, length_r);
}

static struct slice
sign_text(struct arena *a, struct dkim_bodies *bodies, const char *name,
    struct slice text, enum lab_key key)
{
	struct buf all = buf_in(a);
	unsigned char hash[DKIM_HASH];
	struct dkim_signature sig;
	struct tags tags;
	struct slice span, b = SLICE("AAAA"), why;
	struct field f;
	uint64_t length;

	buf_addf(&all, "%s:", name);
	buf_add(&all, text);
	buf_adds(&all, "\r\n");
	f.raw = buf_slice(&all);
	f.name = slice_sub(f.raw, 0, strlen(name));
	f.body = slice_sub(f.raw, strlen(name) + 1, text.len);
	read_text(f.body, &sig, &length);
	tags_read(f.body, &tags);
	span = tags_span(&tags, SLICE("b"));
	sig.b_at = span.ptr != NULL ? (size_t)(span.ptr - f.body.ptr) : 0;
	sig.b_len = span.len;
	if (bodies_headers_of(bodies, &sig, &f, hash))
		sign_hash(a, pkeys[key], hash, &b, &why);
	return lab_replace(a, f.raw, "%b", b);
}

struct slice
lab_sign(struct arena *a, struct slice head, struct slice body,
    const char *name, const char *text, enum lab_key key)
{
	struct slice with = slice_of(text);
	struct dkim_bodies *bodies;
	struct dkim_signature sig;
	struct buf out = buf_in(a);
	const unsigned char *hash;
	struct message msg;
	uint64_t length;

	message_read(&msg, a, head, body, NULL);
	bodies = dkim_bodies_new(a, &msg);
	read_text(with, &sig, &length);
	hash = bodies_hash(bodies, sig.body, length, &length);
	with = lab_replace(a, with, "%h", base64(a, hash, DKIM_HASH));
	buf_add(&out, sign_text(a, bodies, name, with, key));
	buf_add(&out, head);
	return buf_slice(&out);
}

/* All ARC fields in relaxed form, the lowest first, and the seal that is to
 * stand above them. */
static struct slice
sealed(struct arena *a, struct slice head, const struct field *seal)
{
	struct buf all = buf_in(a);
	struct message msg;
	struct tags tags;
	struct slice span;

	message_read(&msg, a, head, SLICE(""), NULL);
	for (size_t i = msg.nfields; i > 0; i--)
		if (slice_starts_nocase(msg.fields[i - 1].name, SLICE("ARC-")))
			canon_field(&all, DKIM_RELAXED, &msg.fields[i - 1]);
	tags_read(seal->body, &tags);
	span = tags_span(&tags, SLICE("b"));
	canon_signature(&all, DKIM_RELAXED, seal, span);
	return buf_slice(&all);
}

struct slice
lab_arc(struct arena *a, struct slice head, struct slice body,
    unsigned instance, const char *const texts[3], enum lab_key key)
{
	struct slice n = arena_printf(a, "%u", instance), text[3];
	struct slice b = SLICE("AAAA"), why, bytes;
	struct buf out = buf_in(a);
	unsigned char hash[DKIM_HASH];
	struct field seal;

	for (int i = 0; i < 3; i++)
		text[i] = texts[i] == NULL ? SLICE_NONE :
		    lab_replace(a, slice_of(texts[i]), "%n", n);
	if (texts[0] != NULL) {
		buf_add(&out, SLICE("ARC-Authentication-Results:"));
		buf_add(&out, text[0]);
		buf_add(&out, SLICE("\r\n"));
	}
	buf_add(&out, head);
	if (texts[1] != NULL) {
		/* The AMS signs the message without its own AAR. */
		bytes = lab_sign(a, head, body, "ARC-Message-Signature",
		    arena_str(a, text[1]), key);
		bytes = slice_sub(bytes, 0, bytes.len - head.len);
		head = buf_slice(&out);
		out = buf_in(a);
		buf_add(&out, bytes);
		buf_add(&out, head);
	}
	if (texts[2] == NULL)
		return buf_slice(&out);
	seal = sign_made(a, SLICE("ARC-Seal"), text[2]);
	bytes = sealed(a, buf_slice(&out), &seal);
	EVP_Digest(bytes.ptr, bytes.len, hash, NULL, dkim_sha256(), NULL);
	sign_hash(a, pkeys[key], hash, &b, &why);
	head = buf_slice(&out);
	out = buf_in(a);
	buf_add(&out, lab_replace(a, seal.raw, "%b", b));
	buf_add(&out, head);
	return buf_slice(&out);
}
