/*
 * keyed_table - what was seen of somebody, in a mapped file that all share
 *
 * A table of fixed size: entries of one payload size, each known by a hash of
 * 64 bits under a secret that is drawn when the file is made and stands in its
 * head. No name is in the file. Entries stand in buckets of KEYED_WAYS; who
 * comes new into a full one takes the place of whom nobody touched longest.
 *
 * keyed_open	at start, as shared_open (shared_file.h): a file of another
 *		shape, or one that is none, is begun anew, *anew_r says why
 *		(NULL: taken over). One reference
 * keyed_hold, keyed_drop
 *		count references; NULL is allowed. A reload hands it on
 * keyed_map	for a command beside the daemon: the file of that path as it is,
 *		without its lock; entries of the shape 0: as many as it has.
 *		NULL, *why_r: not there, or not of this shape. To be given back
 *		with keyed_drop. `write` allows keyed_remove
 *		alone, which is safe while a daemon works
 * keyed_entries	how many have room, from the shape
 * keyed_used	how many there are
 * keyed_hash	of a list of at most KEYED_PARTS parts. No two lists make the
 *		same bytes: ("a", "bc") is not ("ab", "c"). Never 0. Needs no
 *		lock
 *
 * Under the lock (keyed_lock, keyed_unlock), which is held for as long as the
 * payload is used:
 *
 * keyed_find	the payload, aligned for 64 bits, or NULL; does not touch
 * keyed_touch	the same, touched now (seconds since 1970). One that is not
 *		there is made of zeroes: *new_r (may be NULL)
 * keyed_touched	when that was last
 * keyed_remove	forgets it; false: it was not there
 * keyed_each	calls visit for each, in no order; for tests and figures
 *
 * The file outlives the process however it ends: at any instant an entry is
 * whole or not there. The payload is the caller's: who writes two numbers of
 * it may be killed between them, and both must be bearable. A power cut may
 * leave any page as it was earlier; nothing read from the file is an index or
 * a length, so the worst of a damaged file are wrong numbers.
 */
#ifndef BASE_KEYED_TABLE_H
#define BASE_KEYED_TABLE_H

#include "base/arena.h"
#include "base/rc.h"

enum { KEYED_WAYS = 8, KEYED_PARTS = 8 };

struct keyed_shape {
	char magic[8];			/* whose table: "GHsender" */
	uint32_t version;		/* of the payload */
	uint32_t payload;		/* bytes, 1 to 4096 */
	uint32_t entries;		/* 1 to 2^28; at least so many */
};

struct keyed_table;

enum rc keyed_open(const char *path, const struct keyed_shape *shape,
    struct keyed_table **t_r, const char **anew_r, struct arena *a,
    struct slice *why_r);
struct keyed_table *keyed_hold(struct keyed_table *t);
void keyed_drop(struct keyed_table *t);
struct keyed_table *keyed_map(const char *path,
    const struct keyed_shape *shape, bool write, struct arena *a,
    struct slice *why_r);

uint32_t keyed_entries(const struct keyed_table *t);
uint64_t keyed_used(struct keyed_table *t);
uint64_t keyed_hash(const struct keyed_table *t, const struct slice *parts,
    size_t n);

void keyed_lock(struct keyed_table *t);
void keyed_unlock(struct keyed_table *t);
void *keyed_find(struct keyed_table *t, uint64_t key);
void *keyed_touch(struct keyed_table *t, uint64_t key, int64_t now,
    bool *new_r);
int64_t keyed_touched(const void *payload);
bool keyed_remove(struct keyed_table *t, uint64_t key);
void keyed_each(struct keyed_table *t,
    void (*visit)(uint64_t key, const void *payload, void *arg), void *arg);

#endif
