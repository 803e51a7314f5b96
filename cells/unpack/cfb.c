#include "cells/unpack/cfb.h"

#include "base/buf.h"
#include "cells/unpack/bytes.h"
#include "cells/unpack/utf16.h"

enum {
	HEADER = 512, ENTRY = 128, MINI = 64,
	NAME = 32,			/* UTF-16 units of a name */
	END = 0xfffffffa,		/* and above: no sector */
	TYPE_STORAGE = 1, TYPE_STREAM = 2,
	SPARE = 1 << 20,		/* bytes that may be read of any file */
};

static struct slice
sector_of(const struct cfb *o, uint32_t n)
{
	/* Sector 0 follows the header, which takes one sector's room. */
	return slice_sub(o->file, ((size_t)n + 1) * o->sector, o->sector);
}

/* A chain of sectors, in one piece; at most max bytes, and no loop. */
static struct slice
chain(const struct cfb *o, uint32_t n, size_t max)
{
	struct buf out = buf_in(o->arena);

	for (size_t i = 0; n < END && i < o->nsectors && out.len < max; i++) {
		struct slice s = sector_of(o, n);

		if (s.len == 0)
			break;
		buf_add(&out, s);
		n = bytes_le32(o->fat, (size_t)n * 4);
		if (n == 0)
			break;
	}
	return slice_sub(buf_slice(&out), 0, max);
}

static struct slice
mini_chain(const struct cfb *o, uint32_t n, size_t max)
{
	struct buf out = buf_in(o->arena);

	for (size_t i = 0; n < END && i <= o->mini.len / MINI &&
	    out.len < max; i++) {
		buf_add(&out, slice_sub(o->mini, (size_t)n * MINI, MINI));
		if ((size_t)n * 4 >= o->minifat.len)
			break;
		n = bytes_le32(o->minifat, (size_t)n * 4);
	}
	return slice_sub(buf_slice(&out), 0, max);
}

/* The table of all chains: its own sectors stand in the header and, for large
 * files, in a chain of tables of their own. */
static void
read_fat(struct cfb *o)
{
	struct buf fat = buf_in(o->arena);
	uint32_t next = bytes_le32(o->file, 68);

	for (size_t i = 0; i < 109; i++) {
		uint32_t n = bytes_le32(o->file, 76 + 4 * i);

		if (n < END)
			buf_add(&fat, sector_of(o, n));
	}
	for (size_t i = 0; next < END && i < o->nsectors; i++) {
		struct slice table = sector_of(o, next);

		for (size_t j = 0; j + 4 < table.len; j += 4) {
			uint32_t n = bytes_le32(table, j);

			if (n < END && fat.len < o->file.len)
				buf_add(&fat, sector_of(o, n));
		}
		next = table.len >= 4 ? bytes_le32(table, table.len - 4) : END;
	}
	o->fat = buf_slice(&fat);
}

static struct slice
entry_of(const struct cfb *o, size_t i)
{
	return slice_sub(o->directory, i * ENTRY, ENTRY);
}

static unsigned char
type_of(const struct cfb *o, size_t i)
{
	return (unsigned char)entry_of(o, i).ptr[66];
}

/* Whose the entries below this storage are: its child, and what stands to the
 * left and right of that. An entry that has a parent is not looked at again, so
 * a tree that bites its tail ends. */
static void
adopt(struct cfb *o, size_t storage, uint32_t *stack)
{
	size_t n = 1, all = cfb_entries(o);

	stack[0] = bytes_le32(entry_of(o, storage), 76);
	while (n > 0) {
		uint32_t i = stack[--n];

		if (i == 0 || i >= all || o->parents[i] != UINT32_MAX)
			continue;
		o->parents[i] = (uint32_t)storage;
		stack[n++] = bytes_le32(entry_of(o, i), 68);
		stack[n++] = bytes_le32(entry_of(o, i), 72);
	}
}

static void
read_tree(struct cfb *o)
{
	size_t n = cfb_entries(o);
	/* Each entry that is adopted takes one place and gives two. */
	uint32_t *stack = arena_array(o->arena, n + 2, sizeof *stack);

	o->parents = arena_array(o->arena, n, sizeof *o->parents);
	for (size_t i = 0; i < n; i++)
		o->parents[i] = UINT32_MAX;
	for (size_t i = 0; i < n; i++)
		if (i == 0 || type_of(o, i) == TYPE_STORAGE)
			adopt(o, i, stack);
}

bool
cfb_open(struct cfb *o, struct slice file, struct arena *a)
{
	uint32_t shift = bytes_le16(file, 30);

	*o = (struct cfb){ .file = file, .arena = a };
	if (file.len < HEADER || (shift != 9 && shift != 12))
		return false;
	o->sector = (size_t)1 << shift;
	o->nsectors = file.len / o->sector;
	o->cutoff = bytes_le32(file, 56);
	o->readable = (uint64_t)file.len * CFB_AGAIN + SPARE;
	read_fat(o);
	o->directory = chain(o, bytes_le32(file, 48),
	    (size_t)CFB_ENTRIES * ENTRY);
	if (o->directory.len < ENTRY)
		return false;
	o->minifat = chain(o, bytes_le32(file, 60), o->file.len);
	o->mini = chain(o, bytes_le32(entry_of(o, 0), 116), o->file.len);
	read_tree(o);
	return true;
}

size_t
cfb_entries(const struct cfb *o)
{
	return o->directory.len / ENTRY;
}

bool
cfb_is_stream(const struct cfb *o, size_t i)
{
	return i > 0 && type_of(o, i) == TYPE_STREAM;
}

struct slice
cfb_name(const struct cfb *o, size_t i)
{
	struct slice entry = entry_of(o, i);
	uint32_t len = bytes_le16(entry, 64);
	struct slice name = slice_sub(entry, 0, len >= 2 && len <= 2 * NAME ?
	    len - 2 : 0);
	struct buf out = buf_in(o->arena);

	for (size_t at = 0; at + 1 < name.len; at += 2)
		if (bytes_le16(name, at) == 0)
			name.len = at;
	utf16_put(&out, name);
	return buf_slice(&out);
}

size_t
cfb_parent(const struct cfb *o, size_t i)
{
	return o->parents[i] != UINT32_MAX ? o->parents[i] : 0;
}

bool
cfb_spent(const struct cfb *o)
{
	return o->read > o->readable;
}

struct slice
cfb_stream(struct cfb *o, size_t i)
{
	struct slice entry = entry_of(o, i), s;
	uint32_t first = bytes_le32(entry, 116), len = bytes_le32(entry, 120);

	if (cfb_spent(o))
		return SLICE("");
	s = len < o->cutoff ? mini_chain(o, first, len) :
	    chain(o, first, len);
	o->read += s.len;
	return s;
}
