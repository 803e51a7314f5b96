/* Files without a magic number, known by a sum or by what repeats. */
#include "filetype/look.h"

enum { BLOCK = 512, SUM = 148, FIRST = 4096 };

/* The sum of the header, its own field taken as blanks (POSIX, pax). */
bool
look_tar(struct slice bytes)
{
	unsigned sum = 0, told = 0;
	bool digits = false;

	if (bytes.len < BLOCK)
		return false;
	for (size_t i = 0; i < BLOCK; i++)
		sum += i >= SUM && i < SUM + 8 ? ' ' :
		    (unsigned char)bytes.ptr[i];
	for (size_t i = SUM; i < SUM + 8; i++) {
		char c = bytes.ptr[i];

		if (c >= '0' && c <= '7') {
			told = told * 8 + (unsigned)(c - '0');
			digits = true;
		} else if (c != ' ' && c != '\0') {
			return false;
		}
	}
	return digits && told == sum && sum > 8 * ' ';
}

/* MPEG audio (ISO 11172-3, 13818-7): sync, then fields that exclude values. */
static const char *
frame(const unsigned char *p)
{
	if (p[0] != 0xff || (p[1] & 0xe0) != 0xe0)
		return NULL;
	if ((p[1] & 0xf6) == 0xf0)
		return "aac";
	/* A rate of its own (0) is allowed, and nobody has one; but much that
	 * is no sound has such bytes. */
	if ((p[1] & 0x18) == 0x08 || (p[1] & 0x06) == 0 ||
	    (p[2] & 0xf0) == 0xf0 || (p[2] & 0xf0) == 0 ||
	    (p[2] & 0x0c) == 0x0c)
		return NULL;
	return "mp3";
}

/* Encoders leave some junk before the first frame. */
const char *
look_frames(struct slice bytes)
{
	size_t end = bytes.len < FIRST ? bytes.len : FIRST;

	for (size_t i = 0; i + 4 <= end; i++) {
		const char *name = frame((const unsigned char *)bytes.ptr + i);

		if (name != NULL && i <= 16)
			return name;
	}
	/* MPEG transport stream: a sync byte each 188 bytes, or 192. */
	for (size_t step = 188; step <= 192; step += 4)
		if (bytes.len > 3 * step + 4 && bytes.ptr[step - 188] == 'G' &&
		    bytes.ptr[step - 188 + step] == 'G' &&
		    bytes.ptr[step - 188 + 2 * step] == 'G')
			return "mpeg";
	return NULL;
}
