#include "store/crypt.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/core_names.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/write.h"
#include "store/crypt-keys.h"

enum { NONCE = 12, SECRET = 32 };

static const char magic[8] = "GHcrypt1";

/* One direction of one file: the cipher under its key, and where it stands. */
struct stream {
	EVP_CIPHER_CTX *cipher;
	unsigned char header[CRYPT_HEADER];
	uint64_t number;		/* of the next chunk */
	int fd;
};

struct crypt_writer {
	struct stream s;
	size_t used;
	unsigned char plain[CRYPT_CHUNK];
	unsigned char sealed[CRYPT_CHUNK + CRYPT_TAG];
};

struct crypt_reader {
	struct stream s;
	size_t have;			/* bytes in sealed, one chunk ahead */
	bool ended, broken;
	unsigned char plain[CRYPT_CHUNK];
	/* One byte more than a chunk tells whether another one follows. */
	unsigned char sealed[CRYPT_CHUNK + CRYPT_TAG + 1];
};

/*
 * HKDF of the shared secret; both public keys are its salt, so that a file
 * that was written to another key never has this one's cipher key.
 */
static bool
derive(const unsigned char secret[SECRET], const unsigned char *ephemeral,
    const unsigned char *receiver, unsigned char key_r[SECRET])
{
	unsigned char salt[2 * CRYPT_KEY];
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *ctx = kdf != NULL ? EVP_KDF_CTX_new(kdf) : NULL;
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST,
		    (char *)(uintptr_t)"SHA256", 0),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY,
		    (void *)(uintptr_t)secret, SECRET),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, salt,
		    sizeof salt),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO,
		    (void *)(uintptr_t)"gatehouse store 1", 17),
		OSSL_PARAM_construct_end(),
	};
	bool good;

	memcpy(salt, ephemeral, CRYPT_KEY);
	memcpy(salt + CRYPT_KEY, receiver, CRYPT_KEY);
	good = ctx != NULL && EVP_KDF_derive(ctx, key_r, SECRET, params) == 1;
	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
	return good;
}

/* OpenSSL refuses a peer whose share would make the secret all zeros. */
static bool
shared_secret(EVP_PKEY *mine, const unsigned char theirs[CRYPT_KEY],
    unsigned char secret_r[SECRET])
{
	EVP_PKEY *peer = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL,
	    theirs, CRYPT_KEY);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(mine, NULL);
	size_t len = SECRET;
	bool good = peer != NULL && ctx != NULL &&
	    EVP_PKEY_derive_init(ctx) == 1 &&
	    EVP_PKEY_derive_set_peer(ctx, peer) == 1 &&
	    EVP_PKEY_derive(ctx, secret_r, &len) == 1 && len == SECRET;

	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(peer);
	return good;
}

/* The cipher of a file, for the side that has `mine`. */
static bool
stream_open(struct stream *s, EVP_PKEY *mine, const unsigned char *theirs,
    const unsigned char *receiver, bool encrypt)
{
	unsigned char secret[SECRET], key[SECRET];
	bool good = shared_secret(mine, theirs, secret) &&
	    derive(secret, s->header + sizeof magic + CRYPT_ID, receiver,
	    key);

	s->cipher = EVP_CIPHER_CTX_new();
	good = good && s->cipher != NULL && EVP_CipherInit_ex2(s->cipher,
	    EVP_aes_256_gcm(), key, NULL, encrypt, NULL) == 1;
	OPENSSL_cleanse(secret, sizeof secret);
	OPENSSL_cleanse(key, sizeof key);
	return good;
}

/* Its number, and whether it is the last: two chunks never share a nonce, and
 * neither stands for the other. */
static void
nonce_of(const struct stream *s, bool last, unsigned char nonce_r[NONCE])
{
	memset(nonce_r, 0, NONCE);
	for (int i = 0; i < 8; i++)
		nonce_r[10 - i] = (unsigned char)(s->number >> (8 * i));
	nonce_r[11] = last ? 1 : 0;
}

static bool
begin_chunk(struct stream *s, bool last)
{
	unsigned char nonce[NONCE];
	int n;

	nonce_of(s, last, nonce);
	s->number++;
	return EVP_CipherInit_ex2(s->cipher, NULL, NULL, nonce, -1, NULL) == 1
	    && EVP_CipherUpdate(s->cipher, NULL, &n, s->header,
	    CRYPT_HEADER) == 1;
}

static bool
put_chunk(struct crypt_writer *w, bool last)
{
	int n = 0, end = 0;

	if (!begin_chunk(&w->s, last) ||
	    EVP_EncryptUpdate(w->s.cipher, w->sealed, &n, w->plain,
	    (int)w->used) != 1 ||
	    EVP_EncryptFinal_ex(w->s.cipher, w->sealed + n, &end) != 1 ||
	    EVP_CIPHER_CTX_ctrl(w->s.cipher, EVP_CTRL_AEAD_GET_TAG,
	    CRYPT_TAG, w->sealed + n) != 1) {
		errno = EIO;
		return false;
	}
	w->used = 0;
	return write_all(w->s.fd, slice_make(w->sealed, (size_t)n +
	    CRYPT_TAG));
}

static bool
open_to(struct crypt_writer *w, const struct crypt_public *to)
{
	EVP_PKEY *own = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
	unsigned char *h = w->s.header;
	size_t len = CRYPT_KEY;
	bool good;

	memcpy(h, magic, sizeof magic);
	memcpy(h + sizeof magic, to->id, CRYPT_ID);
	good = own != NULL && EVP_PKEY_get_raw_public_key(own,
	    h + sizeof magic + CRYPT_ID, &len) == 1 &&
	    stream_open(&w->s, own, to->key, to->key, true);
	EVP_PKEY_free(own);
	if (!good)
		errno = EIO;
	return good;
}

