/*
 * known - what is in the containers that were opened before
 *
 * An archive that comes again has the same members: their names, lengths and
 * hashes are kept, not their bytes. When the verdict cache knows each of them,
 * the archive need not be opened again.
 *
 * The key is a hash of all that opening depends on: the container's bytes, the
 * limits, and the passwords that are tried. What failed for a reason that may
 * go away (damaged: perhaps for want of memory or of room) is not kept.
 *
 * The memory has a fixed bound; in each of its sets the oldest use goes first.
 *
 * known_get	false: it is not known. Entries are in the arena
 * known_put	entries of which entry 0 is the container, as unpack gives them
 *
 * Any thread. NULL is a memory that knows nothing.
 */
#ifndef ANTIVIRUS_KNOWN_H
#define ANTIVIRUS_KNOWN_H

#include "base/arena.h"
#include "unpack/unpack.h"

enum { KNOWN_HASH = 32 };

struct known;

struct known_key {
	unsigned char hash[KNOWN_HASH];
};

struct known_entry {
	unsigned char hash[KNOWN_HASH];	/* of its bytes; not of entry 0 */
	size_t len;
	struct slice path;
	size_t parent;
	enum unpack_why why;
	const char *type;		/* static, or NULL */
};

/* bytes: of memory at most; 0: NULL is returned. */
struct known *known_new(size_t bytes);
bool known_get(struct known *k, const struct known_key *key, struct arena *a,
    struct known_entry **entries_r, size_t *n_r);
void known_put(struct known *k, const struct known_key *key,
    const struct known_entry *entries, size_t n);
void known_free(struct known *k);

#endif
