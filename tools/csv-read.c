#include "tools/csv-read.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "text/utf8.h"

enum { BLOCK = 65536, END = -1, TROUBLE = -2 };

struct csv_reader {
	int fd;				/* -1: all is in `ready` */
	char *name;
	char separator;
	char block[BLOCK];
	struct slice ready;
	bool over;
	size_t line;			/* that the next byte is in */
	size_t columns;			/* of the first row; 0: none yet */
	size_t nrow, ncells, start;	/* bytes of it, cells, of this cell */
	char row[CSV_ROW_MAX];
	struct slice cells[CSV_CELLS_MAX];
	struct arena *arena;
	struct slice why;
};

static struct csv_reader *
reader(int fd, struct slice bytes, const char *name, char separator)
{
	struct csv_reader *c = mem_alloc(sizeof *c);

	memset(c, 0, offsetof(struct csv_reader, row));
	c->fd = fd;
	c->name = strdup(name);
	c->separator = separator;
	c->ready = bytes;
	c->line = 1;
	c->arena = arena_new();
	return c;
}

struct csv_reader *
csv_open(int fd, const char *name, char separator)
{
	return reader(fd, SLICE(""), name, separator);
}

struct csv_reader *
csv_bytes(struct slice bytes, const char *name, char separator)
{
	return reader(-1, bytes, name, separator);
}

void
csv_close(struct csv_reader *c)
{
	if (c == NULL)
		return;
	arena_free(c->arena);
	free(c->name);
	free(c);
}

static enum rc
bad(struct csv_reader *c, size_t line, const char *what)
{
	c->why = arena_printf(c->arena, "%s:%zu: %s", c->name, line, what);
	return RC_BAD;
}

/* Fills the block when it is empty; END, TROUBLE, or 0. */
static int
fill(struct csv_reader *c)
{
	ssize_t n;

	if (c->ready.len > 0)
		return 0;
	if (c->fd < 0)
		return END;
	do
		n = read(c->fd, c->block, BLOCK);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		c->why = arena_printf(c->arena, "%s: %s", c->name,
		    strerror(errno));
	if (n <= 0)
		return n == 0 ? END : TROUBLE;
	c->ready = slice_make(c->block, (size_t)n);
	return 0;
}

/* The next byte without taking it. */
static int
peek(struct csv_reader *c)
{
	int got = fill(c);

	return got != 0 ? got : (unsigned char)c->ready.ptr[0];
}

static int
take(struct csv_reader *c)
{
	int b = peek(c);

	if (b < 0)
		return b;
	c->ready = slice_after(c->ready, 1);
	c->line += b == '\n';
	return b;
}

static enum rc
put(struct csv_reader *c, int b, size_t line)
{
	if (c->nrow - c->start >= CSV_CELL_MAX)
		return bad(c, line, "a cell of over 64 kB; a quote that never "
		    "closes makes one");
	if (c->nrow >= CSV_ROW_MAX)
		return bad(c, line, "a row of over 256 kB; leave columns out");
	if (b == '\0')
		return bad(c, c->line, "a NUL byte; the file is to be text in "
		    "UTF-8");
	c->row[c->nrow++] = (char)b;
	return RC_OK;
}

static enum rc
end_cell(struct csv_reader *c, size_t line)
{
	struct slice cell = slice_make(c->row + c->start, c->nrow - c->start);

	if (c->ncells == CSV_CELLS_MAX)
		return bad(c, line, "over 500 cells in a row; leave columns "
		    "out");
	if (!utf8_valid(cell))
		return bad(c, line, "bytes that are no UTF-8; export the file "
		    "as UTF-8");
	c->cells[c->ncells++] = cell;
	c->start = c->nrow;
	return RC_OK;
}

/* Behind the opening quote, up to the closing one. */
static enum rc
quoted(struct csv_reader *c)
{
	size_t line = c->line;
	enum rc rc = RC_OK;

	while (rc == RC_OK) {
		int b = take(c);

		if (b == TROUBLE)
			return RC_RETRY;
		if (b == END)
			return bad(c, line, "this quote never closes; the file "
			    "was cut off, or a quote in a cell is not doubled");
		if (b == '"') {
			if (peek(c) != '"')
				return RC_OK;
			take(c);
		}
		rc = put(c, b, line);
	}
	return rc;
}

static bool
ends_cell(const struct csv_reader *c, int b)
{
	return b < 0 || b == '\n' || b == '\r' || b == (unsigned char)
	    c->separator;
}

static enum rc
cell(struct csv_reader *c)
{
	enum rc rc = RC_OK;

	if (peek(c) == '"') {
		take(c);
		rc = quoted(c);
		if (rc == RC_OK && !ends_cell(c, peek(c)))
			return bad(c, c->line, "something stands behind a "
			    "closing quote; a quote in a cell is doubled");
		return rc;
	}
	while (rc == RC_OK && !ends_cell(c, peek(c))) {
		int b = take(c);

		if (b == '"')
			return bad(c, c->line, "a quote within a cell that has "
			    "none around it; put quotes around the cell and "
			    "double this one");
		rc = put(c, b, c->line);
	}
	return rc;
}

/* CRLF, LF or the end of the file. */
static enum rc
end_row(struct csv_reader *c)
{
	int b = take(c);

	if (b == '\r') {
		b = take(c);
		if (b != '\n' && b != TROUBLE)
			return bad(c, c->line, "a CR without LF; lines end in "
			    "CRLF or LF");
	}
	return b == TROUBLE ? RC_RETRY : RC_OK;
}

static enum rc
one_row(struct csv_reader *c, size_t line)
{
	enum rc rc;

	c->nrow = c->ncells = c->start = 0;
	for (;;) {
		rc = cell(c);
		if (rc == RC_OK)
			rc = end_cell(c, line);
		if (rc != RC_OK || peek(c) != (unsigned char)c->separator)
			break;
		take(c);
	}
	return rc == RC_OK ? end_row(c) : rc;
}

static bool
empty(const struct csv_reader *c)
{
	return c->ncells == 1 && c->cells[0].len == 0;
}

static void
skip_mark(struct csv_reader *c)
{
	if (fill(c) == 0 && slice_starts(c->ready, SLICE("\xef\xbb\xbf")))
		c->ready = slice_after(c->ready, 3);
}

static enum rc
next(struct csv_reader *c, struct csv_row *row_r, bool *more_r)
{
	size_t line;
	enum rc rc;

	if (c->columns == 0 && c->line == 1)
		skip_mark(c);
	do {
		int b = peek(c);

		if (b < 0)
			return b == END ? RC_OK : RC_RETRY;
		line = c->line;
		rc = one_row(c, line);
	} while (rc == RC_OK && empty(c));
	if (rc != RC_OK)
		return rc;
	if (c->columns == 0)
		c->columns = c->ncells;
	if (c->columns != c->ncells) {
		c->why = arena_printf(c->arena, "%s:%zu: %zu cells where the "
		    "first row has %zu; each row has all columns", c->name,
		    line, c->ncells, c->columns);
		return RC_BAD;
	}
	*row_r = (struct csv_row){ c->cells, c->ncells, line };
	*more_r = true;
	return RC_OK;
}

enum rc
csv_next(struct csv_reader *c, struct csv_row *row_r, bool *more_r,
    struct slice *why_r)
{
	enum rc rc = RC_OK;

	*more_r = false;
	if (!c->over)
		rc = next(c, row_r, more_r);
	c->over = !*more_r;
	if (rc != RC_OK)
		*why_r = c->why;
	return rc;
}
