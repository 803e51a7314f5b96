#include "dkim/key.h"

#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/map.h"
#include "dkim/canon.h"
#include "dkim/tags.h"

enum {
	KEYS_DEFAULT = 2048,
	ED25519_BYTES = 32,
	EXPONENT_BYTES = 8		/* more make a verification slow */
};

static void
refuse(struct dkim_key *key, const char *rule, const char *reason)
{
	key->rule = rule;
	key->reason = reason;
}

/* DER, just as much of it as an RSA key needs (RFC 8017, A.1.1) */

enum { DER_INTEGER = 0x02, DER_BITS = 0x03, DER_SEQUENCE = 0x30 };

/* Takes one element of this kind from *der; *content_r is what it holds. */
static bool
der_take(struct slice *der, unsigned char kind, struct slice *content_r)
{
	const unsigned char *p = (const unsigned char *)der->ptr;
	size_t len, head = 2, more;

	if (der->len < 2 || p[0] != kind)
		return false;
	len = p[1];
	if (len >= 0x80) {
		more = len & 0x7f;
		if (more == 0 || more > 3 || der->len < 2 + more)
			return false;
		for (len = 0; head < 2 + more; head++)
			len = len << 8 | p[head];
	}
	if (len > der->len - head)
		return false;
	*content_r = slice_sub(*der, head, len);
	*der = slice_after(*der, head + len);
	return true;
}

/* A positive number without the zeroes in front; false for 0 and below. */
static bool
der_number(struct slice *der, struct slice *number_r)
{
	if (!der_take(der, DER_INTEGER, number_r) || number_r->len == 0 ||
	    (number_r->ptr[0] & 0x80) != 0)
		return false;
	while (number_r->len > 0 && number_r->ptr[0] == '\0')
		*number_r = slice_after(*number_r, 1);
	return number_r->len > 0;
}

/* rsaEncryption with its NULL; without it, as some write it. */
static bool
is_rsa(struct slice algorithm)
{
	struct slice oid = SLICE("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01");

	return slice_starts(algorithm, oid) && (algorithm.len == oid.len ||
	    slice_eq(slice_after(algorithm, oid.len), SLICE("\x05\x00")));
}

/*
 * The RSAPublicKey within p=: either that alone, as RFC 6376 writes, or in a
 * SubjectPublicKeyInfo, as its examples and all the world have it.
 */
static bool
der_rsa(struct slice der, struct slice *n_r, struct slice *e_r)
{
	struct slice outer, inner, algorithm, bits;

	if (!der_take(&der, DER_SEQUENCE, &outer) || der.len > 0)
		return false;
	inner = outer;
	if (der_take(&inner, DER_SEQUENCE, &algorithm)) {
		if (!is_rsa(algorithm) || !der_take(&inner, DER_BITS, &bits) ||
		    inner.len > 0 || bits.len == 0 || bits.ptr[0] != '\0')
			return false;
		bits = slice_after(bits, 1);
		if (!der_take(&bits, DER_SEQUENCE, &outer) || bits.len > 0)
			return false;
	}
	return der_number(&outer, n_r) && der_number(&outer, e_r) &&
	    outer.len == 0;
}

static unsigned
bits_of(struct slice number)
{
	unsigned char top = (unsigned char)number.ptr[0];
	unsigned bits = (unsigned)(number.len - 1) * 8;

	for (; top != 0; top >>= 1)
		bits++;
	return bits;
}

static EVP_PKEY *
rsa_from(const BIGNUM *n, const BIGNUM *e)
{
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	OSSL_PARAM *params = NULL;
	EVP_PKEY *pkey = NULL;

	if (build != NULL && ctx != NULL && n != NULL && e != NULL &&
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e) == 1)
		params = OSSL_PARAM_BLD_to_param(build);
	if (params != NULL && EVP_PKEY_fromdata_init(ctx) == 1 &&
	    EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
		pkey = NULL;
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(build);
	EVP_PKEY_CTX_free(ctx);
	return pkey;
}

static BIGNUM *
number(struct slice s)
{
	return BN_bin2bn((const unsigned char *)s.ptr, (int)s.len, NULL);
}

static void
read_rsa(struct dkim_key *key, struct slice der)
{
	struct slice n, e;
	BIGNUM *bn, *be;

	if (!der_rsa(der, &n, &e)) {
		refuse(key, "key-syntax", "p= of the key holds no RSA key");
		return;
	}
	key->bits = bits_of(n);
	if (key->bits > DKIM_KEY_BITS || e.len > EXPONENT_BYTES) {
		refuse(key, "key-size", "the key is too large");
		return;
	}
	if ((n.ptr[n.len - 1] & 1) == 0 || (e.ptr[e.len - 1] & 1) == 0 ||
	    bits_of(e) < 2) {
		refuse(key, "key-syntax", "the RSA key is none");
		return;
	}
	bn = number(n);
	be = number(e);
	key->pkey = rsa_from(bn, be);
	BN_free(bn);
	BN_free(be);
	if (key->pkey == NULL)
		refuse(key, "key-syntax", "the RSA key cannot be used");
}

static void
read_ed25519(struct dkim_key *key, struct slice raw)
{
	key->bits = 256;
	if (raw.len == ED25519_BYTES)
		key->pkey = EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519",
		    NULL, (const unsigned char *)raw.ptr, raw.len);
	if (key->pkey == NULL)
		refuse(key, "key-syntax", "p= of the key holds no ed25519 key");
}

static bool
lists(struct slice list, const char *word)
{
	while (list.ptr != NULL)
		if (slice_eq(tags_cut(list, ':', &list), slice_of(word)))
			return true;
	return false;
}

