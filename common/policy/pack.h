/*
 * pack - records of the map as bytes
 *
 * Numbers are little-endian, a slice is its length and its bytes; a length of
 * PACK_NONE is SLICE_NONE. Reading past the end sets `bad` and gives zeros, so
 * a reader asks once, at the end.
 */
#ifndef POLICY_PACK_H
#define POLICY_PACK_H

#include "base/buf.h"

#define PACK_NONE	UINT32_MAX

struct unpack {
	struct slice rest;
	bool bad;
};

static inline void
pack_number(struct buf *b, uint64_t n, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		buf_addc(b, (char)(n >> (8 * i)));
}

static inline void
pack_u8(struct buf *b, unsigned n)
{
	pack_number(b, n, 1);
}

static inline void
pack_u32(struct buf *b, uint32_t n)
{
	pack_number(b, n, 4);
}

static inline void
pack_u64(struct buf *b, uint64_t n)
{
	pack_number(b, n, 8);
}

static inline void
pack_slice(struct buf *b, struct slice s)
{
	pack_u32(b, s.ptr != NULL ? (uint32_t)s.len : PACK_NONE);
	buf_add(b, s);
}

static inline uint64_t
unpack_number(struct unpack *u, size_t bytes)
{
	uint64_t n = 0;

	if (u->rest.len < bytes) {
		u->bad = true;
		u->rest = SLICE("");
		return 0;
	}
	for (size_t i = 0; i < bytes; i++)
		n |= (uint64_t)(unsigned char)u->rest.ptr[i] << (8 * i);
	u->rest = slice_after(u->rest, bytes);
	return n;
}

static inline unsigned
unpack_u8(struct unpack *u)
{
	return (unsigned)unpack_number(u, 1);
}

static inline uint32_t
unpack_u32(struct unpack *u)
{
	return (uint32_t)unpack_number(u, 4);
}

static inline uint64_t
unpack_u64(struct unpack *u)
{
	return unpack_number(u, 8);
}

static inline struct slice
unpack_slice(struct unpack *u)
{
	uint32_t len = unpack_u32(u);
	struct slice s;

	if (len == PACK_NONE)
		return SLICE_NONE;
	if (len > u->rest.len) {
		u->bad = true;
		u->rest = SLICE("");
		return SLICE("");
	}
	s = slice_sub(u->rest, 0, len);
	u->rest = slice_after(u->rest, len);
	return s;
}

#endif
