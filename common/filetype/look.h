/*
 * look - grammars behind the signatures; only for this room
 *
 * Each returns a row's name, or NULL for what it does not know, and adds to
 * *classes what it sees. All are linear in the bytes.
 */
#ifndef FILETYPE_LOOK_H
#define FILETYPE_LOOK_H

#include "filetype/filetype.h"

const char *look_zip(struct slice bytes, unsigned *classes);
const char *look_ole2(struct slice bytes, unsigned *classes);
const char *look_rtf(struct slice bytes, unsigned *classes);
const char *look_pdf(struct slice bytes, unsigned *classes);
const char *look_text(struct slice bytes, unsigned *classes);
/* Sound without a magic number: a run of frames. */
const char *look_frames(struct slice bytes);
/* A tar from before there was a magic number, by its check sum. */
bool look_tar(struct slice bytes);

static inline unsigned
look_le16(struct slice s, size_t at)
{
	return at + 2 <= s.len ? (unsigned)((unsigned char)s.ptr[at] |
	    (unsigned char)s.ptr[at + 1] << 8) : 0;
}

static inline uint32_t
look_le32(struct slice s, size_t at)
{
	return look_le16(s, at) | (uint32_t)look_le16(s, at + 2) << 16;
}

static inline uint32_t
look_be32(struct slice s, size_t at)
{
	return __builtin_bswap32(look_le32(s, at));
}

#endif
