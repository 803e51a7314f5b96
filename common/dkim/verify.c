#include "dkim/verify.h"

#include <openssl/err.h>
#include <openssl/rsa.h>
#include <string.h>

#include "dkim/bodies.h"
#include "dkim/sig.h"
#include "dkim/tags.h"

static bool
rsa_good(EVP_PKEY *pkey, struct slice b, const unsigned char *hash)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
	bool good = ctx != NULL && EVP_PKEY_verify_init(ctx) == 1 &&
	    EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1 &&
	    EVP_PKEY_CTX_set_signature_md(ctx, dkim_sha256()) == 1 &&
	    EVP_PKEY_verify(ctx, (const unsigned char *)b.ptr, b.len, hash,
		DKIM_HASH) == 1;

	EVP_PKEY_CTX_free(ctx);
	return good;
}

/* RFC 8463, 3: what ed25519 signs is the hash. */
static bool
ed25519_good(EVP_PKEY *pkey, struct slice b, const unsigned char *hash)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	bool good = md != NULL && EVP_DigestVerifyInit_ex(md, NULL, NULL, NULL,
	    NULL, pkey, NULL) == 1 && EVP_DigestVerify(md,
	    (const unsigned char *)b.ptr, b.len, hash, DKIM_HASH) == 1;

	EVP_MD_CTX_free(md);
	return good;
}

/* t=s: i= is of d= itself, not of a subdomain (RFC 6376, 3.6.1). */
static bool
identity_exact(const struct dkim_signature *sig)
{
	struct slice id = sig->identity;

	return slice_eq(slice_after(id, slice_find_last(id, '@') + 1),
	    sig->domain);
}

bool
verify_fits(struct dkim_signature *sig, const struct dkim_key *key,
    const struct dkim_limits *limits)
{
	bool ed25519 = sig->algorithm == DKIM_ED25519_SHA256;

	sig->key_bits = key->bits;
	sig->testing = key->testing;
	if (key->rule != NULL)
		sig_fail(sig, DKIM_PERMERROR, key->rule, key->reason);
	else if (key->ed25519 != ed25519)
		sig_fail(sig, DKIM_PERMERROR, "key-type",
		    "the key is of another algorithm");
	else if (!key->sha256)
		sig_fail(sig, DKIM_PERMERROR, "key-hash",
		    "the key does not allow sha256");
	else if (!key->email)
		sig_fail(sig, DKIM_PERMERROR, "key-service",
		    "the key is not for mail");
	else if (key->strict && !identity_exact(sig))
		sig_fail(sig, DKIM_PERMERROR, "key-identity",
		    "the key allows no subdomain in i=");
	else if (!ed25519 && key->bits < limits->min_rsa_bits)
		sig_fail(sig, DKIM_POLICY, "key-size",
		    "the key is too small");
	else if (!ed25519 && key->bits > limits->max_rsa_bits)
		sig_fail(sig, DKIM_POLICY, "key-size",
		    "the key is too large");
	else
		return true;
	return false;
}

static void
try_key(struct dkim_signature *sig, const unsigned char *hash,
    const struct dkim_key *key, const struct dkim_limits *limits)
{
	if (!verify_fits(sig, key, limits))
		return;
	if (key->ed25519 ? ed25519_good(key->pkey, sig->b, hash) :
	    rsa_good(key->pkey, sig->b, hash))
		sig_fail(sig, DKIM_PASS, "pass", "the signature is good");
	else
		sig_fail(sig, DKIM_FAIL, "signature",
		    "the signature does not fit the header");
	ERR_clear_error();
}

/* 6.1.2, step 4: of several records each may be the one. What the first one
 * said stands when none is. */
