#include "cells/code/codes.h"

#include <string.h>

#include <zbar.h>

enum { SMALL = 400 };

static size_t
scan(struct arena *a, zbar_image_scanner_t *scanner, const struct picture *p,
    struct slice codes_r[CODES_MOST])
{
	zbar_image_t *image = zbar_image_create();
	size_t n = 0;

	zbar_image_set_format(image, zbar_fourcc('Y', '8', '0', '0'));
	zbar_image_set_size(image, p->width, p->height);
	zbar_image_set_data(image, p->grey, (size_t)p->width * p->height,
	    NULL);
	zbar_scan_image(scanner, image);
	for (const zbar_symbol_t *s = zbar_image_first_symbol(image);
	    s != NULL && n < CODES_MOST; s = zbar_symbol_next(s)) {
		size_t len = zbar_symbol_get_data_length(s);

		codes_r[n++] = arena_copy(a, slice_make(zbar_symbol_get_data(
		    s), len < CODES_BYTES ? len : CODES_BYTES));
	}
	zbar_image_destroy(image);
	return n;
}

size_t
codes_read(struct arena *a, struct picture *p,
    struct slice codes_r[CODES_MOST])
{
	zbar_image_scanner_t *scanner = zbar_image_scanner_create();
	struct picture large = *p;
	size_t n;

	zbar_image_scanner_set_config(scanner, ZBAR_NONE, ZBAR_CFG_ENABLE, 0);
	zbar_image_scanner_set_config(scanner, ZBAR_QRCODE, ZBAR_CFG_ENABLE,
	    1);
	/* Bytes as they are: its conversions would open files. */
	zbar_image_scanner_set_config(scanner, ZBAR_QRCODE, ZBAR_CFG_BINARY,
	    1);
	n = scan(a, scanner, p, codes_r);
	if (n == 0 && p->width <= SMALL && p->height <= SMALL) {
		large = picture_larger(a, p, 3);
		n = scan(a, scanner, &large, codes_r);
	}
	if (n == 0) {
		picture_turn(&large);
		n = scan(a, scanner, &large, codes_r);
	}
	zbar_image_scanner_destroy(scanner);
	return n;
}
