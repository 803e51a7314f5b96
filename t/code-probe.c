/*
 * code-probe CELL FILE...: what the code cell says of each picture: "END" or
 * "END: WHY", then each code. code-probe --jpeg: a PGM from standard input as
 * a JPEG.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jpeglib.h>

#include "cell/cell.h"
#include "log/log.h"
#include "t/tap.h"

static int
write_jpeg(void)
{
	struct jpeg_compress_struct j;
	struct jpeg_error_mgr trouble;
	unsigned width, height;
	unsigned char *row;

	if (scanf("P5 %u %u 255", &width, &height) != 2 || getchar() == EOF)
		return 1;
	row = mem_alloc(width);
	j.err = jpeg_std_error(&trouble);
	jpeg_create_compress(&j);
	jpeg_stdio_dest(&j, stdout);
	j.image_width = width;
	j.image_height = height;
	j.input_components = 1;
	j.in_color_space = JCS_GRAYSCALE;
	jpeg_set_defaults(&j);
	jpeg_start_compress(&j, TRUE);
	while (j.next_scanline < height && fread(row, 1, width, stdin) ==
	    width)
		jpeg_write_scanlines(&j, &row, 1);
	jpeg_finish_compress(&j);
	jpeg_destroy_compress(&j);
	free(row);
	return 0;
}

static void
look(struct cell *cell, struct arena *a, const char *path)
{
	struct slice file = tap_file(path);
	struct cell_answer answer;
	int fd = cell_memfd(file);

	cell_ask(cell, SLICE(""), fd, deadline_in(30000), a, &answer);
	printf("%s%s%.*s", cell_end_name(answer.end),
	    answer.end == CELL_ANSWERED ? "" : ": ",
	    answer.end == CELL_ANSWERED ? 0 : (int)answer.why.len,
	    answer.why.ptr != NULL ? answer.why.ptr : "");
	for (const struct cell_piece *p = answer.pieces; p != NULL &&
	    answer.end == CELL_ANSWERED; p = p->next)
		printf(" [%.*s]", SLICE_ARG(p->bytes));
	putchar('\n');
	close(fd);
	free((char *)(uintptr_t)file.ptr);
}

int
main(int argc, char **argv)
{
	const char *cell_argv[2] = { argc > 2 ? argv[1] : "", NULL };
	struct cell_conf conf = { .name = "code", .argv = cell_argv,
	    .workers = 1, .answer_max = 1 << 20, .pieces_max = 100 };
	struct arena *a;
	struct cell *cell;
	struct slice why;

	if (argc == 2 && strcmp(argv[1], "--jpeg") == 0)
		return write_jpeg();
	a = arena_new();
	log_open("code-probe", "/dev/null");
	if (argc < 3 || cell_open(&conf, &cell, a, &why) != RC_OK)
		return 2;
	for (int i = 2; i < argc; i++)
		look(cell, a, argv[i]);
	cell_close(cell);
	arena_free(a);
	return 0;
}
