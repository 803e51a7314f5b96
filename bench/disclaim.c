/*
 * disclaim FOLDER NAME ROUNDS FILE [OUT]: the disclaimer into the mail, that
 * often; the result to OUT. For bench/disclaimer. Prints processor time in
 * microseconds for one: read, edit, apply.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "milters/predelivery/disclaimer.h"
#include "t/tap.h"

static double
cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static struct slice
value(const void *who, const char *name)
{
	(void)who;
	(void)name;
	return SLICE_NONE;
}

static void
write_out(const char *path, struct slice head, struct slice body)
{
	FILE *f = fopen(path, "w");

	if (f == NULL || fwrite(head.ptr, 1, head.len, f) != head.len ||
	    fputs("\r\n", f) < 0 ||
	    fwrite(body.ptr, 1, body.len, f) != body.len || fclose(f) != 0) {
		perror(path);
		exit(1);
	}
}

int
main(int argc, char **argv)
{
	static const struct disclaimer_values values = { value, NULL };
	struct arena *kept = arena_new(), *a = arena_new();
	struct slice why, head, body, new_head, new_body;
	struct disclaimers *list;
	const struct disclaimer *d = NULL;
	int rounds = argc > 4 ? atoi(argv[3]) : 0;
	double from;

	if (rounds > 0 && disclaimers_load(kept, argv[1], false, &list,
	    &why) == RC_OK)
		d = disclaimers_find(list, slice_of(argv[2]));
	if (d == NULL)
		return 2;
	message_split(kept, tap_file(argv[4]), &head, &body);
	from = cpu_us();
	for (int i = 0; i < rounds; i++) {
		struct message msg;
		struct patches edits;

		arena_reset(a);
		message_read(&msg, a, head, body, NULL);
		patches_init(&edits, a, &msg);
		disclaimer_add(&edits, &msg, d, DISCLAIMER_REPLY, true,
		    &values);
		patches_apply(&edits, a, &new_head, &new_body);
	}
	printf("%.1f\n", (cpu_us() - from) / rounds);
	if (argc > 5)
		write_out(argv[5], new_head, new_body);
	arena_free(a);
	arena_free(kept);
	return 0;
}
