#include "cells/unpack/pdf_crypt.h"

#include <openssl/evp.h>
#include <string.h>

#include "base/buf.h"
#include "cells/unpack/pdf_font.h"
#include "cells/unpack/pdf_object.h"

enum {
	MD5 = 16, SHA256 = 32, SHA384 = 48, SHA512 = 64, BLOCK = 16,
	ROUNDS = 64, COPIES = 64,
};

/* What fills up a password, or stands for none (ISO 32000-1, 7.6.3.3). */
static const unsigned char pad[32] = {
	0x28, 0xbf, 0x4e, 0x5e, 0x4e, 0x75, 0x8a, 0x41, 0x64, 0x00, 0x4e, 0x56,
	0xff, 0xfa, 0x01, 0x08, 0x2e, 0x2e, 0x00, 0xb6, 0xd0, 0x68, 0x3e, 0x80,
	0x2f, 0x0c, 0xa9, 0xfe, 0x64, 0x53, 0x69, 0x7a,
};

static void
rc4(const unsigned char *key, size_t nkey, struct slice s, unsigned char *out)
{
	unsigned char box[256], swap;
	unsigned i, j = 0;

	for (i = 0; i < 256; i++)
		box[i] = (unsigned char)i;
	for (i = 0; i < 256; i++) {
		j = (j + box[i] + key[i % nkey]) & 255;
		swap = box[i];
		box[i] = box[j];
		box[j] = swap;
	}
	i = j = 0;
	for (size_t n = 0; n < s.len; n++) {
		i = (i + 1) & 255;
		j = (j + box[i]) & 255;
		swap = box[i];
		box[i] = box[j];
		box[j] = swap;
		out[n] = (unsigned char)((unsigned char)s.ptr[n] ^
		    box[(box[i] + box[j]) & 255]);
	}
}

/* Whole blocks of CBC, nothing taken off; false: OpenSSL would not. */
static bool
aes(const unsigned char *key, size_t nkey, const unsigned char *iv,
    struct slice s, bool encrypt, unsigned char *out)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	const EVP_CIPHER *kind = nkey == 32 ? EVP_aes_256_cbc() :
	    EVP_aes_128_cbc();
	int n = 0;
	bool good = c != NULL && s.len < INT32_MAX &&
	    EVP_CipherInit_ex(c, kind, NULL, key, iv, encrypt) == 1 &&
	    EVP_CIPHER_CTX_set_padding(c, 0) == 1 &&
	    EVP_CipherUpdate(c, out, &n, (const unsigned char *)s.ptr,
	    (int)(s.len / BLOCK * BLOCK)) == 1;

	EVP_CIPHER_CTX_free(c);
	return good;
}

static bool
digest(const EVP_MD *kind, struct slice s, unsigned char *out)
{
	return EVP_Digest(s.ptr, s.len, out, NULL, kind, NULL) == 1;
}

void
pdf_crypt_prepare(void)
{
	unsigned char out[SHA512], block[BLOCK] = { 0 };
	struct slice s = slice_make(block, sizeof block);

	/* What fails here fails again later, and is locked then. */
	(void)digest(EVP_md5(), s, out);
	(void)digest(EVP_sha256(), s, out);
	(void)digest(EVP_sha384(), s, out);
	(void)digest(EVP_sha512(), s, out);
	(void)aes(block, sizeof block, block, s, false, out);
}

/* ---- the key ---- */

static struct slice
string(const struct pdf *pdf, struct slice dictionary, const char *key)
{
	struct slice value = pdf_find(pdf, pdf_get(dictionary, key)), one, rest;
	struct buf out = buf_in(pdf->arena);

	if (pdf_value(value, &one, &rest) && (slice_starts(one, SLICE("(")) ||
	    (slice_starts(one, SLICE("<")) && !slice_starts(one,
	    SLICE("<<")))))
		pdf_string(one, &out);
	return buf_slice(&out);
}

static int64_t
integer(const struct pdf *pdf, struct slice dictionary, const char *key,
    int64_t usual)
{
	struct slice value = pdf_find(pdf, pdf_get(dictionary, key)), one, rest;
	uint64_t number;
	bool minus;

	if (!pdf_value(value, &one, &rest))
		return usual;
	minus = slice_starts(one, SLICE("-"));
	if (!slice_number(slice_after(one, minus), UINT32_MAX, &number))
		return usual;
	return minus ? -(int64_t)number : (int64_t)number;
}

