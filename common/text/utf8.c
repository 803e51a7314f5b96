#include "text/utf8.h"

#include <string.h>

/* How many bytes a sequence that begins with c has; 0: none begins so. */
static size_t
span(unsigned char c)
{
	if (c < 0x80)
		return 1;
	if (c < 0xc2)
		return 0;
	if (c < 0xe0)
		return 2;
	if (c < 0xf0)
		return 3;
	return c < 0xf5 ? 4 : 0;
}

/* The code point of the len bytes at p, or UTF8_BAD. */
static uint32_t
gather(const unsigned char *p, size_t len)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint32_t cp = len == 1 ? p[0] : p[0] & (0xffu >> (len + 1));

	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return UTF8_BAD;
		cp = cp << 6 | (p[i] & 0x3f);
	}
	if (cp < least[len] || cp > 0x10ffff || (cp >= 0xd800 && cp < 0xe000))
		return UTF8_BAD;
	return cp;
}

bool
utf8_next(struct slice *rest, uint32_t *cp_r)
{
	const unsigned char *p = (const unsigned char *)rest->ptr;
	size_t len;

	if (rest->len == 0)
		return false;
	len = span(p[0]);
	*cp_r = len > 0 && len <= rest->len ? gather(p, len) : UTF8_BAD;
	if (*cp_r == UTF8_BAD)
		len = 1;
	rest->ptr += len;
	rest->len -= len;
	return true;
}

/* How many bytes of ASCII stand there, by eights. */
static size_t
ascii_run(struct slice s)
{
	size_t n = 0;
	uint64_t eight;

	for (; n + sizeof eight <= s.len; n += sizeof eight) {
		memcpy(&eight, s.ptr + n, sizeof eight);
		if ((eight & UINT64_C(0x8080808080808080)) != 0)
			break;
	}
	return n;
}

bool
utf8_valid(struct slice s)
{
	uint32_t cp;

	while (s.len > 0) {
		s = slice_after(s, ascii_run(s));
		for (unsigned i = 0; i < 8 && utf8_next(&s, &cp); i++)
			if (cp == UTF8_BAD)
				return false;
	}
	return true;
}

size_t
utf8_put(char out[4], uint32_t cp)
{
	if (cp > 0x10ffff || (cp >= 0xd800 && cp < 0xe000))
		cp = 0xfffd;
	if (cp < 0x80) {
		out[0] = (char)cp;
		return 1;
	}
	if (cp < 0x800) {
		out[0] = (char)(0xc0 | cp >> 6);
		out[1] = (char)(0x80 | (cp & 0x3f));
		return 2;
	}
	if (cp < 0x10000) {
		out[0] = (char)(0xe0 | cp >> 12);
		out[1] = (char)(0x80 | (cp >> 6 & 0x3f));
		out[2] = (char)(0x80 | (cp & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | cp >> 18);
	out[1] = (char)(0x80 | (cp >> 12 & 0x3f));
	out[2] = (char)(0x80 | (cp >> 6 & 0x3f));
	out[3] = (char)(0x80 | (cp & 0x3f));
	return 4;
}

bool
utf8_control(uint32_t cp)
{
	return cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || cp == 0x2028 ||
	    cp == 0x2029;
}

bool
utf8_bidi(uint32_t cp)
{
	return cp == 0x61c || cp == 0x200e || cp == 0x200f ||
	    (cp >= 0x202a && cp <= 0x202e) || (cp >= 0x2066 && cp <= 0x2069);
}

bool
utf8_unseen(uint32_t cp)
{
	return cp == 0xad || cp == 0x34f || cp == 0x180e ||
	    cp == 0x115f || cp == 0x1160 || cp == 0x3164 || cp == 0xffa0 ||
	    (cp >= 0x200b && cp <= 0x200d) || (cp >= 0x2060 && cp <= 0x2064) ||
	    (cp >= 0xfe00 && cp <= 0xfe0f) || cp == 0xfeff ||
	    (cp >= 0xe0000 && cp <= 0xe0fff);
}
