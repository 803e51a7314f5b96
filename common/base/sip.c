#include "base/sip.h"

#include <string.h>
#include <sys/random.h>

#include "base/clock.h"

void
sip_secret(uint64_t secret_r[2])
{
	uint64_t got[2];

	if (getrandom(got, sizeof got, 0) != (ssize_t)sizeof got) {
		got[0] = (uint64_t)clock_mono_us() ^ (uintptr_t)secret_r;
		got[1] = (uint64_t)clock_wall();
	}
	memcpy(secret_r, got, sizeof got);
}

static inline uint64_t
rotl(uint64_t x, int b)
{
	return x << b | x >> (64 - b);
}

static inline void
sip_round(uint64_t v[4])
{
	v[0] += v[1]; v[1] = rotl(v[1], 13); v[1] ^= v[0]; v[0] = rotl(v[0], 32);
	v[2] += v[3]; v[3] = rotl(v[3], 16); v[3] ^= v[2];
	v[0] += v[3]; v[3] = rotl(v[3], 21); v[3] ^= v[0];
	v[2] += v[1]; v[1] = rotl(v[1], 17); v[1] ^= v[2]; v[2] = rotl(v[2], 32);
}

uint64_t
sip_hash(const uint64_t secret[2], struct slice key)
{
	uint64_t v[4] = {
		secret[0] ^ 0x736f6d6570736575, secret[1] ^ 0x646f72616e646f6d,
		secret[0] ^ 0x6c7967656e657261, secret[1] ^ 0x7465646279746573,
	};
	uint64_t word;
	size_t at = 0;

	for (; at + 8 <= key.len; at += 8) {
		memcpy(&word, key.ptr + at, 8);
		v[3] ^= word;
		sip_round(v);
		v[0] ^= word;
	}
	word = (uint64_t)key.len << 56;
	for (size_t i = 0; at + i < key.len; i++)
		word |= (uint64_t)(unsigned char)key.ptr[at + i] << 8 * i;
	v[3] ^= word;
	sip_round(v);
	v[0] ^= word;
	v[2] ^= 0xff;
	for (int i = 0; i < 3; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}
