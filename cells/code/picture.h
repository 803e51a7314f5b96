/*
 * picture - PNG, JPEG and GIF as grey pixels
 *
 * picture_read		the (first) picture in these bytes, on white, made smaller
 *			until it has PICTURE_PIXELS at most; in the arena. False
 *			with *why_r: no such picture, broken, or over
 *			PICTURE_WRITTEN pixels
 * picture_larger	the same, each side n times
 * picture_turn		black for white, in place
 *
 * For a cell: libpng and libjpeg read hostile bytes here.
 */
#ifndef CELLS_CODE_PICTURE_H
#define CELLS_CODE_PICTURE_H

#include "base/arena.h"

enum {
	PICTURE_WRITTEN = 50000000, PICTURE_PIXELS = 4000000,
	PICTURE_SIDE = 30000,
};

struct picture {
	unsigned width, height;
	unsigned char *grey;		/* row by row, no gap */
};

bool picture_read(struct arena *a, struct slice bytes,
    struct picture *picture_r, struct slice *why_r);
struct picture picture_larger(struct arena *a, const struct picture *p,
    unsigned n);
void picture_turn(struct picture *p);

/* For picture.c. */
bool picture_gif(struct arena *a, struct slice bytes,
    struct picture *picture_r, struct slice *why_r);
bool picture_room(struct arena *a, uint64_t width, uint64_t height,
    struct picture *picture_r, struct slice *why_r);

#endif
