/*
 * cfb - a compound file ([MS-CFB]): storages, streams and their bytes
 *
 * cfb_open	reads tables and directory; false: it is none, or damaged. The
 *		bytes and the arena must outlive it
 * cfb_entries	of the directory; entry 0 is the root
 * cfb_is_stream	whether entry i is one
 * cfb_name	of entry i, as UTF-8
 * cfb_parent	the storage that it stands in; 0 for what no storage names
 * cfb_stream	its bytes. A chain ends where the file ends and knows no loop.
 *		In a sound file no two streams share a sector; one in which
 *		they do is read as far as CFB_AGAIN times its size, and then
 *		cfb_spent is true and all streams are empty
 *
 * Bounds: CFB_ENTRIES.
 */
#ifndef CELLS_UNPACK_CFB_H
#define CELLS_UNPACK_CFB_H

#include "base/arena.h"
#include "base/slice.h"

enum { CFB_ENTRIES = 100000, CFB_AGAIN = 4 };

struct cfb {
	struct slice file;
	size_t sector;			/* bytes of one */
	size_t nsectors;
	uint32_t cutoff;		/* smaller streams are of mini sectors */
	struct slice fat, minifat;	/* tables of le32 */
	struct slice directory, mini;
	uint32_t *parents;
	uint64_t read, readable;	/* bytes of streams; so many at most */
	struct arena *arena;
};

bool cfb_open(struct cfb *cfb, struct slice file, struct arena *a);
size_t cfb_entries(const struct cfb *cfb);
bool cfb_is_stream(const struct cfb *cfb, size_t i);
struct slice cfb_name(const struct cfb *cfb, size_t i);
size_t cfb_parent(const struct cfb *cfb, size_t i);
struct slice cfb_stream(struct cfb *cfb, size_t i);
bool cfb_spent(const struct cfb *cfb);

#endif
