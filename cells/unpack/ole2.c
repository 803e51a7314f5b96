/*
 * Compound files ([MS-CFB]): Word, Excel and PowerPoint before 2007, Outlook
 * messages, installers, and vbaProject.bin of the newer ones.
 *
 * Only streams that carry somebody else's file are members: packages and
 * embedded objects, attachments of Outlook messages; and the source text of
 * macros ([MS-OVBA], 2.4.1), which is compressed. The rest is the document
 * itself, which whoever reads the document sees.
 */
#include <string.h>

#include "base/buf.h"
#include "cells/unpack/bytes.h"
#include "cells/unpack/walk.h"
#include "text/utf8.h"

enum {
	HEADER = 512, ENTRY = 128, MINI = 64,
	NAME = 32,			/* UTF-16 units of a name */
	ENTRIES = 100000,		/* looked at in one directory */
	STREAM = 1, STORAGE = 2, END = 0xfffffffa, /* and above: no sector */
	TYPE_STORAGE = 1, TYPE_STREAM = 2, TYPE_ROOT = 5,
	CHUNK = 4096,			/* of compressed source */
};

struct ole2 {
	struct slice file;
	size_t sector;			/* bytes of one */
	size_t nsectors;
	uint32_t cutoff;		/* smaller streams are of mini sectors */
	struct slice fat, minifat;	/* tables of le32 */
	struct slice directory, mini;
	struct arena *arena;
};

static struct slice
sector_of(const struct ole2 *o, uint32_t n)
{
	/* Sector 0 follows the header, which takes one sector's room. */
	return slice_sub(o->file, ((size_t)n + 1) * o->sector, o->sector);
}

/* A chain of sectors, in one piece; at most max bytes, and no loop. */
static struct slice
chain(const struct ole2 *o, uint32_t n, size_t max)
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
mini_chain(const struct ole2 *o, uint32_t n, size_t max)
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
read_fat(struct ole2 *o)
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
entry_of(const struct ole2 *o, size_t i)
{
	return slice_sub(o->directory, i * ENTRY, ENTRY);
}

static bool
open_file(struct ole2 *o, struct slice file, struct arena *a)
{
	uint32_t shift = bytes_le16(file, 30);

	*o = (struct ole2){ .file = file, .arena = a };
	if (file.len < HEADER || (shift != 9 && shift != 12))
		return false;
	o->sector = (size_t)1 << shift;
	o->nsectors = file.len / o->sector;
	o->cutoff = bytes_le32(file, 56);
	read_fat(o);
	o->directory = chain(o, bytes_le32(file, 48), ENTRIES * ENTRY);
	if (o->directory.len < ENTRY)
		return false;
	o->minifat = chain(o, bytes_le32(file, 60), o->file.len);
	o->mini = chain(o, bytes_le32(entry_of(o, 0), 116), o->file.len);
	return true;
}

static struct slice
stream_of(const struct ole2 *o, struct slice entry)
{
	uint32_t first = bytes_le32(entry, 116), len = bytes_le32(entry, 120);

	return len < o->cutoff ? mini_chain(o, first, len) :
	    chain(o, first, len);
}

/* UTF-16LE as UTF-8; half a character becomes U+FFFD. */
static struct slice
utf8_of(struct arena *a, struct slice s)
{
	struct buf out = buf_in(a);

	for (size_t i = 0; i + 1 < s.len; i += 2) {
		uint32_t c = bytes_le16(s, i);
		char utf8[4];

		if (c == 0)
			break;
		buf_add(&out, slice_make(utf8, utf8_put(utf8, c)));
	}
	return buf_slice(&out);
}

static struct slice
name_of(struct arena *a, struct slice entry)
{
	uint32_t len = bytes_le16(entry, 64);

	return utf8_of(a, slice_sub(entry, 0, len >= 2 && len <= 2 * NAME ?
	    len - 2 : 0));
}

/* ---- what a stream holds ---- */

