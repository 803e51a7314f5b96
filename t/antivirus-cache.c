/* antivirus-multiscan: what is not scanned again, and when it is all the same:
 * letters whose inside is known, containers that were opened before. */
#include <string.h>

#include "conf/conf.h"
#include "milters/antivirus-multiscan/items.h"
#include "t/tap.h"

static struct arena *arena;

/* ---- the frame ---- */

static struct slice
frame_of(const char *head)
{
	struct message msg;

	message_read(&msg, arena, slice_of(head), SLICE(""), NULL);
	return items_frame(&msg, arena);
}

#define TYPE	"Content-Type: text/plain\r\n"
#define TEN	"xxxxxxxxxx"
#define HUNDRED	TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

static void
test_plain(void)
{
	static const struct { const char *name, *head; bool plain; } cases[] = {
		{ "usual fields", "From: a@b.test\r\nSubject: x\r\n" TYPE,
		    true },
		{ "a fold", "Subject: x\r\n\ty\r\n z\r\n" TYPE, true },
		{ "UTF-8", "Subject: gr\xc3\xbc\xc3\x9f" "e\r\n" TYPE, true },
		{ "none at all", "", true },
		{ "a fold of blanks: the end, for some", "Subject: x\r\n \t\r\n"
		    " Content-Type: a/b\r\n" TYPE, false },
		{ "an empty value on two lines", "Subject: \r\n x\r\n" TYPE,
		    true },
		{ "nothing but blanks behind a fold", "Subject: x\r\n \r\n",
		    false },
		{ "a bare LF", "Subject: x\n y\r\n" TYPE, false },
		{ "a bare CR", "Subject: x\ry\r\n" TYPE, false },
		{ "a blank before the colon", "Subject : x\r\n" TYPE, false },
		{ "a name with a dot", "X.Y: x\r\n" TYPE, false },
		{ "a line that is no field", "From MAILER-DAEMON\r\n" TYPE,
		    false },
		{ "ESC", "Subject: \x1b[1m\r\n" TYPE, false },
		{ "DEL", "Subject: \x7f\r\n" TYPE, false },
		{ "what it may not be is in the frame all the same",
		    "Content-Type: text/plain;\r\n \r\n charset=x\r\n", true },
	};
	struct message msg;

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		tap_ok((frame_of(cases[i].head).ptr != NULL) ==
		    cases[i].plain, "%s: %s", cases[i].name,
		    cases[i].plain ? "plain" : "not plain");
	message_read(&msg, arena, arena_printf(arena, "Subject: %s\r\n",
	    HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED
	    HUNDRED HUNDRED), SLICE(""), NULL);
	tap_ok(items_frame(&msg, arena).ptr == NULL, "too long a line: not");
	message_read(&msg, arena, SLICE("Subject: a\0b\r\n"), SLICE(""), NULL);
	tap_ok(items_frame(&msg, arena).ptr == NULL, "a NUL: not plain");
}

static void
test_frame(void)
{
	struct slice frame = frame_of("Subject: x\r\nMIME-Version: 1.0\r\n"
	    TYPE);

	tap_ok(slice_eq(frame, frame_of("Date: now\r\nMIME-Version: 1.0\r\n"
	    TYPE "Subject: y\r\n")), "other fields make no other frame");
	tap_ok(!slice_eq(frame, frame_of("MIME-Version: 1.0\r\ncontent-type: "
	    "text/plain\r\n")), "a byte of these does");
	tap_ok(!slice_eq(frame, frame_of(TYPE "MIME-Version: 1.0\r\n")),
	    "and their order");
	tap_ok(!slice_eq(frame, frame_of("MIME-Version: 1.0\r\n" TYPE
	    "Content-Transfer-Encoding: base64\r\n")), "and one more");
}

/* ---- letters ---- */

/* Finds "bad" in all bytes, and "inside" only when it takes a letter apart. */
struct reading {
	struct engine engine;
	uint64_t generation;
	int scans, skims;
};

static void
reading_scan(struct engine *e, const struct scan_item *item, deadline_t until,
    struct arena *a, struct scan *scan_r)
{
	struct reading *r = (struct reading *)e;
	struct slice b = item->bytes;

