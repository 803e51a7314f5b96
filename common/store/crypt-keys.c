#include "store/crypt-keys.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/hex.h"
#include "conf/trust.h"

#define PUBLIC_LINE	"gatehouse-store-public 1 "
#define PRIVATE_LINE	"gatehouse-store-private 1 "

enum { FILE_MAX = 64 * 1024, HEX = 2 * CRYPT_KEY };

static bool
set_id(struct crypt_public *pub)
{
	unsigned char hash[32];
	unsigned len;

	if (EVP_Digest(pub->key, CRYPT_KEY, hash, &len, EVP_sha256(),
	    NULL) != 1)
		return false;
	memcpy(pub->id, hash, CRYPT_ID);
	return true;
}

static bool
public_of(struct crypt_key *key)
{
	EVP_PKEY *pair = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL,
	    key->secret, CRYPT_KEY);
	size_t len = CRYPT_KEY;
	bool good = pair != NULL && EVP_PKEY_get_raw_public_key(pair,
	    key->pub.key, &len) == 1 && set_id(&key->pub);

	EVP_PKEY_free(pair);
	return good;
}

/* The text of a file of keys, in a buffer of FILE_MAX that the caller wipes;
 * -1 with *why_r. `others` are mode bits that nobody may have. */
static ssize_t
read_file(const char *path, mode_t others, char text[FILE_MAX],
    struct arena *a, struct slice *why_r)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	ssize_t n = -1;

	if (fd < 0 || fstat(fd, &st) != 0) {
		*why_r = arena_printf(a, "%s: %s; make a pair of keys with: "
		    "gatehouse store keygen", path, strerror(errno));
	} else if (trust_file(a, fd, path, why_r) != RC_OK) {
		n = -1;
	} else if ((st.st_mode & others) != 0) {
		*why_r = arena_printf(a, "%s: others may read this key; type: "
		    "chmod o= %s", path, path);
	} else if ((n = read(fd, text, FILE_MAX)) < 0) {
		*why_r = arena_printf(a, "%s: %s", path, strerror(errno));
	} else if (n == FILE_MAX) {
		*why_r = arena_printf(a, "%s: no file of keys is that long",
		    path);
		n = -1;
	}
	if (fd >= 0)
		close(fd);
	return n;
}

/* Calls take() with each line that begins so; false when a line is none. */
static bool
each_key(struct slice text, struct slice begin,
    bool (*take)(struct slice hex, void *arg), void *arg)
{
	struct slice line;

	while (slice_line(&text, &line)) {
		line = slice_trim(line);
		if (line.len == 0 || line.ptr[0] == '#')
			continue;
		if (!slice_starts(line, begin) ||
		    !take(slice_trim(slice_after(line, begin.len)), arg))
			return false;
	}
	return true;
}

struct one_public {
	struct crypt_public *key;
	unsigned count;
};

static bool
take_public(struct slice hex, void *arg)
{
	struct one_public *one = arg;

	return one->count++ == 0 && hex_read(one->key->key, CRYPT_KEY, hex) &&
	    set_id(one->key);
}

enum rc
crypt_public_load(const char *path, struct crypt_public *key_r,
    struct arena *a, struct slice *why_r)
{
	struct one_public one = { .key = key_r };
	char *text = arena_alloc(a, FILE_MAX);
	ssize_t n = read_file(path, 0, text, a, why_r);

	if (n < 0)
		return RC_BAD;
	if (each_key(slice_make(text, (size_t)n), SLICE(PUBLIC_LINE),
	    take_public, &one) && one.count == 1)
		return RC_OK;
	*why_r = arena_printf(a, "%s: one line \"" PUBLIC_LINE "KEY\" is "
	    "wanted; make a pair of keys with: gatehouse store keygen", path);
	return RC_BAD;
}

static bool
take_private(struct slice hex, void *arg)
{
	struct crypt_keys *keys = arg;
	struct crypt_key *key;

	if (keys->count == CRYPT_KEYS)
		return false;
	key = &keys->keys[keys->count++];
	return hex_read(key->secret, CRYPT_KEY, hex) && public_of(key);
}

enum rc
crypt_keys_load(const char *path, struct crypt_keys **keys_r, struct arena *a,
    struct slice *why_r)
{
	char text[FILE_MAX];
	ssize_t n = read_file(path, S_IRWXO, text, a, why_r);
	struct crypt_keys *keys;
	bool good;

	if (n < 0)
		return RC_BAD;
	keys = mem_alloc(sizeof *keys);
	good = each_key(slice_make(text, (size_t)n), SLICE(PRIVATE_LINE),
	    take_private, keys) && keys->count > 0;
	OPENSSL_cleanse(text, sizeof text);
	if (good) {
		*keys_r = keys;
		return RC_OK;
	}
	crypt_keys_free(keys);
	*why_r = arena_printf(a, "%s: lines \"" PRIVATE_LINE "KEY\" are "
	    "wanted, 1 to %d of them", path, CRYPT_KEYS);
	return RC_BAD;
}