/* Revisions 2 to 4, algorithm 2. */
static bool
old_key(const struct pdf *pdf, struct slice d, struct slice id, int64_t r,
    struct pdf_crypt *c)
{
	uint32_t p = (uint32_t)integer(pdf, d, "P", 0);
	char flags[4] = { (char)p, (char)(p >> 8), (char)(p >> 16),
	    (char)(p >> 24) };
	struct buf b = buf_in(pdf->arena);
	unsigned char hash[MD5];

	buf_add(&b, slice_make(pad, sizeof pad));
	buf_add(&b, slice_sub(string(pdf, d, "O"), 0, 32));
	buf_add(&b, slice_make(flags, sizeof flags));
	buf_add(&b, id);
	if (r >= 4 && !c->metadata)
		buf_add(&b, slice_make("\377\377\377\377", 4));
	if (!digest(EVP_md5(), buf_slice(&b), hash))
		return false;
	for (int i = 0; r >= 3 && i < 50; i++)
		if (!digest(EVP_md5(), slice_make(hash,
		    c->nkey), hash))
			return false;
	memcpy(c->key, hash, c->nkey);
	return true;
}

/* Is it the key? Algorithms 4 and 5: the pad, encrypted, is told in U. */
static bool
old_fits(const struct pdf *pdf, struct slice d, struct slice id, int64_t r,
    const struct pdf_crypt *c)
{
	struct slice u = string(pdf, d, "U");
	struct buf b = buf_in(pdf->arena);
	unsigned char out[sizeof pad], key[MD5];
	size_t n = r == 2 ? sizeof pad : MD5;

	buf_add(&b, slice_make(pad, sizeof pad));
	if (r == 2) {
		rc4(c->key, c->nkey, buf_slice(&b), out);
	} else {
		buf_add(&b, id);
		if (!digest(EVP_md5(), buf_slice(&b), out))
			return false;
		for (unsigned i = 0; i < 20; i++) {
			for (size_t k = 0; k < c->nkey; k++)
				key[k] = (unsigned char)(c->key[k] ^ i);
			rc4(key, c->nkey, slice_make(out, MD5), out);
		}
	}
	return u.len >= n && memcmp(u.ptr, out, n) == 0;
}

/* Revision 6, algorithm 2.B with no password: rounds of AES and of the hash
 * that its first bytes choose, 64 at least, until the last byte is low enough.
 * A byte is at most 255, so there are no more than 287. */
static bool
hardened(unsigned char hash[SHA512], struct arena *a)
{
	static const size_t sizes[] = { SHA256, SHA384, SHA512 };
	const EVP_MD *kinds[] = { EVP_sha256(), EVP_sha384(), EVP_sha512() };
	unsigned char *text = arena_alloc(a, COPIES * (size_t)SHA512);
	unsigned char *out = arena_alloc(a, COPIES * (size_t)SHA512);
	unsigned last = 0;
	size_t n = SHA256;

	for (unsigned i = 0; i < ROUNDS || last + ROUNDS / 2 > i; i++) {
		struct slice all = slice_make(out, n * COPIES);
		unsigned sum = 0;

		for (size_t k = 0; k < COPIES; k++)
			memcpy(text + k * n, hash, n);
		if (!aes(hash, BLOCK, hash + BLOCK, slice_make(text, all.len),
		    true, out))
			return false;
		for (int k = 0; k < BLOCK; k++)
			sum += out[k];
		last = out[all.len - 1];
		if (!digest(kinds[sum % 3], all, hash))
			return false;
		n = sizes[sum % 3];
	}
	return true;
}

/* Revisions 5 and 6, algorithm 2.A: eight bytes of salt for the proof, eight
 * for the key, both behind the hash in U. */
static bool
salted(struct slice salt, int64_t r, unsigned char hash[SHA512],
    struct arena *a)
{
	return digest(EVP_sha256(), salt, hash) && (r < 6 ||
	    hardened(hash, a));
}

static bool
new_key(const struct pdf *pdf, struct slice d, int64_t r, struct pdf_crypt *c)
{
	static const unsigned char zeros[BLOCK];
	struct slice u = string(pdf, d, "U"), ue = string(pdf, d, "UE");
	unsigned char hash[SHA512];

	if (u.len < SHA256 + 16 || ue.len < SHA256)
		return false;
	if (!salted(slice_sub(u, SHA256, 8), r, hash, pdf->arena) ||
	    memcmp(hash, u.ptr, SHA256) != 0 ||
	    !salted(slice_sub(u, SHA256 + 8, 8), r, hash, pdf->arena))
		return false;
	return aes(hash, SHA256, zeros, slice_sub(ue, 0, SHA256), false,
	    c->key);
}

/* ---- which cipher ---- */

