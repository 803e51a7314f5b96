/*
 * edit-mail FILE ...: random edits of each mail, seeded by its place in the
 * list, then undo. For t/mail-edits.t, which finds and unpacks the mail.
 * Prints a line for each that does not hold and a last line with the counts.
 */
#include <stdio.h>
#include <stdlib.h>

#include "t/edit.h"
#include "t/tap.h"

enum { ROUNDS = 12 };

static size_t edits, parts;

static size_t
edit_file(const char *path, size_t number)
{
	struct slice file = tap_file(path);
	struct arena *a = arena_new();
	struct edit_random r = { number * 7919 };
	size_t bad = 0;

	for (int i = 0; i < ROUNDS; i++) {
		struct slice head, body;
		struct message msg;
		const struct part *root;
		const char *why;

		message_split(a, file, &head, &body);
		message_read(&msg, a, head, body, NULL);
		root = message_parts(&msg);
		for (const struct part *p = root; i == 0 && p != NULL;
		    p = part_next(root, p))
			parts++;
		why = edit_at_random(&r, &msg, a, &edits);
		if (why != NULL) {
			printf("%s: %s\n", path, why);
			bad++;
		}
		arena_reset(a);
	}
	arena_free(a);
	free((void *)(uintptr_t)file.ptr);
	return bad;
}

int
main(int argc, char **argv)
{
	size_t bad = 0;

	for (int i = 1; i < argc; i++)
		bad += edit_file(argv[i], (size_t)i);
	printf("%d mails, %zu parts, %zu edits, %zu bad\n", argc - 1, parts,
	    edits, bad);
	return bad > 0;
}