/* One token of a chunk: a byte as it is, or a copy of what stands before. */
static bool
expand_token(struct buf *out, size_t from, struct slice *rest, bool copy)
{
	size_t done = out->len - from, bits = 4;
	uint32_t token;
	size_t back, len;

	if (!copy) {
		buf_addc(out, rest->ptr[0]);
		*rest = slice_after(*rest, 1);
		return true;
	}
	while (((size_t)1 << bits) < done)
		bits++;
	token = bytes_le16(*rest, 0);
	back = (token >> (16 - bits)) + 1;
	len = (token & (0xffffU >> bits)) + 3;
	if (rest->len < 2 || back > done || done + len > CHUNK)
		return false;
	while (len-- > 0)
		buf_addc(out, out->ptr[out->len - back]);
	*rest = slice_after(*rest, 2);
	return true;
}

static bool
expand_chunk(struct buf *out, struct slice chunk)
{
	size_t from = out->len;

	while (chunk.len > 0) {
		unsigned flags = (unsigned char)chunk.ptr[0];

		chunk = slice_after(chunk, 1);
		for (int i = 0; i < 8 && chunk.len > 0; i++, flags >>= 1)
			if (out->len - from >= CHUNK ||
			    !expand_token(out, from, &chunk, flags & 1))
				return false;
	}
	return true;
}

/* [MS-OVBA] 2.4.1.3; false: it is none. */
static bool
expand(struct buf *out, struct slice s)
{
	if (s.len < 3 || s.ptr[0] != 1)
		return false;
	for (s = slice_after(s, 1); s.len >= 2; ) {
		uint32_t head = bytes_le16(s, 0);
		size_t len = (head & 0xfff) + 1;

		if ((head & 0x7000) != 0x3000)
			break;
		if (head & 0x8000) {
			if (!expand_chunk(out, slice_sub(s, 2, len)))
				return false;
		} else {
			buf_add(out, slice_sub(s, 2, CHUNK));
		}
		s = slice_after(s, 2 + len);
	}
	return out->len > 0;
}

/* A module's source stands compressed behind what Office compiled. Each one
 * begins with "Attribute", whose first eight letters are literals. */
static bool
macro(struct walk *w, struct walk_entry *parent, struct slice name,
    struct slice s)
{
	struct slice mark = SLICE("\0Attribut");
	size_t at = slice_search(s, mark);
	struct buf out = buf_in(w->arena);

	if (at == s.len || at < 3 || !expand(&out, slice_after(s, at - 3)))
		return true;
	return walk_member(w, parent, arena_printf(w->arena, "%.*s.bas",
	    SLICE_ARG(name)), buf_slice(&out));
}

static bool
has_files(struct slice name)
{
	static const struct slice names[] = { SLICE("Package"),
	    SLICE("CONTENTS"), SLICE("Contents"), SLICE("EmbeddedOdf"),
	    /* PidTagAttachDataBinary of an Outlook message. */
	    SLICE("__substg1.0_37010102") };

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (slice_eq(name, names[i]))
			return true;
	return false;
}

static bool
look(struct walk *w, struct walk_entry *parent, const struct ole2 *o,
    struct slice entry)
{
	struct slice name = name_of(w->arena, entry);

	if (slice_eq(name, SLICE("\001Ole10Native"))) {
		/* Its length comes first. */
		if (!package_read_member(w, parent,
		    slice_after(stream_of(o, entry), 4)))
			walk_why(parent, UNPACK_DAMAGED);
		return true;
	}
	if (has_files(name))
		return walk_member(w, parent, name, stream_of(o, entry));
	/* The document as a whole is behind a password. */
	if (slice_eq(name, SLICE("EncryptedPackage")))
		walk_why(parent, UNPACK_ENCRYPTED);
	return macro(w, parent, name, stream_of(o, entry));
}

void
ole2_read_members(struct walk *w, struct walk_entry *container,
    struct slice bytes)
{
	struct arena *a = arena_new();
	struct ole2 o;

	if (!open_file(&o, bytes, a)) {
		walk_why(container, UNPACK_DAMAGED);
	} else {
		for (size_t i = 1; i < o.directory.len / ENTRY; i++) {
			struct slice entry = entry_of(&o, i);

			if (entry.ptr[66] == TYPE_STREAM &&
			    !look(w, container, &o, entry))
				break;
		}
	}
	arena_free(a);
}