struct crypt_writer *
crypt_write_begin(const struct crypt_public *to, int fd)
{
	struct crypt_writer *w = mem_alloc(sizeof *w);

	w->s.fd = fd;
	if (open_to(w, to) && write_all(fd, slice_make(w->s.header,
	    CRYPT_HEADER)))
		return w;
	crypt_write_drop(w);
	return NULL;
}

bool
crypt_write(struct crypt_writer *w, struct slice bytes)
{
	while (bytes.len > 0) {
		size_t n = CRYPT_CHUNK - w->used;

		/* A full chunk goes out when more follows: it is not known
		 * before whether it is the last. */
		if (n == 0 && !put_chunk(w, false))
			return false;
		n = CRYPT_CHUNK - w->used;
		if (n > bytes.len)
			n = bytes.len;
		memcpy(w->plain + w->used, bytes.ptr, n);
		w->used += n;
		bytes = slice_after(bytes, n);
	}
	return true;
}

bool
crypt_write_end(struct crypt_writer *w)
{
	bool good = put_chunk(w, true);
	int saved = errno;

	crypt_write_drop(w);
	errno = saved;
	return good;
}

void
crypt_write_drop(struct crypt_writer *w)
{
	int saved = errno;

	if (w == NULL)
		return;
	EVP_CIPHER_CTX_free(w->s.cipher);
	OPENSSL_cleanse(w->plain, sizeof w->plain);
	free(w);
	errno = saved;
}

/* Up to n bytes, fewer only at the end of the file; -1: errno. */
static ssize_t
read_up_to(int fd, unsigned char *to, size_t n)
{
	size_t have = 0;

	while (have < n) {
		ssize_t got = read(fd, to + have, n - have);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		have += (size_t)got;
	}
	return (ssize_t)have;
}

static bool
open_from(struct crypt_reader *r, const struct crypt_key *key)
{
	EVP_PKEY *own = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL,
	    key->secret, CRYPT_KEY);
	bool good = own != NULL && stream_open(&r->s, own, r->s.header +
	    sizeof magic + CRYPT_ID, key->pub.key, false);

	EVP_PKEY_free(own);
	return good;
}

static enum rc
read_header(struct crypt_reader *r, const struct crypt_keys *keys,
    const char **why_r)
{
	const struct crypt_key *key;
	ssize_t n = read_up_to(r->s.fd, r->s.header, CRYPT_HEADER);

	if (n < 0) {
		*why_r = "cannot be read";
		return RC_RETRY;
	}
	if (n < CRYPT_HEADER ||
	    memcmp(r->s.header, magic, sizeof magic) != 0) {
		*why_r = "does not begin as an encrypted file";
		return RC_BAD;
	}
	key = crypt_keys_find(keys, r->s.header + sizeof magic);
	if (key == NULL) {
		*why_r = "was encrypted to a key that is not here";
		return RC_RETRY;
	}
	if (open_from(r, key))
		return RC_OK;
	*why_r = "has an impossible key in its header";
	return RC_BAD;
}

struct crypt_reader *
crypt_read_begin(int fd, const struct crypt_keys *keys, enum rc *rc_r,
    const char **why_r)
{
	struct crypt_reader *r = mem_alloc(sizeof *r);

	r->s.fd = fd;
	*rc_r = read_header(r, keys, why_r);
	if (*rc_r == RC_OK)
		return r;
	crypt_read_end(r);
	return NULL;
}

/* n bytes of sealed, tag included, become plain ones. */
static bool
open_chunk(struct crypt_reader *r, size_t n, bool last)
{
	int len = 0, end = 0;

	/* An empty chunk only where there is nothing else: else the same
	 * bytes could be written in two ways. */
	if (n < CRYPT_TAG || (n == CRYPT_TAG && (!last || r->s.number > 0)))
		return false;
	n -= CRYPT_TAG;
	return begin_chunk(&r->s, last) &&
	    EVP_DecryptUpdate(r->s.cipher, r->plain, &len, r->sealed,
	    (int)n) == 1 &&
	    EVP_CIPHER_CTX_ctrl(r->s.cipher, EVP_CTRL_AEAD_SET_TAG, CRYPT_TAG,
	    r->sealed + n) == 1 &&
	    EVP_DecryptFinal_ex(r->s.cipher, r->plain + len, &end) == 1;
}

enum rc
crypt_read(struct crypt_reader *r, struct slice *piece_r)
{
	size_t whole = CRYPT_CHUNK + CRYPT_TAG, n;
	ssize_t got;

	*piece_r = SLICE("");
	if (r->broken)
		return RC_BAD;
	if (r->ended)
		return RC_OK;
	got = read_up_to(r->s.fd, r->sealed + r->have,
	    sizeof r->sealed - r->have);
	if (got < 0)
		return RC_RETRY;
	n = r->have + (size_t)got;
	r->ended = n <= whole;
	if (!open_chunk(r, r->ended ? n : whole, r->ended)) {
		OPENSSL_cleanse(r->plain, sizeof r->plain);
		r->broken = true;
		return RC_BAD;
	}
	r->have = r->ended ? 0 : n - whole;
	if (r->have > 0)
		r->sealed[0] = r->sealed[whole];
	*piece_r = slice_make(r->plain, (r->ended ? n : whole) - CRYPT_TAG);
	return RC_OK;
}

void
crypt_read_end(struct crypt_reader *r)
{
	if (r == NULL)
		return;
	EVP_CIPHER_CTX_free(r->s.cipher);
	OPENSSL_cleanse(r->plain, sizeof r->plain);
	free(r);
}
