/*
 * What libmagic costs, and says: bench/kinds FILE...
 *
 * Of each FILE what our table makes of it; then the cell is asked for all of
 * them, alone and many at once, whether or not attachment-dlp would ask. Middle
 * microseconds a file from call to answer of whoever waits; the lines before
 * tell which files would be asked for, and what is said of them.
 */
#include <stdio.h>
#include <stdlib.h>

#include "log/log.h"
#include "milters/attachment-dlp/identify.h"
#include "t/tap.h"
#include "unpack/kinds.h"

static struct cell *cell;

static int
by_size(const void *x, const void *y)
{
	const int64_t *a = x, *b = y;

	return (*a > *b) - (*a < *b);
}

static int64_t
middle(int64_t *us, size_t n)
{
	qsort(us, n, sizeof *us, by_size);
	return n > 0 ? us[n / 2] : 0;
}

static int64_t
at_once(const struct slice *files, size_t n, struct arena *a)
{
	struct slice kinds[KINDS];
	int64_t before = clock_mono_us();

	if (unpack_kinds(cell, files, n, deadline_in(60000), a, kinds) !=
	    CELL_ANSWERED)
		fprintf(stderr, "bench/kinds: no answer\n");
	return clock_mono_us() - before;
}

static void
one(const char *path, struct slice bytes, int64_t *table, int64_t *alone,
    bool *asked)
{
	struct arena *a = arena_new();
	struct identity id;
	struct slice kind;
	int64_t before = clock_mono_us();

	identify_file(a, slice_of(path), SLICE(""), bytes, &id);
	*table = clock_mono_us() - before;
	*alone = at_once(&bytes, 1, a);
	*asked = bytes.len > 0 && identify_unsure(&id);
	if (*asked && unpack_kinds(cell, &bytes, 1, deadline_in(60000), a,
	    &kind) == CELL_ANSWERED) {
		identify_magic(a, &id, kind);
		printf("%s: %s, libmagic says %.*s%s\n", path, id.is->name,
		    SLICE_ARG(kind), id.magic_mime.len > 0 ? ", which counts" :
		    "");
	}
	arena_free(a);
}

int
main(int argc, char **argv)
{
	struct arena *a = arena_new();
	const char *cell_argv[] = { cell_program(a, "unpack"), NULL };
	const struct cell_conf conf = { .name = "unpack", .argv = cell_argv,
	    .workers = 1, .answer_max = 1 << 20, .pieces_max = 100 };
	size_t n = argc > 1 ? (size_t)argc - 1 : 0, asked = 0;
	struct slice *files = arena_array(a, n + 1, sizeof *files), why;
	int64_t *table = arena_array(a, n + 1, sizeof *table), many = 0;
	int64_t *alone = arena_array(a, n + 1, sizeof *alone);
	bool unsure;

	log_open("bench", "/dev/null");
	if (cell_open(&conf, &cell, a, &why) != RC_OK)
		return 1;
	cell_warm(cell, deadline_in(10000));
	for (size_t i = 0; i < n; i++) {
		files[i] = tap_file(argv[i + 1]);
		one(argv[i + 1], files[i], &table[i], &alone[i], &unsure);
		asked += unsure;
	}
	for (size_t i = 0; i < n; i += KINDS)
		many += at_once(files + i, n - i < KINDS ? n - i : KINDS, a);
	printf("%zu files, %zu to be asked for\ntable %lld us, cell alone %lld "
	    "us, %d at once %lld us each\n", n, asked,
	    (long long)middle(table, n), (long long)middle(alone, n), KINDS,
	    (long long)(n > 0 ? many / (int64_t)n : 0));
	for (size_t i = 0; i < n; i++)
		free((void *)(uintptr_t)files[i].ptr);
	cell_close(cell);
	arena_free(a);
	return 0;
}
