/*
 * main.cf and master.cf of any bytes: what we put in is read as it was meant,
 * and goes out again without a trace; the same twice is the same once.
 */
#include <stdlib.h>

#include "tools/maincf-edit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ALL	RECIPE_SET, RECIPE_MUST, NULL, RECIPE_BOTH

static struct recipe_entry entries[] = {
	{ RECIPE_MAIN, NULL, "a", "1", "why", ALL, false },
	{ RECIPE_MAIN, NULL, "myhostname", "x", "why", ALL, false },
	{ RECIPE_MAIN, NULL, "delay_warning_time", "4h", "why", ALL, false },
	{ RECIPE_MASTER, "smtp/inet", NULL, "inet n - y - - smtpd", "why", ALL,
	  false },
	{ RECIPE_MASTER, "smtp/inet", "x", "1 2", "why", ALL, false },
	{ RECIPE_MASTER, "g/unix", NULL, "unix - - y - - smtp", "why", ALL,
	  true },
};

static const struct recipe recipe = { .entries = entries,
    .nentries = sizeof entries / sizeof entries[0] };

static void
must(bool good)
{
	if (!good)
		abort();
}

static bool
has_mark(struct slice file)
{
	return slice_search(file, SLICE(CF_MARK)) < file.len;
}

static void
try_main(struct arena *a, struct slice own)
{
	struct cf_changes changes = { buf_in(a) };
	struct slice new = cf_edit_main(a, own, &recipe, &changes), back, why;

	for (int i = 0; i < 3; i++) {
		struct cf_line line;
		struct slice value;

		must(cf_find(new, slice_of(entries[i].name), a, &line,
		    &value) && slice_eq(value, slice_of(entries[i].value)));
	}
	must(cf_undo(a, "f", new, SLICE(""), &back, &why) == RC_OK);
	must(slice_eq(back, own));
	must(slice_eq(cf_edit_main(a, back, &recipe, &changes), new));
}

static void
try_master(struct arena *a, struct slice own)
{
	struct cf_changes changes = { buf_in(a) };
	struct slice new, again, back, why = SLICE("");

	if (cf_edit_master(a, own, &recipe, &changes, &new, &why) != RC_OK) {
		must(why.len > 0);
		return;
	}
	must(cf_undo(a, "f", new, SLICE(""), &back, &why) == RC_OK);
	must(slice_eq(back, own));
	must(cf_edit_master(a, back, &recipe, &changes, &again, &why) ==
	    RC_OK && slice_eq(again, new));
}

/* Somebody else's edit: bytes of the file change places with others, at a
 * place and of a length that the input says. It is undone, or refused. */
static void
try_edited(struct arena *a, struct slice own, const uint8_t *data,
    size_t size)
{
	struct cf_changes changes = { buf_in(a) };
	struct slice new = cf_edit_main(a, own, &recipe, &changes), back,
	    why = SLICE("");
	struct buf edited = buf_in(a);
	size_t at, n;

	if (size < 5)
		return;
	at = ((size_t)data[0] << 8 | data[1]) % (new.len + 1);
	n = data[2] % 64;
	buf_add(&edited, slice_sub(new, 0, at));
	buf_add(&edited, slice_make(data + 5, (size - 5) % (data[3] + 1u)));
	buf_add(&edited, slice_after(new, at + n));
	if (cf_undo(a, "f", buf_slice(&edited), data[4] & 1 ? new :
	    SLICE(""), &back, &why) != RC_OK)
		must(why.len > 0);
	else if (!has_mark(back))
		try_main(a, back);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct slice file = slice_make(data, size), own, why = SLICE("");

	cf_map_good(a, file);
	if (slice_has(file, '\0')) {
		arena_free(a);		/* refused before it comes here */
		return 0;
	}
	if (cf_undo(a, "f", file, file, &own, &why) != RC_OK)
		must(why.len > 0);
	else if (!has_mark(own)) {
		try_main(a, own);
		try_master(a, own);
		try_edited(a, own, data, size);
	}
	arena_free(a);
	return 0;
}