static void
try_records(struct dkim_signature *sig, const unsigned char *hash,
    const struct dns_answer *answer, struct dkim_keys *keys,
    const struct dkim_limits *limits)
{
	struct dkim_signature first = *sig;
	unsigned tried = 0;

	sig_fail(&first, DKIM_PERMERROR, "no-key", "no key in DNS");
	for (size_t i = 0; i < answer->count && tried < DKIM_RECORDS; i++) {
		struct dkim_key *key = dkim_key_get(keys,
		    answer->records[i].data);

		if (key->looks) {
			try_key(sig, hash, key, limits);
			if (tried++ == 0)
				first = *sig;
		}
		dkim_key_drop(key);
		if (sig->result == DKIM_PASS)
			return;
	}
	*sig = first;
}

void
verify_hash(struct dkim_signature *sig, const unsigned char hash[DKIM_HASH],
    const struct dns_answer *answer, struct dkim_keys *keys,
    const struct dkim_limits *limits)
{
	if (answer == NULL || answer->status > DNS_NXDOMAIN)
		sig_fail(sig, DKIM_TEMPERROR, "dns",
		    "the key could not be asked for");
	else
		try_records(sig, hash, answer, keys, limits);
}

/* The body, once the signature over bh= is known to be good */

static void
check_body(struct dkim_signature *sig, struct dkim_bodies *bodies,
    const struct dkim_limits *limits)
{
	uint64_t limit = UINT64_MAX, length;
	const unsigned char *hash;

	hash = bodies_hash(bodies, sig->body, limit, &length);
	if (sig->has_length && hash != NULL && sig->length != length) {
		sig->partial = sig->length < length;
		if (!sig->partial) {
			sig_fail(sig, DKIM_PERMERROR, "length",
			    "l= is more than there is");
			return;
		}
		if (!limits->allow_partial) {
			sig_fail(sig, DKIM_POLICY, "partial",
			    "l= leaves a part of the body unsigned");
			return;
		}
		hash = bodies_hash(bodies, sig->body, sig->length, &length);
	}
	if (hash == NULL)
		sig_fail(sig, DKIM_POLICY, "limit",
		    "too many different body hashes");
	else if (sig->bh.len != DKIM_HASH ||
	    memcmp(sig->bh.ptr, hash, DKIM_HASH) != 0)
		sig_fail(sig, DKIM_FAIL, "body-hash",
		    "the body is not what was signed");
}

/*
 * Fields that stand once in a good message and that readers see or read by: a
 * further one above those that h= names would be unsigned (5.4.2, 8.15).
 */
static const char *const once[] = { "From", "Subject", "To", "Cc", "Date",
    "Sender", "Reply-To", "Content-Type", "Content-Transfer-Encoding" };

static size_t
times_named(const struct dkim_signature *sig, struct slice name)
{
	struct slice rest = sig->signed_fields;
	size_t n = 0;

	while (rest.ptr != NULL)
		n += slice_eq_nocase(tags_cut(rest, ':', &rest), name);
	return n;
}

void
verify_duplicates(struct dkim_signature *sig, const struct dkim_bodies *bodies)
{
	for (size_t i = 0; i < sizeof once / sizeof *once; i++) {
		struct slice name = slice_of(once[i]);
		size_t there = bodies_count(bodies, name), named;

		if (there < 2)
			continue;
		named = times_named(sig, name);
		if (named > 0 && named < there) {
			sig_fail(sig, DKIM_POLICY, "duplicate",
			    "a further field of a signed name is unsigned");
			return;
		}
	}
}

void
dkim_verify(struct arena *a, struct dkim_signature *sig,
    const struct message *msg, struct dkim_bodies *bodies,
    const struct dns_answer *key, struct dkim_keys *keys,
    const struct dkim_limits *limits)
{
	unsigned char hash[DKIM_HASH];

	(void)a;
	(void)msg;
	if (sig->result != DKIM_NONE)
		return;
	if (!bodies_headers(bodies, sig, hash)) {
		sig_fail(sig, DKIM_TEMPERROR, "crypto", "no hash was made");
		return;
	}
	verify_hash(sig, hash, key, keys, limits);
	if (sig->result == DKIM_PASS)
		check_body(sig, bodies, limits);
	if (sig->result == DKIM_PASS)
		verify_duplicates(sig, bodies);
}
