/*
 * pdf_filter - filters of a stream undone
 *
 * pdf_filter_undo	one filter by its name ("/LZWDecode", or "/LZW"), with the
 *			dictionary of its parameters (empty: none). Empty, and
 *			*whole_r false: nobody here knows it. What is damaged or
 *			over *left bytes is told as far as it went, and *whole_r
 *			false; *left is what remains
 *
 * Flate and LZW with predictors of PNG and TIFF, ASCIIHex, ASCII85, RunLength.
 */
#ifndef CELLS_PDF_FILTER_H
#define CELLS_PDF_FILTER_H

#include "base/arena.h"
#include "base/slice.h"

struct slice pdf_filter_undo(struct arena *a, struct slice name,
    struct slice parameters, struct slice s, size_t *left, bool *whole_r);

#endif
