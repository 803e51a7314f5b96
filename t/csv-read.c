/* CSV: what is read, what is refused and where, and that it does not matter
 * where a read ends. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tools/csv.h"
#include "tools/csv-read.h"
#include "t/tap.h"

/* Cells joined by |, rows by /. */
static const struct {
	const char *name, *text, *want, *why;
} cases[] = {
	{ "rows", "a,b\r\n1,2\r\n", "a|b/1|2/", NULL },
	{ "LF", "a,b\n1,2\n", "a|b/1|2/", NULL },
	{ "no newline at the end", "a,b\n1,2", "a|b/1|2/", NULL },
	{ "empty cells", "a,b\n,\n", "a|b/|/", NULL },
	{ "empty lines", "\n\na\n\n\n1\n\n", "a/1/", NULL },
	{ "quotes", "\"a\",\"b\"\n\"1\",2\n", "a|b/1|2/", NULL },
	{ "a separator in quotes", "a\n\"1,2\"\n", "a/1,2/", NULL },
	{ "a newline in quotes", "a\n\"1\r\n2\n3\"\n", "a/1\r\n2\n3/", NULL },
	{ "doubled quotes", "a\n\"\"\"1\"\"\"\n", "a/\"1\"/", NULL },
	{ "an empty cell in quotes", "a,b\n\"\",\"\"\n", "a|b/|/", NULL },
	{ "blanks stay", "a\n 1 \n", "a/ 1 /", NULL },
	{ "a byte order mark", "\xef\xbb\xbf" "a\n1\n", "a/1/", NULL },
	{ "nothing", "", "", NULL },
	{ "UTF-8", "\xc3\xa4\n\xe2\x82\xac\n", "\xc3\xa4/\xe2\x82\xac/", NULL },

	{ "too few", "a,b\n1\n", "a|b/", "t:2: 1 cells where the first row" },
	{ "too many", "a\n1,2\n", "a/", "t:2: 2 cells where" },
	{ "a quote that never closes", "a\n1\n\"2\n3\n", "a/1/",
	  "t:3: this quote never closes" },
	{ "a quote inside", "a\n1\"2\n", "a/", "t:2: a quote within a cell" },
	{ "something behind it", "a\n\"1\"2\n", "a/",
	  "t:2: something stands behind" },
	{ "a blank behind it", "a\n\"1\" \n", "a/",
	  "t:2: something stands behind" },
	{ "CR alone", "a\r1\r", "", "t:1: a CR without LF" },
	{ "not UTF-8", "a\nb\nc\nd\x01\n\xff\n",
	  "a/b/c/d\x01/", "t:5: bytes that are no UTF-8" },
	{ "the line where the row begins", "a,b\n\"1\n2\n3\",\xff\n", "a|b/",
	  "t:2: bytes that are no UTF-8" },
};

/* All cells; false with why when it is refused. */
static enum rc
all(struct csv_reader *c, struct buf *out, char *why, size_t size)
{
	struct slice said = SLICE("");
	struct csv_row row;
	bool more;
	enum rc rc;

	while ((rc = csv_next(c, &row, &more, &said)) == RC_OK && more) {
		for (size_t i = 0; i < row.count; i++) {
			if (i > 0)
				buf_addc(out, '|');
			buf_add(out, row.cells[i]);
		}
		buf_addc(out, '/');
	}
	snprintf(why, size, "%.*s", SLICE_ARG(said));
	return rc;
}

static void
table(void)
{
	char why[1000];

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct buf out = { 0 };
		struct csv_reader *c = csv_bytes(slice_of(cases[i].text), "t",
		    ',');
		enum rc rc = all(c, &out, why, sizeof why);

		tap_ok(rc == (cases[i].why != NULL ? RC_BAD : RC_OK) &&
		    (cases[i].why == NULL || strstr(why, cases[i].why) !=
		    NULL), "%s %s", cases[i].name, why);
		tap_is(buf_slice(&out), slice_of(cases[i].want), "%s: cells",
		    cases[i].name);
		csv_close(c);
		buf_free(&out);
	}
}

