/*
 * Disclaimers: the first byte picks place and rule, the rest is the mail.
 * Undone it is the same; the tree keeps its parts, and a second one is not
 * added where the first is seen.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "milters/predelivery/disclaimer_load.h"
#include "t/edit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct arena *kept;
static const struct disclaimer *d;

static struct slice
value(const void *who, const char *name)
{
	(void)who;
	(void)name;
	return SLICE("J\u00f6rg");
}

static void
load(void)
{
	char folder[] = "/tmp/gatehouse-fuzz-XXXXXX", path[80];
	struct disclaimers *list;
	struct slice why;
	FILE *f;

	kept = arena_new();
	if (mkdtemp(folder) == NULL)
		abort();
	snprintf(path, sizeof path, "%s/x.txt", folder);
	f = fopen(path, "w");
	if (f == NULL || fputs("-- \nThe disclaimer of {{name}}.\n"
	    "\xe2\x82\xac 5\n", f) < 0 || fclose(f) != 0 ||
	    disclaimers_load(kept, folder, false, &list, &why) != RC_OK)
		abort();
	unlink(path);
	rmdir(folder);
	d = disclaimers_find(list, SLICE("x"));
}

static size_t
parts(struct message *msg)
{
	const struct part *root = message_parts(msg);
	size_t n = 0;

	for (const struct part *p = root; p != NULL; p = part_next(root, p))
		n += !p->lax;
	return n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct disclaimer_values values = { value, NULL };
	struct arena *a = arena_new();
	struct slice head, body, new_head, new_body;
	struct message msg, edited;
	struct patches edits;

	if (d == NULL)
		load();
	if (size > 0) {
		message_split(a, slice_make(data + 1, size - 1), &head, &body);
		message_read(&msg, a, head, body, NULL);
		patches_init(&edits, a, &msg);
		if (disclaimer_add(&edits, &msg, d, (enum disclaimer_place)
		    (data[0] % 3), (data[0] & 4) != 0, &values) ==
		    DISCLAIMER_ADDED) {
			patches_apply(&edits, a, &new_head, &new_body);
			message_read(&edited, a, new_head, new_body, NULL);
			if (parts(&msg) != parts(&edited))
				abort();
		} else if (edits.count > 0) {
			abort();
		}
		if (!edit_undone(&edits))
			abort();
	}
	arena_free(a);
	return 0;
}
