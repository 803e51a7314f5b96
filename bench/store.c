/*
 * store - the quarantine's index: how fast it fills, how long a list takes
 *
 *	bench/store [ROWS [FOLDER]]
 *
 * Fills an index with ROWS rows (1 000 000) of as many recipients as a tenth of
 * them, in batches as gatehouse-store does, then asks for lists of 100 rows.
 * Last, single changes, each with its own commit.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "bench/figures.h"
#include "store/index.h"

enum { BATCH = 200, ASKS = 200, CHANGES = 500, ASK_US = 3000000 };

static struct arena *arena;
static struct store_index *x;

static void
must(enum rc rc, const char *what)
{
	if (rc == RC_OK)
		return;
	fprintf(stderr, "store: %s: %.*s\n", what, SLICE_ARG(x->why));
	exit(1);
}

static void
fill(unsigned rows)
{
	static const char *const causes[] = { "spam", "phishing", "virus",
	    "graymail" };
	int64_t begun = clock_mono_us();

	for (unsigned i = 0; i < rows; i++) {
		struct store_object o = { .body = true, .time = 1000000 + i,
		    .size = 30000, .reason = SLICE("score 12.3 over 8"),
		    .filter = SLICE("antispam"), .rule = SLICE("score"),
		    .queue_id = SLICE("4Zx1Qk2hJ9z"), .from =
		    SLICE("Somebody <somebody@example.org>") };
		struct store_row row;
		bool put;

		if (i % BATCH == 0)
			must(x->does->begin(x), "begin");
		o.id = arena_printf(arena, "%08x%024u", i * 2654435761u, i);
		o.content = arena_printf(arena, "%064u", i);
		o.sender = arena_printf(arena, "s%u@d%u.example.org", i % 5000,
		    i % 700);
		o.subject = arena_printf(arena, "Offer number %u for you", i);
		o.message_id = arena_printf(arena, "<%u@example.org>", i);
		o.cause = slice_of(causes[i % 4]);
		row = (struct store_row){ .object = o, .recipient =
		    arena_printf(arena, "r%u@our%u.test", i % (rows / 10 + 1),
		    i % 10), .expires = o.time + 2592000, .changed = o.time };
		must(x->does->object_put(x, &o), "object_put");
		must(x->does->row_put(x, &row, &put), "row_put");
		if (i % BATCH == BATCH - 1 || i == rows - 1)
			must(x->does->commit(x), "commit");
		arena_reset(arena);
	}
	printf("%-28s %10.0f rows/s\n", "inserted", rows * 1e6 /
	    (double)(clock_mono_us() - begun));
}

static bool
count(const struct store_row *row, void *arg)
{
	(void)row;
	++*(unsigned *)arg;
	return true;
}

static void
ask(const char *what, const struct store_filter *f)
{
	struct figures figures = { 0 };
	int64_t begun = clock_mono_us(), at = begun;
	unsigned n = 0;

	for (int i = 0; i < ASKS && at - begun < ASK_US; i++) {
		n = 0;
		must(x->does->list(x, f, arena, count, &n), what);
		figures_add(&figures, clock_mono_us() - at);
		at = clock_mono_us();
		arena_reset(arena);
	}
	printf("%-28s p50 %8.2f ms  p99 %8.2f ms  (%u rows)\n", what,
	    figures_at(&figures, 0.5), figures_at(&figures, 0.99), n);
	free(figures.us);
}

static void
change(unsigned rows)
{
	const struct store_change c = { .time = 5, .actor = SLICE("root") };
	int64_t begun = clock_mono_us();
	bool moved;

	for (unsigned i = 0; i < CHANGES && i < rows; i++)
		must(x->does->move(x, arena_printf(arena, "%08x%024u",
		    i * 2654435761u, i), arena_printf(arena, "r%u@our%u.test",
		    i % (rows / 10 + 1), i % 10), STORE_HELD, STORE_DELETED,
		    &c, &moved), "move");
	printf("%-28s %10.0f /s\n", "single changes", CHANGES * 1e6 /
	    (double)(clock_mono_us() - begun));
}

int
main(int argc, char **argv)
{
	unsigned rows = argc > 1 ? (unsigned)atoi(argv[1]) : 1000000;
	char made[] = "/tmp/gatehouse-bench-XXXXXX";
	const char *dir = argc > 2 ? argv[2] : mkdtemp(made);
	struct store_filter f = { .limit = 100 };
	struct slice why;
	struct stat st;
	const char *path;

	arena = arena_new();
	if (dir == NULL)
		return 1;
	struct arena *own = arena_new();
	path = arena_printf(own, "%s/index.db", dir).ptr;
	if (index_sqlite_open(path, STORE_WRITE, &x, own, &why) != RC_OK) {
		fprintf(stderr, "store: %.*s\n", SLICE_ARG(why));
		return 1;
	}
	fill(rows);
	ask("newest", &f);
	f.recipient = SLICE("r77@our7.test");
	ask("by recipient", &f);
	f.recipient = SLICE("@our3.test");
	ask("by domain", &f);
	f.cause = SLICE("virus");
	ask("by domain and cause", &f);
	f = (struct store_filter){ .limit = 100, .sender =
	    SLICE("s77@d77.example.org") };
	ask("by sender", &f);
	f = (struct store_filter){ .limit = 100, .message_id =
	    SLICE("<4711@example.org>") };
	ask("by message-id", &f);
	f = (struct store_filter){ .limit = 100,
	    .text = SLICE("number 1 for") };
	ask("text, all rows looked at", &f);
	change(rows);
	if (stat(path, &st) == 0)
		printf("%-28s %10.0f bytes a row\n", "file", (double)st.st_size
		    / rows);
	x->does->close(x);
	for (int i = 0; i < 3; i++)
		unlink(arena_printf(own, "%s%s", path, (const char *[]){ "",
		    "-wal", "-shm" }[i]).ptr);
	if (argc <= 2)
		rmdir(dir);
	return 0;
}
