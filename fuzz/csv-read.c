/*
 * Any bytes as CSV: no cell is over its limits, and cells written again in
 * quotes are read as the same cells.
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "text/utf8.h"
#include "tools/csv-read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool good)
{
	if (!good)
		abort();
}

static void
write_row(struct buf *out, const struct csv_row *row)
{
	for (size_t i = 0; i < row->count; i++) {
		buf_adds(out, i > 0 ? ",\"" : "\"");
		for (size_t k = 0; k < row->cells[i].len; k++) {
			if (row->cells[i].ptr[k] == '"')
				buf_addc(out, '"');
			buf_addc(out, row->cells[i].ptr[k]);
		}
		buf_addc(out, '"');
	}
	buf_adds(out, "\r\n");
}

static enum rc
all(struct slice bytes, char separator, struct buf *out)
{
	struct csv_reader *c = csv_bytes(bytes, "fuzz", separator);
	struct slice why = SLICE_NONE;
	struct csv_row row;
	size_t columns = 0;
	bool more = true;
	enum rc rc;

	while ((rc = csv_next(c, &row, &more, &why)) == RC_OK && more) {
		must(row.count > 0 && row.count <= CSV_CELLS_MAX);
		must(columns == 0 || columns == row.count);
		columns = row.count;
		for (size_t i = 0; i < row.count; i++)
			must(row.cells[i].len <= CSV_CELL_MAX &&
			    utf8_valid(row.cells[i]));
		write_row(out, &row);
	}
	must(rc == RC_OK || (rc == RC_BAD && why.len > 0));
	must(csv_next(c, &row, &more, &why) == RC_OK && !more);
	csv_close(c);
	return rc;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf once = { 0 }, twice = { 0 };
	char separator = size > 0 && data[0] == ';' ? ';' : ',';

	if (all(slice_make(data, size), separator, &once) == RC_OK) {
		must(all(buf_slice(&once), ',', &twice) == RC_OK);
		must(slice_eq(buf_slice(&once), buf_slice(&twice)));
	}
	buf_free(&once);
	buf_free(&twice);
	return 0;
}