const struct crypt_key *
crypt_keys_find(const struct crypt_keys *keys,
    const unsigned char id[CRYPT_ID])
{
	for (size_t i = 0; i < keys->count; i++)
		if (memcmp(keys->keys[i].pub.id, id, CRYPT_ID) == 0)
			return &keys->keys[i];
	return NULL;
}

bool
crypt_keys_have(const struct crypt_keys *keys,
    const unsigned char id[CRYPT_ID])
{
	return crypt_keys_find(keys, id) != NULL;
}

void
crypt_keys_free(struct crypt_keys *keys)
{
	if (keys == NULL)
		return;
	OPENSSL_cleanse(keys, sizeof *keys);
	free(keys);
}

static bool
new_key(struct crypt_key *key)
{
	EVP_PKEY *pair = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
	size_t len = CRYPT_KEY;
	bool good = pair != NULL && EVP_PKEY_get_raw_private_key(pair,
	    key->secret, &len) == 1 && public_of(key);

	EVP_PKEY_free(pair);
	return good;
}

static bool
write_synced(int fd, struct slice text)
{
	return write(fd, text.ptr, text.len) == (ssize_t)text.len &&
	    fsync(fd) == 0;
}

static bool
sync_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char folder[4096];
	int fd;
	bool good;

	if (slash == NULL)
		memcpy(folder, ".", 2);
	else if ((size_t)(slash - path) + 2 > sizeof folder)
		return false;
	else
		/* The root keeps its slash. */
		snprintf(folder, sizeof folder, "%.*s",
		    (int)(slash - path) + (slash == path), path);
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	good = fd >= 0 && fsync(fd) == 0;
	if (fd >= 0)
		close(fd);
	return good;
}

/* All of it under a name of its own first; whoever owned the file before owns
 * it afterwards. */
static enum rc
replace_file(const char *path, struct slice text, mode_t mode,
    struct arena *a, struct slice *why_r)
{
	const char *tmp = arena_printf(a, "%s.new", path).ptr;
	struct stat st;
	int fd;
	bool good;

	unlink(tmp);
	fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	good = fd >= 0;
	if (good && stat(path, &st) == 0)
		good = fchown(fd, st.st_uid, st.st_gid) == 0 &&
		    fchmod(fd, st.st_mode & 0777) == 0;
	else if (good)
		good = fchmod(fd, mode) == 0;
	good = good && write_synced(fd, text) && rename(tmp, path) == 0 &&
	    sync_folder(path);
	if (!good) {
		*why_r = arena_printf(a, "%s: %s", path, strerror(errno));
		unlink(tmp);
	}
	if (fd >= 0)
		close(fd);
	return good ? RC_OK : RC_RETRY;
}

/* The new key's line, and behind it what the file holds. */
static enum rc
add_private(const char *path, const struct crypt_key *key, struct arena *a,
    struct slice *why_r)
{
	char old[FILE_MAX];
	struct buf text = { 0 };
	ssize_t n = 0;
	enum rc rc;

	if (access(path, F_OK) == 0)
		n = read_file(path, S_IRWXO, old, a, why_r);
	if (n < 0)
		return RC_BAD;
	/* Grown at once: what it outgrew could not be wiped. */
	buf_room(&text, FILE_MAX + 200);
	buf_adds(&text, PRIVATE_LINE);
	hex_write(buf_room(&text, HEX + 1), key->secret, CRYPT_KEY);
	buf_took(&text, HEX);
	buf_addc(&text, '\n');
	buf_add(&text, slice_make(old, (size_t)n));
	rc = replace_file(path, buf_slice(&text), 0600, a, why_r);
	OPENSSL_cleanse(text.ptr, text.cap);
	OPENSSL_cleanse(old, sizeof old);
	buf_free(&text);
	return rc;
}

enum rc
store_key_make(const char *private_path, const char *public_path,
    struct arena *a, struct slice *why_r)
{
	struct crypt_key key;
	struct buf text = buf_in(a);
	char hex[HEX + 1];
	enum rc rc;

	if (!new_key(&key)) {
		*why_r = SLICE("no random bytes for a key");
		return RC_RETRY;
	}
	/* First the one that opens: nothing is ever written to a key whose
	 * other half is not on disk. */
	rc = add_private(private_path, &key, a, why_r);
	OPENSSL_cleanse(key.secret, sizeof key.secret);
	if (rc != RC_OK)
		return rc;
	buf_adds(&text, PUBLIC_LINE);
	hex_write(hex, key.pub.key, CRYPT_KEY);
	buf_adds(&text, hex);
	buf_addc(&text, '\n');
	return replace_file(public_path, buf_slice(&text), 0644, a, why_r);
}
