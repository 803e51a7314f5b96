/*
 * block - 64 bytes of text as bits
 *
 * A bit for each byte, the first one the lowest; 0 behind the text's end. So
 * what is looked for is found by counting zeros, and not by asking of each byte
 * whether it is that. Eight bytes at a time, in a word of 64 bits, on any
 * machine (_swar); sixteen where the compiler may use SSE2, which is on every
 * amd64 (_sse).
 *
 * block_words	letters and digits of ASCII, and what lies beyond ASCII
 * block_starts	the first of each such run; `inside`: one goes on from before
 * block_marks	digits, '@', and b and w of either case, as BLOCK_* says
 */
#ifndef DETECT_BLOCK_H
#define DETECT_BLOCK_H

#include <endian.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif
#include <string.h>

#include "base/slice.h"

enum { BLOCK = 64 };
enum { BLOCK_NUMBER = 1, BLOCK_ADDRESS = 2, BLOCK_BANK = 4, BLOCK_ALL = 7 };

/* A byte in each of eight. */
#define BLOCK_EACH(c)	(UINT64_C(0x0101010101010101) * (c))

/* Eight bytes as a number, whose lowest one is the first; 0 behind the end. */
static inline uint64_t
block_eight(struct slice text, size_t at)
{
	uint64_t eight = 0;

	if (text.len - at >= sizeof eight)
		memcpy(&eight, text.ptr + at, sizeof eight);
	else
		memcpy(&eight, text.ptr + at, text.len - at);
	return le64toh(eight);
}

/* The top bit of each byte that is a digit. Carries of the additions stay
 * within a byte, for the top bits are masked out first. */
static inline uint64_t
block_digit(uint64_t eight)
{
	uint64_t low = eight & BLOCK_EACH(0x7f);

	return (low + BLOCK_EACH(0x80 - '0')) &
	    ~(low + BLOCK_EACH(0x7f - '9')) & ~eight;
}

static inline uint64_t
block_letter(uint64_t eight)
{
	uint64_t small = (eight & BLOCK_EACH(0x7f)) | BLOCK_EACH(0x20);

	return (small + BLOCK_EACH(0x80 - 'a')) &
	    ~(small + BLOCK_EACH(0x7f - 'z')) & ~eight;
}

static inline uint64_t
block_equal(uint64_t eight, char c)
{
	uint64_t other = eight ^ BLOCK_EACH((unsigned char)c);

	return ~(((other & BLOCK_EACH(0x7f)) + BLOCK_EACH(0x7f)) | other);
}

/* The top bits of eight bytes as the lowest bits of the result. */
static inline uint64_t
block_bits(uint64_t tops)
{
	return ((tops & BLOCK_EACH(0x80)) >> 7) *
	    UINT64_C(0x0102040810204080) >> 56;
}

static inline uint64_t
block_words_swar(struct slice text, size_t at)
{
	uint64_t block = 0;

	for (unsigned i = 0; i < BLOCK && at + i < text.len; i += 8) {
		uint64_t eight = block_eight(text, at + i);

		block |= block_bits(block_letter(eight) | block_digit(eight) |
		    eight) << i;
	}
	return block;
}

static inline uint64_t
block_marks_swar(struct slice text, size_t at, unsigned what)
{
	uint64_t block = 0;

	for (unsigned i = 0; i < BLOCK && at + i < text.len; i += 8) {
		uint64_t eight = block_eight(text, at + i), tops = 0;
		uint64_t small = eight | BLOCK_EACH(0x20);

		if (what & BLOCK_NUMBER)
			tops |= block_digit(eight);
		if (what & BLOCK_ADDRESS)
			tops |= block_equal(eight, '@');
		if (what & BLOCK_BANK)
			tops |= block_equal(small, 'b') |
			    block_equal(small, 'w');
		block |= block_bits(tops) << i;
	}
	return block;
}

#ifdef __SSE2__
/* Sixteen at a time; a whole block only. */
static inline __m128i
block_within(__m128i bytes, char first, char last)
{
	__m128i from = _mm_sub_epi8(bytes, _mm_set1_epi8(first));

	return _mm_cmpeq_epi8(_mm_min_epu8(from, _mm_set1_epi8((char)
	    (last - first))), from);
}

static inline uint64_t
block_words_sse(const char *text)
{
	uint64_t block = 0;

	for (unsigned i = 0; i < BLOCK; i += 16) {
		__m128i b = _mm_loadu_si128((const __m128i *)(const void *)
		    (text + i));
		__m128i is = _mm_or_si128(block_within(b, '0', '9'),
		    block_within(_mm_or_si128(b, _mm_set1_epi8(0x20)), 'a',
		    'z'));

		/* The top bit of a byte beyond ASCII is set anyway. */
		block |= (uint64_t)(unsigned)_mm_movemask_epi8(_mm_or_si128(is,
		    b)) << i;
	}
	return block;
}

static inline uint64_t
block_marks_sse(const char *text)
{
	uint64_t block = 0;

	for (unsigned i = 0; i < BLOCK; i += 16) {
		__m128i b = _mm_loadu_si128((const __m128i *)(const void *)
		    (text + i));
		__m128i small = _mm_or_si128(b, _mm_set1_epi8(0x20));
		__m128i is = _mm_or_si128(block_within(b, '0', '9'),
		    _mm_cmpeq_epi8(b, _mm_set1_epi8('@')));

		is = _mm_or_si128(is, _mm_or_si128(_mm_cmpeq_epi8(small,
		    _mm_set1_epi8('b')), _mm_cmpeq_epi8(small,
		    _mm_set1_epi8('w'))));
		block |= (uint64_t)(unsigned)_mm_movemask_epi8(is) << i;
	}
	return block;
}
#endif

static inline uint64_t
block_words(struct slice text, size_t at)
{
#ifdef __SSE2__
	if (text.len - at >= BLOCK)
		return block_words_sse(text.ptr + at);
#endif
	return block_words_swar(text, at);
}

static inline uint64_t
block_starts(uint64_t words, bool inside)
{
	return words & ~(words << 1 | inside);
}

static inline uint64_t
block_marks(struct slice text, size_t at, unsigned what)
{
#ifdef __SSE2__
	if (text.len - at >= BLOCK && what == BLOCK_ALL)
		return block_marks_sse(text.ptr + at);
#endif
	return block_marks_swar(text, at, what);
}

#endif