/* What a tag says that may be absent: its word, or "any" then. */
static bool
allows(const struct tags *tags, struct slice name, const char *word,
    const char *any)
{
	struct slice list = tags_find(tags, name);

	return list.ptr == NULL || lists(list, word) ||
	    (any != NULL && lists(list, any));
}

static void
read_p(struct arena *a, struct dkim_key *key, struct slice p)
{
	struct slice raw = tags_base64(a, p);

	if (p.ptr == NULL)
		refuse(key, "key-syntax", "the key record has no p=");
	else if (p.len == 0)
		refuse(key, "revoked", "the key is revoked");
	else if (raw.ptr == NULL)
		refuse(key, "key-syntax", "p= of the key is no base64");
	else if (key->ed25519)
		read_ed25519(key, raw);
	else
		read_rsa(key, raw);
}

static void
read_record(struct arena *a, struct dkim_key *key, struct slice record)
{
	struct tags *tags = arena_alloc(a, sizeof *tags);
	const char *fault = tags_read(record, tags);
	struct slice v, k, t;

	if (fault != NULL) {
		refuse(key, "key-syntax", "the key record is malformed");
		return;
	}
	v = tags_find(tags, SLICE("v"));
	k = tags_find(tags, SLICE("k"));
	t = tags_find(tags, SLICE("t"));
	key->looks = true;
	key->sha256 = allows(tags, SLICE("h"), "sha256", NULL);
	key->email = allows(tags, SLICE("s"), "email", "*");
	key->testing = lists(t, "y");
	key->strict = lists(t, "s");
	key->ed25519 = slice_eq(k, SLICE("ed25519"));
	/* 3.6.1: v= is optional, but it stands first. */
	if (v.ptr != NULL && (!slice_eq(v, SLICE("DKIM1")) ||
	    !slice_eq(tags->list[0].name, SLICE("v")))) {
		key->looks = slice_starts(v, SLICE("DKIM"));
		refuse(key, "key-version", "the key record is not of DKIM1");
	} else if (k.ptr != NULL && !key->ed25519 &&
	    !slice_eq(k, SLICE("rsa"))) {
		refuse(key, "key-type", "the type of the key is unknown");
	} else {
		read_p(a, key, tags_find(tags, SLICE("p")));
	}
}

static struct dkim_key *
key_new(struct slice record)
{
	struct dkim_key *key = mem_alloc(sizeof *key);
	struct arena *a = arena_new();

	*key = (struct dkim_key){ .users = 1 };
	key->looks = slice_starts(slice_trim(record), SLICE("v=DKIM1"));
	if (record.len > DKIM_RECORD_MAX)
		refuse(key, "key-size", "the key record is too long");
	else
		read_record(a, key, record);
	arena_free(a);
	return key;
}

void
dkim_key_drop(struct dkim_key *key)
{
	if (key == NULL || atomic_fetch_sub(&key->users, 1) != 1)
		return;
	EVP_PKEY_free(key->pkey);
	free(key);
}

/*
 * The cache: two maps. What is found in the old one moves to the young one;
 * when the young one holds half of what may be kept, the old one goes and the
 * young one takes its place.
 */
struct dkim_keys {
	pthread_mutex_t lock;
	struct map *young, *old;
	size_t half;
};

static bool
forget(struct slice name, void *value, void *arg)
{
	(void)name;
	(void)arg;
	dkim_key_drop(value);
	return false;
}

static void
map_drop(struct map *m)
{
	map_each(m, forget, NULL);
	map_free(m);
}

struct dkim_keys *
dkim_keys_new(size_t max)
{
	struct dkim_keys *keys = mem_alloc(sizeof *keys);

	pthread_mutex_init(&keys->lock, NULL);
	keys->young = map_new();
	keys->old = map_new();
	keys->half = max == 0 ? KEYS_DEFAULT / 2 : max / 2 + max % 2;
	return keys;
}

void
dkim_keys_free(struct dkim_keys *keys)
{
	if (keys == NULL)
		return;
	map_drop(keys->young);
	map_drop(keys->old);
	pthread_mutex_destroy(&keys->lock);
	free(keys);
}

/* Under the lock. The key gets its user first: the old map may have had it. */
static void
keep(struct dkim_keys *keys, struct slice name, struct dkim_key *key)
{
	atomic_fetch_add(&key->users, 1);
	if (map_count(keys->young) >= keys->half) {
		map_drop(keys->old);
		keys->old = keys->young;
		keys->young = map_new();
	}
	dkim_key_drop(map_put(keys->young, name, key));
}

static struct dkim_key *
look_up(struct dkim_keys *keys, struct slice name)
{
	struct dkim_key *key;

	pthread_mutex_lock(&keys->lock);
	key = map_get(keys->young, name);
	if (key == NULL) {
		key = map_get(keys->old, name);
		if (key != NULL)
			keep(keys, name, key);
	}
	if (key != NULL)
		atomic_fetch_add(&key->users, 1);
	pthread_mutex_unlock(&keys->lock);
	return key;
}

struct dkim_key *
dkim_key_get(struct dkim_keys *keys, struct slice record)
{
	unsigned char hash[DKIM_HASH];
	struct dkim_key *key;
	struct slice name;

	if (keys == NULL || EVP_Digest(record.ptr, record.len, hash, NULL,
	    dkim_sha256(), NULL) != 1)
		return key_new(record);
	name = slice_make(hash, sizeof hash);
	key = look_up(keys, name);
	if (key != NULL)
		return key;
	key = key_new(record);
	pthread_mutex_lock(&keys->lock);
	keep(keys, name, key);
	pthread_mutex_unlock(&keys->lock);
	return key;
}
