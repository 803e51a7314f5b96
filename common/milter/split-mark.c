/* The mark's bytes (split.h): sealed, encrypted, in base64. */
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <string.h>

#include "milter/split.h"
#include "text/transfer.h"

enum { NONCE = 12, TAG = 16, STAMP = 8, KEY = 32 };

/* What a mark of the second pass has in the place of a queue id, which nobody
 * knows when it is written. */
#define NO_QUEUE_ID	"second"

static bool
derive(const struct seal_key *key, unsigned pass, unsigned char out[KEY])
{
	static const char *const labels[] = { SPLIT_FIELD ": first pass",
	    SPLIT_FIELD ": second pass" };
	const char *label = labels[pass == 2];
	unsigned len = 0;

	return key->len > 0 && HMAC(EVP_sha256(), key->bytes, (int)key->len,
	    (const unsigned char *)label, strlen(label), out, &len) != NULL &&
	    len == KEY;
}

static void
put_time(unsigned char *to, int64_t t)
{
	for (int i = 0; i < STAMP; i++)
		to[i] = (unsigned char)((uint64_t)t >> (56 - 8 * i));
}

static int64_t
get_time(const unsigned char *from)
{
	uint64_t t = 0;

	for (int i = 0; i < STAMP; i++)
		t = t << 8 | from[i];
	return (int64_t)t;
}

/* out: nonce, ciphertext of `in`, tag. */
static bool
encrypt(const unsigned char key[KEY], struct slice in, unsigned char *out)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	int n = 0, end = 0;
	bool good = c != NULL && RAND_bytes(out, NONCE) == 1 &&
	    EVP_EncryptInit_ex(c, EVP_aes_256_gcm(), NULL, key, out) == 1 &&
	    EVP_EncryptUpdate(c, out + NONCE, &n,
	    (const unsigned char *)in.ptr, (int)in.len) == 1 &&
	    EVP_EncryptFinal_ex(c, out + NONCE + n, &end) == 1 &&
	    EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, TAG,
	    out + NONCE + in.len) == 1;

	EVP_CIPHER_CTX_free(c);
	return good;
}

/* out has room for what `in` has between nonce and tag. */
static bool
decrypt(const unsigned char key[KEY], struct slice in, unsigned char *out)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	const unsigned char *from = (const unsigned char *)in.ptr;
	int n = 0, end = 0, len = (int)(in.len - NONCE - TAG);
	unsigned char tag[TAG];
	bool good;

	memcpy(tag, from + in.len - TAG, TAG);
	good = c != NULL &&
	    EVP_DecryptInit_ex(c, EVP_aes_256_gcm(), NULL, key, from) == 1 &&
	    EVP_DecryptUpdate(c, out, &n, from + NONCE, len) == 1 &&
	    EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, TAG, tag) == 1 &&
	    EVP_DecryptFinal_ex(c, out + n, &end) == 1;
	EVP_CIPHER_CTX_free(c);
	return good;
}

static void
fold(struct slice base64, struct buf *out)
{
	struct slice line;

	for (bool first = true; slice_line(&base64, &line); first = false) {
		buf_adds(out, first ? " " : "\r\n ");
		buf_add(out, line);
	}
}

enum rc
split_write(const struct seal *seal, const struct seal_key *key,
    struct arena *a, struct slice *body_r)
{
	struct buf text = buf_in(a), out = buf_in(a);
	struct seal copy = *seal;
	unsigned char secret[KEY];
	struct slice body;
	unsigned char *in, *bytes;
	size_t n;

	if (copy.pass == 2)
		copy.queue_id = SLICE(NO_QUEUE_ID);
	if (!derive(key, copy.pass, secret) ||
	    seal_write(&copy, key, a, &body) != RC_OK)
		return RC_BAD;
	n = STAMP + body.len;
	in = arena_alloc(a, n);
	bytes = arena_alloc(a, n + NONCE + TAG);
	put_time(in, clock_wall());
	memcpy(in + STAMP, body.ptr, body.len);
	if (!encrypt(secret, slice_make(in, n), bytes))
		return RC_BAD;
	encode_base64(&text, slice_make(bytes, n + NONCE + TAG));
	fold(buf_slice(&text), &out);
	*body_r = buf_slice(&out);
	return body_r->len <= SPLIT_MAX ? RC_OK : RC_BAD;
}

/* Clocks of one machine; a mark of the future is none of ours. */
static bool
fresh(int64_t made)
{
	int64_t now = clock_wall();

	return made <= now + SPLIT_FRESH && made >= now - SPLIT_FRESH;
}

enum rc
split_read(struct slice body, unsigned pass, struct slice queue_id,
    const struct seal_key *key, struct arena *a, struct seal *seal_r)
{
	unsigned char secret[KEY], *plain;
	struct slice bytes, text;
	unsigned flags = 0;

	if (body.len > SPLIT_MAX || !derive(key, pass, secret))
		return RC_BAD;
	bytes = transfer_decode(a, TRANSFER_BASE64, body, SPLIT_MAX, &flags);
	if (bytes.len < NONCE + TAG + STAMP)
		return RC_BAD;
	plain = arena_alloc(a, bytes.len);
	if (!decrypt(secret, bytes, plain) ||
	    (pass == 2 && !fresh(get_time(plain))))
		return RC_BAD;
	text = slice_make(plain + STAMP, bytes.len - NONCE - TAG - STAMP);
	if (pass == 2)
		queue_id = SLICE(NO_QUEUE_ID);
	return seal_read(text, queue_id, key, a, seal_r) == RC_OK &&
	    seal_r->pass == pass ? RC_OK : RC_BAD;
}
