/*
 * phish_set - a feed as a compact set: a mapped file that never changes
 *
 * Of each entry 64 bits of a SipHash under a key that is drawn for the file:
 * nobody outside makes an entry that stands for another one, and one lookup in
 * 2^64 / entries (2^44 of a million) is answered wrongly. Hashes stand in
 * order, behind an index by their first bits, with some 8 for each: 8 bytes
 * an entry, and half a byte more.
 *
 * The file: struct phish_set_head, the index (1 << bits numbers, and one), the
 * hashes. Byte order is that of the machine.
 *
 * phish_set_open	maps it. RC_BAD with *why_r: none, of another version,
 *			cut or changed; RC_RETRY: it cannot be read now
 * phish_set_has	is that key in it? Some 100 ns
 * phish_set_close	NULL is allowed
 *
 * phish_set_begin	begins a new one
 * phish_set_add	one key; the same one again is no matter
 * phish_set_write	beside the file, synced, then renamed over it
 * phish_set_free	NULL is allowed
 *
 * Read-only once open: any thread asks.
 */
#ifndef ANTISPAM_PHISH_SET_H
#define ANTISPAM_PHISH_SET_H

#include "base/arena.h"
#include "base/rc.h"

#define PHISH_SET_MAGIC	"GHfeed1\n"
enum { PHISH_SET_BITS = 20, PHISH_SET_MOST = 8000000 };

struct phish_set_head {
	char magic[8];
	uint64_t sum;			/* of all that follows */
	uint64_t secret[2];
	uint32_t count, bits;
	int64_t made;			/* seconds since 1970 */
	char source[232];		/* where it is from, NUL-terminated */
};

struct phish_set {
	struct phish_set_head head;
	const uint32_t *index;
	const uint64_t *hashes;
	void *map;
	size_t size;
};

struct phish_set_new;

enum rc phish_set_open(const char *path, struct phish_set **set_r,
    struct arena *a, struct slice *why_r);
bool phish_set_has(const struct phish_set *set, struct slice key);
void phish_set_close(struct phish_set *set);

struct phish_set_new *phish_set_begin(void);
/* False: PHISH_SET_MOST are there. */
bool phish_set_add(struct phish_set_new *n, struct slice key);
uint32_t phish_set_count(struct phish_set_new *n);
enum rc phish_set_write(struct phish_set_new *n, const char *path,
    struct slice source, int64_t now, struct arena *a, struct slice *why_r);
void phish_set_free(struct phish_set_new *n);

#endif
