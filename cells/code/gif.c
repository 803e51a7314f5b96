/* GIF89a: the first picture, by its LZW (specification of 1990). */
#include <string.h>

#include "cells/code/picture.h"

enum { CODES = 4096, BITS = 12 };

struct lzw {
	struct slice in;		/* sub-blocks still to come */
	size_t block;			/* bytes left of the one in hand */
	uint32_t bits;
	unsigned nbits;
	uint16_t before[CODES];
	unsigned char last[CODES], first[CODES], stack[CODES];
};

static unsigned
u16(const char *p)
{
	return (unsigned char)p[0] | (unsigned)(unsigned char)p[1] << 8;
}

static bool
next_byte(struct lzw *z, unsigned char *c)
{
	if (z->block == 0) {
		if (z->in.len == 0 || z->in.ptr[0] == '\0')
			return false;
		z->block = (unsigned char)z->in.ptr[0];
		z->in = slice_after(z->in, 1);
	}
	if (z->in.len == 0)
		return false;
	*c = (unsigned char)z->in.ptr[0];
	z->in = slice_after(z->in, 1);
	z->block--;
	return true;
}

static bool
next_code(struct lzw *z, unsigned width, unsigned *code_r)
{
	unsigned char c;

	while (z->nbits < width) {
		if (!next_byte(z, &c))
			return false;
		z->bits |= (uint32_t)c << z->nbits;
		z->nbits += 8;
	}
	*code_r = z->bits & ((1u << width) - 1);
	z->bits >>= width;
	z->nbits -= width;
	return true;
}

/* The colours of one code, at most `room`; how many. */
static size_t
unfold(struct lzw *z, unsigned code, unsigned clear, unsigned char *out,
    size_t room)
{
	size_t n = 0, put = 0;

	while (code >= clear + 2 && n < CODES - 1) {
		z->stack[n++] = z->last[code];
		code = z->before[code];
	}
	z->stack[n++] = (unsigned char)code;
	while (n > 0 && put < room)
		out[put++] = z->stack[--n];
	return put;
}

/* Indexes of colours; what is cut stays 0. */
static void
decode(struct lzw *z, unsigned least, unsigned char *out, size_t room)
{
	unsigned clear = 1u << least, width = least + 1, next = clear + 2;
	unsigned code, before = CODES;
	size_t at = 0;

	for (unsigned i = 0; i < clear; i++)
		z->first[i] = z->last[i] = (unsigned char)i;
	while (at < room && next_code(z, width, &code) && code != clear + 1) {
		if (code == clear) {
			width = least + 1;
			next = clear + 2;
			before = CODES;
			continue;
		}
		if (code > next || (code == next && before == CODES))
			return;
		if (before != CODES && next < CODES) {
			z->before[next] = (uint16_t)before;
			z->first[next] = z->first[before];
			z->last[next] = z->first[code == next ? before : code];
			next++;
			if (next == 1u << width && width < BITS)
				width++;
		} else if (code >= next) {
			return;
		}
		at += unfold(z, code, clear, out + at, room - at);
		before = code;
	}
}

static unsigned char
grey_of(const char *rgb)
{
	return (unsigned char)(((unsigned char)rgb[0] * 77u +
	    (unsigned char)rgb[1] * 150u + (unsigned char)rgb[2] * 29u) >> 8);
}

/* The block of the first picture; extensions are passed over. *clear_r: the
 * colour that is not seen, or 256. */
static bool
find_picture(struct slice *s, unsigned *clear_r)
{
	while (s->len > 2 && s->ptr[0] == '!') {
		if (s->ptr[1] == '\xf9' && s->len > 7 && (s->ptr[3] & 1) != 0)
			*clear_r = (unsigned char)s->ptr[6];
		*s = slice_after(*s, 2);
		while (s->len > 0 && s->ptr[0] != '\0')
			*s = slice_after(*s, 1 + (size_t)(unsigned char)
			    s->ptr[0]);
		*s = slice_after(*s, 1);
	}
	return s->len > 11 && s->ptr[0] == ',';
}

static struct slice
take_table(struct slice *s, unsigned char flags)
{
	struct slice table = SLICE_NONE;

	if ((flags & 0x80) != 0) {
		table = slice_sub(*s, 0, (size_t)3 << ((flags & 7) + 1));
		*s = slice_after(*s, table.len);
	}
	return table;
}

static void
paint(struct picture *p, const unsigned char *index, struct slice table,
    unsigned clear, bool woven)
{
	static const struct { unsigned from, step; } passes[] = {
	    { 0, 8 }, { 4, 8 }, { 2, 4 }, { 1, 2 } };
	size_t at = 0;

	for (unsigned n = 0; n < (woven ? 4u : 1u); n++)
		for (unsigned y = woven ? passes[n].from : 0; y < p->height;
		    y += woven ? passes[n].step : 1)
			for (unsigned x = 0; x < p->width; x++, at++) {
				size_t i = index[at];

				p->grey[(size_t)y * p->width + x] =
				    i == clear || i * 3 + 2 >= table.len ?
				    255 : grey_of(table.ptr + i * 3);
			}
}

bool
picture_gif(struct arena *a, struct slice bytes, struct picture *picture_r,
    struct slice *why_r)
{
	struct slice s = slice_after(bytes, 13), table, own;
	unsigned clear = 256, least;
	unsigned char flags, *index;
	struct lzw *z;

	*why_r = SLICE("the GIF is broken");
	if (bytes.len < 13)
		return false;
	table = take_table(&s, (unsigned char)bytes.ptr[10]);
	if (!find_picture(&s, &clear) || !picture_room(a, u16(s.ptr + 5),
	    u16(s.ptr + 7), picture_r, why_r))
		return false;
	flags = (unsigned char)s.ptr[9];
	s = slice_after(s, 10);
	own = take_table(&s, flags);
	if (s.len < 2 || (least = (unsigned char)s.ptr[0]) > 8 || least < 1)
		return false;
	z = arena_alloc(a, sizeof *z);
	z->in = slice_after(s, 1);
	index = arena_alloc(a, (size_t)picture_r->width * picture_r->height);
	decode(z, least, index, (size_t)picture_r->width * picture_r->height);
	paint(picture_r, index, own.ptr != NULL ? own : table, clear,
	    (flags & 0x40) != 0);
	return true;
}