	(void)until;
	(void)a;
	r->scans++;
	r->skims += item->skim;
	*scan_r = (struct scan){ .end = SCAN_CLEAN, .text = SLICE("") };
	if (slice_search(b, SLICE("bad")) < b.len)
		*scan_r = (struct scan){ SCAN_INFECTED, SLICE("Bad"), 0 };
	else if (!item->skim && slice_search(b, SLICE("inside")) < b.len)
		*scan_r = (struct scan){ SCAN_INFECTED, SLICE("Inside"), 0 };
}

static void
reading_status(struct engine *e, struct arena *a,
    struct engine_status *status_r)
{
	(void)a;
	status_r->up = true;
	status_r->generation = ((struct reading *)e)->generation;
}

static const struct engine_kind skimming = { .scan = reading_scan,
    .status = reading_status, .reads_mail = true, .skims = true };
static const struct engine_kind thorough = { .scan = reading_scan,
    .status = reading_status, .reads_mail = true };

static struct reading engine;
static struct scan_pool *pool;

/* The ledger of a message that has no container. */
static void
scan_message(const char *head, const char *body, struct ledger *l)
{
	static const struct conf_list none = { NULL, 0 };
	const struct items_conf conf = { .pool = pool, .passwords = &none,
	    .limits = unpack_default_limits };
	struct engine *engines[1] = { &engine.engine };
	struct message msg;

	engine.scans = engine.skims = 0;
	message_read(&msg, arena, slice_of(head), slice_of(body), NULL);
	ledger_init(l, arena);
	l->nengines = 1;
	scan_begin(l, engines);
	items_read(&msg, &conf, deadline_in(60000), l);
	scan_all(pool, l, engines, deadline_in(60000));
}

struct letter_case {
	const char *name, *head, *body;
	int scans, skims;		/* letter and part: two at most */
	enum scan_end letter;
};

static void
begin(const struct engine_kind *kind)
{
	scan_pool_free(pool);
	pool = scan_pool_new(1, 1000);
	engine_init(&engine.engine, kind, SLICE("reading"));
	engine.generation = 1;
}

static void
run_letters(const struct letter_case *cases, size_t n)
{
	struct ledger l;

	for (size_t i = 0; i < n; i++) {
		const struct letter_case *c = &cases[i];

		scan_message(c->head, c->body, &l);
		tap_is_int(engine.scans, c->scans, "%s: scans", c->name);
		tap_is_int(engine.skims, c->skims, "%s: skims", c->name);
		tap_is_int(l.rows->scans[0].end, c->letter, "%s: end",
		    c->name);
	}
}

static void
test_letters(void)
{
	static const struct letter_case cases[] = {
		{ "the first", "Subject: 1\r\n" TYPE, "text\r\n", 2, 0,
		    SCAN_CLEAN },
		{ "the very same", "Subject: 1\r\n" TYPE, "text\r\n", 0, 0,
		    SCAN_CLEAN },
		{ "another header", "Subject: 2\r\n" TYPE, "text\r\n", 1, 1,
		    SCAN_CLEAN },
		{ "that one again", "Subject: 2\r\n" TYPE, "text\r\n", 0, 0,
		    SCAN_CLEAN },
		{ "a virus in the header", "Subject: bad\r\n" TYPE, "text\r\n",
		    1, 1, SCAN_INFECTED },
		{ "it is not said of the next", "Subject: 3\r\n" TYPE,
		    "text\r\n", 1, 1, SCAN_CLEAN },
		{ "another frame", "Subject: 1\r\nContent-Type: text/html\r\n",
		    "text\r\n", 1, 0, SCAN_CLEAN },
		{ "a field more in the frame", "Subject: 1\r\n" TYPE
		    "Content-ID: <1>\r\n", "text\r\n", 1, 0, SCAN_CLEAN },
		{ "another text", "Subject: 2\r\n" TYPE, "texT\r\n", 2, 0,
		    SCAN_CLEAN },
		{ "a header that is not plain", "Subject: 4\r\n \r\n x\r\n"
		    TYPE, "text\r\n", 1, 0, SCAN_CLEAN },
		{ "found inside", "Subject: 1\r\n" TYPE, "inside\r\n", 2, 0,
		    SCAN_INFECTED },
		{ "what is not clean is looked at anew", "Subject: 2\r\n" TYPE,
		    "inside\r\n", 1, 0, SCAN_INFECTED },
	};
	struct ledger l;

	begin(&skimming);
	run_letters(cases, sizeof cases / sizeof cases[0]);
	engine.generation = 2;
	scan_message("Subject: 9\r\n" TYPE, "text\r\n", &l);
	tap_is_int(engine.scans - engine.skims, 2,
	    "new signatures: all of it, again");
	begin(&thorough);
	scan_message("Subject: 1\r\n" TYPE, "text\r\n", &l);
	scan_message("Subject: 2\r\n" TYPE, "text\r\n", &l);
	tap_ok(engine.scans == 1 && engine.skims == 0,
	    "who cannot skim takes each letter apart");
	tap_ok(slice_starts(l.rows->bytes, SLICE("Received: ")),
	    "a letter looks like one from its first line on");
}

