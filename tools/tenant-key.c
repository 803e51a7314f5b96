#include "tools/tenant-key.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dkim/key.h"

enum { RSA_BITS = 2048, ED25519_BYTES = 32 };

static enum rc
ssl_fails(const char *what, struct arena *a, struct slice *why_r)
{
	char text[256];

	ERR_error_string_n(ERR_get_error(), text, sizeof text);
	ERR_clear_error();
	*why_r = arena_printf(a, "%s: %s", what, text);
	return RC_RETRY;
}

static enum rc
fails(const char *path, struct arena *a, struct slice *why_r)
{
	*why_r = arena_printf(a, "%s: %s", path, strerror(errno));
	return RC_RETRY;
}

/* Written whole under another name; then linked, so that no key is ever
 * overwritten. */
static enum rc
write_key(const char *path, EVP_PKEY *key, struct arena *a,
    struct slice *why_r)
{
	const char *new = arena_printf(a, "%s.new", path).ptr;
	int fd;
	FILE *f;
	bool good;
	enum rc rc = RC_OK;

	unlink(new);
	fd = open(new, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	f = fd >= 0 ? fdopen(fd, "w") : NULL;
	if (f == NULL)
		return fails(new, a, why_r);
	good = PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL) == 1;
	if (fflush(f) != 0 || fsync(fd) != 0 || !good)
		rc = good ? fails(new, a, why_r) :
		    ssl_fails(new, a, why_r);
	fclose(f);
	if (rc == RC_OK && link(new, path) != 0)
		rc = fails(path, a, why_r);
	unlink(new);
	return rc;
}

enum rc
key_make(const char *path, enum tenant_algorithm algorithm, struct arena *a,
    EVP_PKEY **key_r, struct slice *why_r)
{
	EVP_PKEY *key = algorithm == TENANT_ED25519 ?
	    EVP_PKEY_Q_keygen(NULL, NULL, "ED25519") :
	    EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)RSA_BITS);
	enum rc rc;

	if (key == NULL)
		return ssl_fails("a key cannot be made", a, why_r);
	rc = write_key(path, key, a, why_r);
	if (rc == RC_OK)
		*key_r = key;
	else
		EVP_PKEY_free(key);
	return rc;
}

enum rc
key_load(const char *path, struct arena *a, EVP_PKEY **key_r,
    struct slice *why_r)
{
	FILE *f = fopen(path, "re");
	struct stat st;
	EVP_PKEY *key;

	if (f == NULL || fstat(fileno(f), &st) != 0) {
		if (f != NULL)
			fclose(f);
		return fails(path, a, why_r);
	}
	if ((st.st_mode & 0007) != 0) {
		fclose(f);
		*why_r = arena_printf(a, "%s: others may read it; chmod 0600 "
		    "it, and make another key: this one may be known", path);
		return RC_BAD;
	}
	key = PEM_read_PrivateKey(f, NULL, NULL, (void *)(uintptr_t)"");
	fclose(f);
	if (key == NULL) {
		ssl_fails(path, a, why_r);
		return RC_BAD;
	}
	*key_r = key;
	return RC_OK;
}

static struct slice
base64(struct arena *a, const unsigned char *bytes, size_t n)
{
	unsigned char *out = arena_alloc(a, n / 3 * 4 + 8);

	return slice_make(out, (size_t)EVP_EncodeBlock(out, bytes, (int)n));
}

enum rc
key_record(EVP_PKEY *key, struct arena *a, struct slice *record_r,
    struct slice *why_r)
{
	unsigned char raw[ED25519_BYTES], *der = NULL;
	size_t n = sizeof raw;
	struct slice p;
	int len;

	if (EVP_PKEY_is_a(key, "ED25519")) {
		if (EVP_PKEY_get_raw_public_key(key, raw, &n) != 1)
			return ssl_fails("the key", a, why_r);
		p = base64(a, raw, n);
		*record_r = arena_printf(a, "v=DKIM1; k=ed25519; p=%.*s",
		    SLICE_ARG(p));
		return RC_OK;
	}
	len = i2d_PUBKEY(key, &der);
	if (len <= 0)
		return ssl_fails("the key", a, why_r);
	p = base64(a, der, (size_t)len);
	OPENSSL_free(der);
	*record_r = arena_printf(a, "v=DKIM1; k=rsa; p=%.*s", SLICE_ARG(p));
	return RC_OK;
}

bool
key_same(EVP_PKEY *key, struct slice record, struct arena *a,
    struct slice *why_r)
{
	struct dkim_key *theirs = dkim_key_get(NULL, record);
	bool same = false;

	if (theirs->rule != NULL)
		*why_r = arena_printf(a, "%s", theirs->reason);
	else if (EVP_PKEY_eq(theirs->pkey, key) != 1)
		*why_r = SLICE("it is of another key");
	else if (!theirs->sha256 || !theirs->email)
		*why_r = SLICE("its h= or s= does not let it be used for mail");
	else
		same = true;
	dkim_key_drop(theirs);
	return same;
}
