/* bytes - little-endian numbers at a place; 0 where the bytes end before it */
#ifndef CELLS_UNPACK_BYTES_H
#define CELLS_UNPACK_BYTES_H

#include "base/slice.h"

static inline uint32_t
bytes_le16(struct slice s, size_t at)
{
	const unsigned char *p = (const unsigned char *)s.ptr + at;

	return s.len >= 2 && at <= s.len - 2 ?
	    p[0] | (uint32_t)p[1] << 8 : 0;
}

static inline uint32_t
bytes_le32(struct slice s, size_t at)
{
	const unsigned char *p = (const unsigned char *)s.ptr + at;

	return s.len >= 4 && at <= s.len - 4 ? p[0] | (uint32_t)p[1] << 8 |
	    (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24 : 0;
}

#endif