/* ---- recalling ---- */

static void
test_recall(void)
{
	struct engine *engines[1] = { &engine.engine };
	struct ledger_row *row;
	struct ledger l;

	begin(&skimming);
	ledger_init(&l, arena);
	l.nengines = 1;
	scan_begin(&l, engines);
	row = ledger_add(&l, SLICE("x"), SLICE("some bytes"));
	tap_ok(!scan_recall(pool, &l, row), "without a hash: no");
	tap_ok(scan_hash(row) && !scan_recall(pool, &l, row),
	    "what nobody scanned: no");
	scan_all(pool, &l, engines, deadline_in(60000));
	row->scans[0].end = SCAN_DOWN;
	tap_ok(scan_recall(pool, &l, row) &&
	    row->scans[0].end == SCAN_CLEAN && row->cached[0], "then, yes");
	engine.scans = 0;
	scan_all(pool, &l, engines, deadline_in(60000));
	tap_is_int(engine.scans, 0, "and it is left alone");
	l.nengines = 2;
	tap_ok(!scan_recall(pool, &l, row), "not for an engine more");
	l.nengines = 1;
	engine.generation = 2;
	scan_begin(&l, engines);
	tap_ok(!scan_recall(pool, &l, row), "nor for new signatures");
}

/* ---- containers ---- */

static bool
has(struct known *k, unsigned char first, size_t members)
{
	struct known_key key = { .hash = { first } };
	struct known_entry *e;
	size_t n;

	return known_get(k, &key, arena, &e, &n) && n == members + 1 &&
	    (members == 0 || slice_eq(e[members].path, SLICE("/a.txt")));
}

static void
add(struct known *k, unsigned char first, size_t members, enum unpack_why why)
{
	struct known_key key = { .hash = { first } };
	struct known_entry *e = arena_array(arena, members + 1, sizeof *e);

	for (size_t i = 1; i <= members; i++)
		e[i].path = SLICE("/a.txt");
	e[members].why = why;
	known_put(k, &key, e, members + 1);
}

static void
test_known(void)
{
	struct known *k = known_new(64 * 4096);
	int kept = 0;

	tap_ok(!has(k, 1, 3), "nothing at first");
	add(k, 1, 3, UNPACK_WHOLE);
	tap_ok(has(k, 1, 3), "a container is kept, with its paths");
	tap_ok(!has(k, 2, 3), "another is not");
	add(k, 1, 2, UNPACK_ENCRYPTED);
	tap_ok(has(k, 1, 2), "once: the newer counts");
	add(k, 3, 2, UNPACK_DAMAGED);
	tap_ok(!has(k, 3, 2), "damaged is not for ever");
	add(k, 4, 1000, UNPACK_WHOLE);
	tap_ok(!has(k, 4, 1000), "nor is what would put all others out");
	/* One set: the same number modulo 64. */
	for (int i = 0; i < 4; i++)
		add(k, (unsigned char)(64 * i), 15, UNPACK_WHOLE);
	for (int i = 0; i < 4; i++)
		kept += has(k, (unsigned char)(64 * i), 15);
	tap_ok(kept >= 1 && kept < 4, "%d of 4 have room in a set", kept);
	tap_ok(has(k, 192, 15), "the last among them");
	known_free(k);
	add(NULL, 1, 3, UNPACK_WHOLE);
	tap_ok(!has(NULL, 1, 3), "none is none");
	known_free(NULL);
}

int
main(void)
{
	arena = arena_new();
	test_plain();
	test_frame();
	test_letters();
	test_recall();
	test_known();
	scan_pool_free(pool);
	arena_free(arena);
	return tap_done();
}
