/*
 * crypt - bytes at rest, for whoever has the private key
 *
 * A milter holds a public key and can write what it cannot read again: X25519
 * (RFC 7748) with an ephemeral key, HKDF-SHA256 (RFC 5869), AES-256-GCM
 * (NIST SP 800-38D) in chunks of 64 kB. Each chunk's nonce is its number and a
 * flag that says "the last", and the header is authenticated with each of
 * them: chunks that were changed, moved, left out, added or cut off are found,
 * and nothing of a chunk is given out before it has proved itself.
 *
 *	magic	8	"GHcrypt1"
 *	key id	8	first bytes of the SHA-256 of the receiver's public key
 *	public	32	of the ephemeral key
 *	chunks		64 kB each and a tag of 16; the last holds 0 to 64 kB,
 *			and is empty only when there is nothing at all
 *
 * Key files are text, a key a line ("#" begins a comment):
 *	gatehouse-store-public 1 HEX64
 *	gatehouse-store-private 1 HEX64
 * The private file holds all keys that are still to open something, the newest
 * first; the public file the one that is written to.
 *
 * store_key_make	a new pair. The private key is put before those that the
 *			file holds (it is made when there is none, mode 0600),
 *			then the public file is replaced (0644). Both are there
 *			or the old ones stay: RC_RETRY with *why_r
 * crypt_public_load	RC_BAD with *why_r when it is no such file or may be
 *			changed by others (conf/trust.h)
 * crypt_keys_load	the same for private keys, which nobody but their owner
 *			and group may read; at most CRYPT_KEYS
 * crypt_keys_free	forgets them
 *
 * crypt_write_begin	writes the header to fd. NULL: see errno
 * crypt_write		false: see errno (of write(2)); the file is then useless
 * crypt_write_end	the last chunk; frees w, whatever came of it. The file is
 *			not synced: that is the caller's
 * crypt_write_drop	frees w without an end
 *
 * crypt_read_begin	reads the header. NULL with *why_r: no such file, or
 *			*rc_r RC_RETRY when reading failed or no key fits
 * crypt_read		the next piece of at most CRYPT_CHUNK bytes, valid until
 *			the next call; empty at the end, which has been proved.
 *			RC_BAD: the bytes are not what was written (nothing more
 *			can be read); RC_RETRY: read(2) failed, see errno
 * crypt_read_end	frees r and forgets its bytes
 *
 * A writer or reader is for one thread; keys are read by any.
 */
#ifndef STORE_CRYPT_H
#define STORE_CRYPT_H

#include "base/arena.h"
#include "base/rc.h"

enum {
	CRYPT_KEY = 32,
	CRYPT_ID = 8,
	CRYPT_HEADER = 48,
	CRYPT_CHUNK = 64 * 1024,
	CRYPT_TAG = 16,
	CRYPT_KEYS = 64,
};

struct crypt_public {
	unsigned char key[CRYPT_KEY];
	unsigned char id[CRYPT_ID];
};

struct crypt_keys;

enum rc store_key_make(const char *private_path, const char *public_path,
    struct arena *a, struct slice *why_r);
enum rc crypt_public_load(const char *path, struct crypt_public *key_r,
    struct arena *a, struct slice *why_r);
enum rc crypt_keys_load(const char *path, struct crypt_keys **keys_r,
    struct arena *a, struct slice *why_r);
/* Does one of them open what was written to that key? */
bool crypt_keys_have(const struct crypt_keys *keys,
    const unsigned char id[CRYPT_ID]);
void crypt_keys_free(struct crypt_keys *keys);

struct crypt_writer;

struct crypt_writer *crypt_write_begin(const struct crypt_public *to, int fd);
bool crypt_write(struct crypt_writer *w, struct slice bytes);
bool crypt_write_end(struct crypt_writer *w);
void crypt_write_drop(struct crypt_writer *w);

struct crypt_reader;

struct crypt_reader *crypt_read_begin(int fd, const struct crypt_keys *keys,
    enum rc *rc_r, const char **why_r);
enum rc crypt_read(struct crypt_reader *r, struct slice *piece_r);
void crypt_read_end(struct crypt_reader *r);

#endif
