/* cell-ask REQUEST FILE PROGRAM [ARGUMENT]...: one question to a cell.
 *
 * The first line is the end and why, the second what the cell tells of itself;
 * then its pieces, a line each. FILE "-": no bytes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cell/cell.h"
#include "log/log.h"
#include "t/tap.h"

enum { WAIT_MS = 60000 };

static void
ask(struct cell *cell, const char *request, const char *path, struct arena *a)
{
	struct slice file = SLICE_NONE;
	struct cell_answer answer;
	int fd = -1;

	if (strcmp(path, "-") != 0) {
		file = tap_file(path);
		fd = cell_memfd(file);
	}
	cell_ask(cell, slice_of(request), fd, deadline_in(WAIT_MS), a,
	    &answer);
	printf("%s %.*s\n%.*s\n", cell_end_name(answer.end),
	    SLICE_ARG(answer.why), SLICE_ARG(cell_told(cell, a)));
	for (struct cell_piece *p = answer.pieces; p != NULL; p = p->next)
		printf("%.*s\n", SLICE_ARG(log_safe(a, p->bytes, 1000)));
	if (fd >= 0)
		close(fd);
	free((void *)(uintptr_t)file.ptr);
}

int
main(int argc, char **argv)
{
	struct arena *a = arena_new();
	struct cell_conf conf = { .name = "asked", .workers = 1,
	    .argv = (const char *const *)argv + 3, .answer_max = 1 << 20,
	    .pieces_max = 1000 };
	struct slice why;
	struct cell *cell;
	bool ready;

	log_open("cell-ask", "/dev/null");
	if (argc < 4 || cell_open(&conf, &cell, a, &why) != RC_OK)
		return 2;
	ready = cell_ready(cell, deadline_in(WAIT_MS), a, &why) == RC_OK;
	if (ready)
		ask(cell, argv[1], argv[2], a);
	else
		printf("not ready %.*s\n", SLICE_ARG(why));
	cell_close(cell);
	arena_free(a);
	return ready ? 0 : 1;
}
