/* What libmagic calls files (unpack/kinds.h), by the cell that is built. */
#include <string.h>
#include <unistd.h>

#include "log/log.h"
#include "t/tap.h"
#include "unpack/kinds.h"

/* ---- what goes to and fro ---- */

static const struct {
	const char *request;
	size_t len;			/* of the descriptor's bytes */
	bool read;
} requests[] = {
	{ "kinds 3", 3, true }, { "kinds 1 0 2", 3, true },
	{ "kinds", 0, true }, { "kinds 3", 2, false }, { "kinds 3", 4, false },
	{ "kinds 3 ", 3, false }, { "kind 3", 3, false },
	{ "kinds -3", 3, false }, { "kinds 16385", 16385, false },
	{ "10 5000 1 1 200 1 0\nx", 0, false },
};

static const struct { const char *answer; size_t n; bool read; } answers[] = {
	{ "a/b\n", 1, true }, { "a/b\nc/d\n", 2, true }, { "", 0, true },
	{ "a/b", 1, false }, { "a/b\n\n", 2, false }, { "a/b\n", 2, false },
	{ "a/b\nc/d\n", 1, false }, { "ab\n", 1, false },
	{ "a/B\n", 1, false }, { "a/b c\n", 1, false },
	{ "a/\033b\n", 1, false },
};

static void
test_words(struct arena *a)
{
	struct slice files[KINDS], bytes = slice_make(arena_alloc(a, 70000),
	    70000);
	struct buf many = buf_in(a);
	size_t n;

	for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++)
		tap_ok(kinds_read_request(slice_of(requests[i].request),
		    slice_sub(bytes, 0, requests[i].len), files, &n) ==
		    requests[i].read, "request %zu", i);
	buf_adds(&many, "kinds");
	for (size_t i = 0; i <= KINDS; i++)
		buf_adds(&many, " 0");
	tap_ok(!kinds_read_request(buf_slice(&many), SLICE(""), files, &n),
	    "too many");
	for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++)
		tap_ok(kinds_read_answer(slice_of(answers[i].answer),
		    answers[i].n, files) == answers[i].read, "answer %zu", i);
}

/* ---- the cell ---- */

#define FITS	"SIMPLE  =                    T"

static const char python[] = "import os, sys\n\ndef main(argv):\n"
    "    for name in argv:\n        os.remove(name)\n\nmain(sys.argv[1:])\n";

/* Longer than what goes to the cell. */
static struct slice
long_file(struct arena *a)
{
	enum { LEN = 300000 };
	char *bytes = arena_alloc(a, LEN);

	memset(bytes, 7, LEN);
	memcpy(bytes, FITS, sizeof FITS - 1);
	return slice_make(bytes, LEN);
}

static void
test_cell(struct cell *cell, struct arena *a)
{
	struct slice files[KINDS], kinds[KINDS];
	deadline_t until = deadline_in(60000);

	files[0] = slice_make(python, sizeof python - 1);
	files[1] = long_file(a);
	files[2] = SLICE("");
	files[3] = SLICE("just words");
	files[4] = SLICE("\1\2\3\4 nothing \5\6");
	tap_ok(unpack_kinds(cell, files, 5, until, a, kinds) == CELL_ANSWERED,
	    "five files at once");
	tap_is(kinds[0], SLICE("text/x-script.python"), "a script");
	tap_is(kinds[1], SLICE("image/fits"), "a long file, by its begin");
	tap_is(kinds[2], SLICE("application/x-empty"), "nothing");
	tap_is(kinds[3], SLICE("text/plain"), "words");
	tap_is(kinds[4], SLICE("application/octet-stream"), "not known");
	for (size_t i = 0; i < KINDS; i++)
		files[i] = long_file(a);
	tap_ok(unpack_kinds(cell, files, KINDS, until, a, kinds) ==
	    CELL_ANSWERED, "as many as there may be");
	tap_is(kinds[KINDS - 1], SLICE("image/fits"), "and the last of them");
}

int
main(void)
{
	struct arena *a = arena_new();
	struct cell *cell;
	struct slice why;
	const char *argv[] = { cell_program(a, "unpack"), NULL };
	struct cell_conf conf = { .name = "unpack", .argv = argv, .workers = 1,
	    .answer_max = 1 << 20, .pieces_max = 100 };

	log_open("kinds", "/dev/null");
	test_words(a);
	if (access(argv[0], X_OK) != 0)
		tap_ok(false, "the cell unpack is built");
	else if (cell_open(&conf, &cell, a, &why) == RC_OK) {
		test_cell(cell, a);
		cell_close(cell);
	}
	arena_free(a);
	return tap_done();
}
