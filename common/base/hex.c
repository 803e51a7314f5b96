#include "base/hex.h"

#include <string.h>

void
hex_write(char *to, const void *bytes, size_t n)
{
	const unsigned char *from = bytes;

	for (size_t i = 0; i < n; i++) {
		to[2 * i] = "0123456789abcdef"[from[i] >> 4];
		to[2 * i + 1] = "0123456789abcdef"[from[i] & 15];
	}
	to[2 * n] = '\0';
}

bool
hex_read(void *to, size_t n, struct slice s)
{
	unsigned char *bytes = to;

	if (s.len != 2 * n)
		return false;
	for (size_t i = 0; i < n; i++) {
		int high = ascii_hex(s.ptr[2 * i]);
		int low = ascii_hex(s.ptr[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		bytes[i] = (unsigned char)(high << 4 | low);
	}
	return true;
}

bool
hex_copy(char *to, size_t n, struct slice s)
{
	if (s.len != n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (ascii_hex(s.ptr[i]) < 0)
			return false;
	memcpy(to, s.ptr, n);
	to[n] = '\0';
	return true;
}
