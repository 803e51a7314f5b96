/*
 * legacy - what office documents of the time before 2007 say
 *
 * Each adds the text to *out, UTF-8, at most max bytes, and says whether that
 * is all of it:
 *
 * word_text	streams WordDocument, 0Table and 1Table ([MS-DOC]; also Word 6
 *		and 95, which have no table): all that the table of pieces
 *		names, so notes, headers, comments and text boxes too
 * excel_text	stream Workbook, or Book of Excel 5 and 95 ([MS-XLS]): cells in
 *		the order of the file, a row a line; texts of drawings, names of
 *		sheets, strings that no cell shows
 * slides_text	stream PowerPoint Document ([MS-PPT]): all text of slides, notes
 *		and comments
 * slides_object	the next file that is embedded in it, inflated, from *at on,
 *		which moves; absent: no more
 * rtf_text	an RTF file
 * properties_text	a property set (SummaryInformation, [MS-OLEPS]): strings
 *
 * Pure but for codepage.h, whose converters they share. No recursion; time is
 * linear in the bytes and max.
 */
#ifndef CELLS_UNPACK_LEGACY_H
#define CELLS_UNPACK_LEGACY_H

#include "base/arena.h"
#include "base/buf.h"

enum legacy {
	LEGACY_WHOLE,
	LEGACY_PART,			/* damaged, too much, or unknown */
	LEGACY_ENCRYPTED,
};

enum legacy word_text(struct slice document, const struct slice tables[2],
    size_t max, struct buf *out);
enum legacy excel_text(struct slice book, size_t max, struct buf *out);
enum legacy slides_text(struct slice document, size_t max, struct buf *out);
struct slice slides_object(struct slice document, size_t *at, size_t max,
    struct arena *a);
enum legacy rtf_text(struct slice bytes, size_t max, struct buf *out);
enum legacy properties_text(struct slice set, size_t max, struct buf *out);

#endif
