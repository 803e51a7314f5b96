/*
 * html-read ROUNDS FILE...: each file read that often, as tokens, for links
 * and as text. For bench/html, which runs peers on the same files. Prints
 * processor time for each, in ms, without what reading the files took.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "html/links.h"
#include "html/text.h"
#include "t/tap.h"

static double
cpu_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static size_t
tokens(struct slice in)
{
	struct html h;
	struct html_token t;
	struct html_attr attr;
	size_t n = 0;

	html_open(&h, in);
	while (html_next(&h, &t))
		for (size_t at = 0; html_attr(&t, &at, &attr);)
			n++;
	return n;
}

static size_t
links(struct slice in)
{
	struct html_links l;
	struct html_link link;
	size_t n = 0;

	html_links_open(&l, in);
	while (html_link_next(&l, &link))
		n++;
	return n;
}

static size_t
text(struct slice in)
{
	struct arena *a = arena_new();
	struct html_texts t;
	size_t n;

	html_text_read(a, SLICE("utf-8"), in, 1 << 24, &t);
	n = t.visible.text.len;
	arena_free(a);
	return n;
}

static const struct {
	const char *name;
	size_t (*run)(struct slice in);
} kinds[] = { { "tokens", tokens }, { "links", links }, { "text", text } };

int
main(int argc, char **argv)
{
	int rounds = argc > 2 ? atoi(argv[1]) : 0;
	size_t nfiles = argc > 2 ? (size_t)argc - 2 : 0;
	struct slice *files = mem_alloc((nfiles + 1) * sizeof *files);

	for (size_t i = 0; i < nfiles; i++)
		files[i] = tap_file(argv[i + 2]);
	for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
		double from = cpu_ms();
		size_t n = 0;

		for (int r = 0; r < rounds; r++)
			for (size_t i = 0; i < nfiles; i++)
				n += kinds[k].run(files[i]);
		printf("%s %.3f %zu\n", kinds[k].name, cpu_ms() - from, n);
	}
	return 0;
}
