/*
 * codes - QR codes in a picture, by libzbar
 *
 * codes_read	what stands in each code of the picture, at most CODES_MOST;
 *		slices in the arena. Codes that are small, or white on black,
 *		are looked for where none was found
 */
#ifndef CELLS_CODE_CODES_H
#define CELLS_CODE_CODES_H

#include "cells/code/picture.h"

enum { CODES_MOST = 20, CODES_BYTES = 4000 };

size_t codes_read(struct arena *a, struct picture *p,
    struct slice codes_r[CODES_MOST]);

#endif
