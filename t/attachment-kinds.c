/* Which items libmagic is asked for, and what becomes of them when the cell
 * does badly: by t/cell-probe, which answers as it is told. */
#include <stdlib.h>

#include "log/log.h"
#include "milters/attachment-dlp/items.h"
#include "mime/message.h"
#include "t/tap.h"

static const struct conf_list none;

static struct items
items_in(struct arena *a, struct cell *cell, const char *text, int ms)
{
	const struct items_conf conf = { .unpack = cell,
	    .limits = unpack_default_limits, .passwords = &none };
	struct message *msg = arena_alloc(a, sizeof *msg);
	struct slice head, body;
	struct items items;

	message_split(a, slice_of(text), &head, &body);
	message_read(msg, a, head, body, &message_limits_default);
	items_of_message(msg, &conf, deadline_in(ms), &items);
	return items;
}

#define PART(name, bytes) "--b\nContent-Type: application/octet-stream; " \
	"name=\"" name "\"\n\n" bytes "\n"
#define MAIL(parts) "Content-Type: multipart/mixed; boundary=b\n\n" \
	"--b\nContent-Type: text/plain\n\nthe letter\n" parts "--b--\n"

static void
test_asked(struct cell *cell, struct arena *a)
{
	const struct items items = items_in(a, cell, MAIL(
	    PART("a.png", "\211PNG\r\n\032\n") PART("a", "\1x")
	    PART("a.txt", "words") PART("b", "words")), 20000);
	static const char *const want[] = { "", "", "image/fits", "",
	    "image/fits" };
	size_t n = 0;

	for (const struct item *i = items.first; i != NULL && n < 5;
	    i = i->next) {
		tap_is(i->identity.magic, slice_of(want[n]), "item %zu", n);
		n++;
	}
	tap_is_int(n, 5, "all items");
	tap_ok(!items.late && items.lack == NULL, "nothing lacks");
}

/* One of three ends the worker, or makes it say what cannot be. */
static void
test_crash(struct cell *cell, const char *letter, const char *what,
    struct arena *a)
{
	const struct items items = items_in(a, cell, letter, 20000);
	const struct item *good = items.first->next, *bad = good->next;

	tap_ok(!items.late, "%s: no trouble of ours", what);
	tap_ok(items.lack == bad && bad->why == UNPACK_DAMAGED,
	    "and it is not all there");
	tap_is(good->identity.magic, SLICE("image/fits"), "one before it");
	tap_is(bad->next->identity.magic, SLICE("image/fits"), "and behind");
}

int
main(void)
{
	struct arena *a = arena_new();
	const char *build = getenv("GATEHOUSE_BUILD");
	const char *argv[] = { arena_str(a, arena_printf(a, "%s/t/cell-probe",
	    build != NULL ? build : ".")), NULL };
	const char *no_argv[] = { "/bin/false", NULL };
	struct cell_conf conf = { .name = "probe", .argv = argv, .workers = 1,
	    .answer_max = 1 << 20, .pieces_max = 100 };
	struct cell *cell, *down;
	struct slice why;

	log_open("kinds", "/dev/null");
	if (!tap_ok(cell_open(&conf, &cell, a, &why) == RC_OK, "a cell"))
		return tap_done();
	conf.argv = no_argv;
	tap_ok(cell_open(&conf, &down, a, &why) == RC_OK, "and none");
	test_asked(cell, a);
	test_crash(cell, MAIL(PART("a", "\1x") PART("b", "\1die")
	    PART("c", "\1x")), "a crash", a);
	test_crash(cell, MAIL(PART("a", "\1x") PART("b", "\1lie")
	    PART("c", "\1x")), "a lie", a);
	tap_ok(items_in(a, cell, MAIL(PART("a", "\1sleep")), 300).late,
	    "too slow is our trouble");
	tap_ok(items_in(a, down, MAIL(PART("a", "\1x")), 300).late,
	    "and no cell");
	tap_ok(!items_in(a, down, MAIL(PART("a.txt", "words")), 300).late,
	    "which nobody notices who does not ask");
	cell_close(cell);
	cell_close(down);
	arena_free(a);
	return tap_done();
}