static enum pdf_cipher
cipher(const struct pdf *pdf, struct slice d, const char *which, bool *known)
{
	struct slice name = pdf_get(d, which), filters, filter, method;

	if (name.len == 0 || slice_eq(name, SLICE("/Identity")))
		return PDF_NONE;
	filters = pdf_find(pdf, pdf_get(d, "CF"));
	filter = pdf_find(pdf, pdf_get(filters, arena_str(pdf->arena,
	    slice_after(name, 1))));
	method = pdf_get(filter, "CFM");
	if (slice_eq(method, SLICE("/V2")))
		return PDF_RC4;
	if (slice_eq(method, SLICE("/AESV2")) ||
	    slice_eq(method, SLICE("/AESV3")))
		return PDF_AES;
	*known = *known && slice_eq(method, SLICE("/None"));
	return PDF_NONE;
}

static bool
read_ciphers(const struct pdf *pdf, struct slice d, int64_t v,
    struct pdf_crypt *c)
{
	int64_t bits = integer(pdf, d, "Length", v == 4 ? 128 : 40);
	bool known = true;

	c->streams = c->strings = PDF_RC4;
	c->nkey = v == 1 ? 5 : v == 4 ? 16 : (size_t)bits / 8;
	if (v == 5)
		c->nkey = sizeof c->key;
	if (v < 1 || v > 5 || v == 3 || bits < 40 || bits > 256 ||
	    (v < 5 && c->nkey > 16))
		return false;
	if (v >= 4) {
		c->streams = cipher(pdf, d, "StmF", &known);
		c->strings = cipher(pdf, d, "StrF", &known);
	}
	c->direct = v == 5;
	return known;
}

void
pdf_crypt_open(const struct pdf *pdf, struct slice d, struct slice id,
    struct pdf_crypt *c)
{
	int64_t r = integer(pdf, d, "R", 0);
	bool good;

	*c = (struct pdf_crypt){ .lock = PDF_LOCKED };
	c->metadata = !slice_eq(pdf_get(d, "EncryptMetadata"),
	    SLICE("false"));
	good = slice_eq(pdf_get(d, "Filter"), SLICE("/Standard")) &&
	    r >= 2 && r <= 6 && read_ciphers(pdf, d,
	    integer(pdf, d, "V", 0), c);
	if (good && c->direct)
		good = r >= 5 && new_key(pdf, d, r, c);
	else if (good)
		good = r <= 4 && old_key(pdf, d, id, r, c) &&
		    old_fits(pdf, d, id, r, c);
	if (good)
		c->lock = PDF_OPEN;
}

/* ---- bytes ---- */

/* Algorithm 1: a key for each object. */
static size_t
object_key(const struct pdf_crypt *c, enum pdf_cipher cipher, uint32_t number,
    uint32_t generation, unsigned char out[32])
{
	unsigned char text[sizeof c->key + 9];
	size_t n = c->nkey;

	memcpy(text, c->key, n);
	if (c->direct) {
		memcpy(out, text, n);
		return n;
	}
	for (unsigned i = 0; i < 3; i++)
		text[n++] = (unsigned char)(number >> i * 8);
	for (unsigned i = 0; i < 2; i++)
		text[n++] = (unsigned char)(generation >> i * 8);
	if (cipher == PDF_AES) {
		memcpy(text + n, "sAlT", 4);
		n += 4;
	}
	if (!digest(EVP_md5(), slice_make(text, n), out))
		return 0;
	return c->nkey + 5 < MD5 ? c->nkey + 5 : MD5;
}

struct slice
pdf_crypt_bytes(const struct pdf_crypt *c, bool of_string, uint32_t number,
    uint32_t generation, struct slice s, struct arena *a)
{
	enum pdf_cipher cipher = of_string ? c->strings : c->streams;
	unsigned char key[32], *out;
	size_t nkey, fill;

	if (c->lock != PDF_OPEN || cipher == PDF_NONE || s.len == 0)
		return s;
	nkey = object_key(c, cipher, number, generation, key);
	out = arena_alloc(a, s.len);
	if (cipher == PDF_RC4 && nkey > 0) {
		rc4(key, nkey, s, out);
		return slice_make(out, s.len);
	}
	/* Behind what it began with come whole blocks, filled up at the end. */
	if (s.len < 2 * BLOCK || nkey < BLOCK)
		return SLICE("");
	s = slice_sub(s, 0, s.len / BLOCK * BLOCK);
	if (!aes(key, nkey, (const unsigned char *)s.ptr, slice_after(s,
	    BLOCK), false, out))
		return SLICE("");
	fill = out[s.len - BLOCK - 1];
	return slice_make(out, s.len - BLOCK - (fill <= BLOCK ? fill : 0));
}
