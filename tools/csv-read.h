/*
 * csv-read - rows of a CSV file (RFC 4180), as they are asked for
 *
 *	struct csv_reader *c = csv_open(fd, "hr.csv", ',');
 *	while ((rc = csv_next(c, &row, &more, &why)) == RC_OK && more)
 *		... row.cells[i] ...
 *	csv_close(c);
 *
 * Strict where a guess could move a value into another column: a quote stands
 * at the start of a cell or doubled inside one in quotes, behind the closing
 * one comes a separator or the end of the line, and each row has as many cells
 * as the first. Lines end in CRLF or LF; in quotes both may stand in a cell.
 * UTF-8 alone; a byte order mark is passed over, as are empty lines. What is
 * malformed, or over a limit, is RC_BAD: "name:line: what is wrong; what would
 * be right"; the line is where the row begins, or where the quote opens.
 * RC_RETRY: it cannot be read.
 *
 * Memory: one row of CSV_ROW_MAX bytes. Cells live until the next call.
 * csv_bytes is the same for bytes that outlive the reader.
 */
#ifndef TOOLS_CSV_READ_H
#define TOOLS_CSV_READ_H

#include "base/arena.h"
#include "base/rc.h"

enum { CSV_ROW_MAX = 256 * 1024, CSV_CELL_MAX = 64 * 1024,
    CSV_CELLS_MAX = 500 };

struct csv_row {
	const struct slice *cells;
	size_t count;
	size_t line;			/* where it begins, from 1 */
};

struct csv_reader;

struct csv_reader *csv_open(int fd, const char *name, char separator);
struct csv_reader *csv_bytes(struct slice bytes, const char *name,
    char separator);
enum rc csv_next(struct csv_reader *c, struct csv_row *row_r, bool *more_r,
    struct slice *why_r);
void csv_close(struct csv_reader *c);

#endif