/* The same bytes through a pipe, in pieces of each size. */
static void
pieces(void)
{
	static const char text[] = "name,text\r\n\"a\"\"b\",\"1\r\n2\"\r\n"
	    "\xe2\x82\xac,x\r\n";
	static const char want[] = "name|text/a\"b|1\r\n2/\xe2\x82\xac|x/";
	char why[1000];

	for (size_t size = 1; size < sizeof text; size++) {
		struct buf out = { 0 };
		struct csv_reader *c;
		int fds[2];

		if (pipe(fds) != 0)
			tap_ok(false, "pipe");
		if (fork() == 0) {
			for (size_t at = 0; at < sizeof text - 1; at += size) {
				size_t n = sizeof text - 1 - at;

				if (write(fds[1], text + at, n < size ? n :
				    size) < 0)
					_exit(1);
				usleep(10);
			}
			_exit(0);
		}
		close(fds[1]);
		c = csv_open(fds[0], "t", ',');
		all(c, &out, why, sizeof why);
		if (!slice_eq(buf_slice(&out), slice_of(want)))
			tap_ok(false, "pieces of %zu", size);
		csv_close(c);
		close(fds[0]);
		buf_free(&out);
	}
	tap_ok(true, "pieces of any size");
}

/* What csv.h writes for people is read again, the ' before a formula too. */
static void
our_own(void)
{
	static const char *const names[] = { "a", "b \"c\"", "d,e" };
	struct buf text = { 0 }, out = { 0 };
	struct csv_reader *c;
	char why[1000];

	csv_row(&text, names, 3);
	csv_cell(&text, SLICE("1\n2"), false);
	csv_cell(&text, SLICE("=1"), false);
	csv_cell(&text, SLICE(""), true);
	c = csv_bytes(buf_slice(&text), "t", ',');
	tap_is_int(all(c, &out, why, sizeof why), RC_OK, "our own");
	tap_is(buf_slice(&out), SLICE("a|b \"c\"|d,e/1 2|'=1|/"), "is read");
	csv_close(c);
	buf_free(&out);
	buf_free(&text);
}

static void
bounds(void)
{
	static const struct {
		const char *what, *head, *fill, *why;
		size_t n;
	} big[] = {
		{ "a cell of 64 kB", "", "x", NULL, CSV_CELL_MAX },
		{ "one byte more", "", "x", "t:1: a cell of over 64 kB",
		  CSV_CELL_MAX + 1 },
		{ "a quote that swallows the file", "\"", "x,y\n",
		  "t:1: a cell of over 64 kB", 100000 },
		{ "500 cells", "x", ",", NULL, 499 },
		{ "501", "x", ",", "t:1: over 500 cells", 500 },
#define Y50	"yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy"
		{ "a row of over 256 kB", "x", "," Y50 Y50 Y50 Y50 Y50 Y50 Y50
		  Y50 Y50 Y50 Y50,
		  "t:1: a row of over 256 kB", 499 },
	};
	char why[1000];

	for (size_t i = 0; i < sizeof big / sizeof *big; i++) {
		struct buf text = { 0 }, out = { 0 };
		struct csv_reader *c;
		enum rc rc;

		buf_adds(&text, big[i].head);
		for (size_t k = 0; k < big[i].n; k++)
			buf_adds(&text, big[i].fill);
		c = csv_bytes(buf_slice(&text), "t", ',');
		rc = all(c, &out, why, sizeof why);
		tap_ok(big[i].why == NULL ? rc == RC_OK : rc == RC_BAD &&
		    strstr(why, big[i].why) != NULL, "%s %.100s", big[i].what,
		    why);
		csv_close(c);
		buf_free(&text);
		buf_free(&out);
	}
}

int
main(void)
{
	table();
	pieces();
	our_own();
	bounds();
	return tap_done();
}
