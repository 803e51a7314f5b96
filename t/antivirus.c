/* antivirus-multiscan without a daemon: ledger, decision, cache, pool. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "milters/antivirus-multiscan/cache.h"
#include "milters/antivirus-multiscan/decide.h"
#include "milters/antivirus-multiscan/items.h"
#include "milters/antivirus-multiscan/options.h"
#include "milters/antivirus-multiscan/scan.h"
#include "t/tap.h"

static struct arena *arena;
static struct antivirus_conf conf;
static struct house_conf house;

enum { NOW = 1795000000 };

static void
defaults(void)
{
	const struct conf_section sections[] = { { antivirus_options, &conf },
	    { house_options, &house }, { NULL, NULL } };
	struct slice why;

	tap_is_int(conf_load(arena, NULL, sections, &why), RC_OK,
	    "the defaults are right");
}

/* ---- what is decided ---- */

/* Two engines, two rows: a letter and an attachment. */
struct table_case {
	const char *name;
	enum scan_end letter[2], item[2];
	enum unpack_why why;
	enum cell_end unpacked;
	const char *ambiguous;
	bool cut;
	unsigned engines;		/* asked for */
	int64_t age[2];			/* s, of signatures */
	enum action action;
	const char *rule;
};

#define CLEAN2	{ SCAN_CLEAN, SCAN_CLEAN }
#define OPENED	UNPACK_WHOLE, CELL_ANSWERED, NULL, false
#define FRESH	{ 60, 60 }

static const struct table_case cases[] = {
	{ "all is clean", CLEAN2, CLEAN2, OPENED, 2, FRESH,
	    ACCEPT, "clean" },
	{ "one finds it", CLEAN2, { SCAN_CLEAN, SCAN_INFECTED }, OPENED, 1,
	    FRESH, QUARANTINE, "virus" },
	{ "in the letter", { SCAN_INFECTED, SCAN_CLEAN }, CLEAN2, OPENED, 2,
	    FRESH, QUARANTINE, "virus" },
	{ "a virus counts before what is missing", CLEAN2,
	    { SCAN_INFECTED, SCAN_DOWN }, UNPACK_ENCRYPTED, CELL_CRASHED,
	    "two boundaries", true, 2, FRESH, QUARANTINE, "virus" },
	{ "one is down, one is enough", { SCAN_CLEAN, SCAN_DOWN },
	    { SCAN_CLEAN, SCAN_DOWN }, OPENED, 1, FRESH, ACCEPT, "clean" },
	{ "one is down, two are asked for", CLEAN2,
	    { SCAN_CLEAN, SCAN_DOWN }, OPENED, 2, FRESH,
	    TEMPFAIL, "not-scanned-engine" },
	{ "both are down", { SCAN_DOWN, SCAN_DOWN }, { SCAN_DOWN, SCAN_DOWN },
	    OPENED, 1, FRESH, TEMPFAIL, "not-scanned-engine" },
	{ "old signatures do not count", CLEAN2, CLEAN2, OPENED, 2,
	    { 60, 8 * 86400 }, TEMPFAIL, "not-scanned-engine" },
	{ "but one that is fresh does", CLEAN2, CLEAN2, OPENED, 1,
	    { 60, 8 * 86400 }, ACCEPT, "clean" },
	{ "what an old one finds counts", CLEAN2,
	    { SCAN_CLEAN, SCAN_INFECTED }, OPENED, 1, { 60, 8 * 86400 },
	    QUARANTINE, "virus" },
	{ "an engine stops at a limit, another does not", CLEAN2,
	    { SCAN_CLEAN, SCAN_CUT }, OPENED, 1, FRESH,
	    QUARANTINE, "not-scanned-limit" },
	{ "an engine runs out of time", CLEAN2,
	    { SCAN_TIMEOUT, SCAN_TIMEOUT }, OPENED, 1, FRESH,
	    QUARANTINE, "not-scanned-limit" },
	{ "it ends an engine", CLEAN2, { SCAN_CRASHED, SCAN_CLEAN }, OPENED, 1,
	    FRESH, QUARANTINE, "not-scanned-crash" },
	{ "an engine meets a lock", CLEAN2, { SCAN_LOCKED, SCAN_CLEAN },
	    OPENED, 1, FRESH, ACCEPT, "not-scanned-encrypted" },
	{ "encrypted", CLEAN2, CLEAN2, UNPACK_ENCRYPTED, CELL_ANSWERED, NULL,
	    false, 1, FRESH, ACCEPT, "not-scanned-encrypted" },
	{ "a bomb", CLEAN2, CLEAN2, UNPACK_RATIO, CELL_ANSWERED, NULL, false,
	    1, FRESH, QUARANTINE, "not-scanned-limit" },
	{ "too deep", CLEAN2, CLEAN2, UNPACK_TOO_DEEP, CELL_ANSWERED, NULL,
	    false, 1, FRESH, QUARANTINE, "not-scanned-limit" },
	{ "damaged", CLEAN2, CLEAN2, UNPACK_DAMAGED, CELL_ANSWERED, NULL,
	    false, 1, FRESH, ACCEPT, "not-scanned-unreadable" },
	{ "an archive nobody opens", CLEAN2, CLEAN2, UNPACK_UNKNOWN,
	    CELL_ANSWERED, NULL, false, 1, FRESH,
	    ACCEPT, "not-scanned-unreadable" },
	{ "it ends the unpacker", CLEAN2, CLEAN2, UNPACK_WHOLE, CELL_CRASHED,
	    NULL, false, 1, FRESH, QUARANTINE, "not-scanned-crash" },
	{ "it wants what is forbidden", CLEAN2, CLEAN2, UNPACK_WHOLE,
	    CELL_FORBIDDEN, NULL, false, 1, FRESH,
	    QUARANTINE, "not-scanned-crash" },
	{ "the unpacker is not there", CLEAN2, CLEAN2, UNPACK_WHOLE,
	    CELL_DOWN, NULL, false, 1, FRESH, TEMPFAIL, "not-scanned-engine" },
	{ "two boundaries", CLEAN2, CLEAN2, UNPACK_WHOLE, CELL_ANSWERED,
	    "two boundaries", false, 1, FRESH,
	    QUARANTINE, "not-scanned-ambiguous" },
	{ "more than a ledger holds", CLEAN2, CLEAN2, UNPACK_WHOLE,
	    CELL_ANSWERED, NULL, true, 1, FRESH,
	    QUARANTINE, "not-scanned-limit" },
	{ "of several lacks the strongest decides", CLEAN2, CLEAN2,
	    UNPACK_ENCRYPTED, CELL_ANSWERED, "two boundaries", false, 1,
	    FRESH, QUARANTINE, "not-scanned-ambiguous" },
};

static void
fill(struct ledger *l, const struct table_case *c)
{
	struct ledger_row *letter, *item;

	ledger_init(l, arena);
	l->nengines = 2;
	l->names[0] = "one";
	l->names[1] = "two";
	letter = ledger_add(l, SLICE(""), SLICE("a letter"));
	letter->mail = true;
	item = ledger_add(l, SLICE("a.zip/b.exe"), SLICE("an item"));
	item->why = c->why;
	item->unpacked = c->unpacked;
	l->ambiguous = c->ambiguous;
	l->cut = c->cut;
	for (size_t i = 0; i < 2; i++) {
		l->engines[i] = (struct engine_status){ .up = true,
		    .newest = NOW - c->age[i] };
		l->reads_mail[i] = true;
		letter->scans[i] = (struct scan){ c->letter[i],
		    SLICE("Name"), 0 };
		item->scans[i] = (struct scan){ c->item[i], SLICE("Name"), 0 };
	}
}

static struct plan *
decide(struct antivirus_answers *seen, struct message *msg,
    enum direction direction)
{
	const struct job job = { .arena = arena, .house = &house,
	    .conf = &conf, .msg = msg, .answers = seen, .now = NOW,
	    .direction = direction };

	return antivirus_decide(&job);
}

static void
test_decisions(void)
{
	struct antivirus_answers seen = { .us = 1 };
	struct message msg;

	message_read(&msg, arena, SLICE("From: a@b.test\r\n"), SLICE(""),
	    NULL);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const struct table_case *c = &cases[i];
		struct plan *p;

		conf.min_engines = c->engines;
		fill(&seen.ledger, c);
		p = decide(&seen, &msg, DIRECTION_IN);
		tap_is_str(action_name(p->all.action), action_name(c->action),
		    "%s", c->name);
		tap_is_str(p->all.rule, c->rule, "its rule");
	}
	conf.min_engines = 1;
	fill(&seen.ledger, &cases[1]);
	tap_is_int(decide(&seen, &msg, DIRECTION_OUT)->all.action, REJECT,
	    "outbound, a virus is refused");
	tap_is_int(decide(&seen, &msg, DIRECTION_IN)->all.cause, CAUSE_VIRUS,
	    "inbound, it is held as a virus");
	tap_is(decide(&seen, &msg, DIRECTION_IN)->all.reason,
	    SLICE("Name in a.zip/b.exe, says two"), "with name and place");
	tap_is(decide(&seen, &msg, DIRECTION_IN)->coverage,
	    SLICE("2 of 2 items, 1 kB, by one, two"), "and what was seen");
}

/* An engine that knows no mail is not missed at the letter. */
static void
test_letter(void)
{
	struct antivirus_answers seen = { .us = 1 };
	struct message msg;

	message_read(&msg, arena, SLICE("X-Gatehouse-Antivirus: clean\r\n"
	    "From: a@b.test\r\n"), SLICE(""), NULL);
	conf.min_engines = 2;
	fill(&seen.ledger, &cases[0]);
	seen.ledger.reads_mail[1] = false;
	seen.ledger.rows->scans[1].end = SCAN_DOWN;
	tap_is_str(decide(&seen, &msg, DIRECTION_IN)->all.rule, "clean",
	    "the letter, by those who read mail");
	seen.ledger.reads_mail[1] = true;
	tap_is_str(decide(&seen, &msg, DIRECTION_IN)->all.rule,
	    "not-scanned-engine", "by all who do");
	tap_is_int((int)decide(&seen, &msg, DIRECTION_IN)->edits.count, 1,
	    "a forged field goes");
	conf.min_engines = 1;
	ledger_init(&seen.ledger, arena);
	tap_is_str(decide(&seen, &msg, DIRECTION_IN)->all.rule,
	    "not-scanned-limit", "an empty ledger is not clean");
}

/* ---- the cache ---- */

static void
test_cache(void)
{
	struct cache *c = cache_new(64);
	struct cache_key key = { .generation = 1 };
	struct scan scan, virus = { SCAN_INFECTED, SLICE("Name"), 5 };
	int kept = 0;

	tap_ok(!cache_get(c, &key, arena, &scan), "nothing at first");
	cache_put(c, &key, &virus);
	tap_ok(cache_get(c, &key, arena, &scan) && scan.end == SCAN_INFECTED &&
	    slice_eq(scan.text, SLICE("Name")), "what was said is kept");
	key.generation = 2;
	tap_ok(!cache_get(c, &key, arena, &scan), "not for new signatures");
	key.generation = 1;
	key.engine = 1;
	tap_ok(!cache_get(c, &key, arena, &scan), "nor of another engine");
	key.engine = 0;
	key.as = CACHE_MAIL;
	tap_ok(!cache_get(c, &key, arena, &scan), "nor as a letter");
	for (int end = SCAN_DOWN; end < SCAN_ENDS; end++) {
		key.hash[0] = (unsigned char)end;
		cache_put(c, &key, &(struct scan){ (enum scan_end)end,
		    SLICE(""), 0 });
		kept += cache_get(c, &key, arena, &scan);
	}
	tap_is_int(kept, 5, "down, crashed and timeout are asked again");
	for (int i = 0; i < 10000; i++) {
		memcpy(key.hash, &i, sizeof i);
		cache_put(c, &key, &virus);
	}
	kept = 0;
	for (int i = 0; i < 10000; i++) {
		memcpy(key.hash, &i, sizeof i);
		kept += cache_get(c, &key, arena, &scan);
	}
	tap_is_int(kept, 64, "and no more than there is room for");
	cache_free(c);
	tap_ok(!cache_get(NULL, &key, arena, &scan), "none is none");
}

/* ---- the pool ---- */

struct counting {
	struct engine engine;
	atomic_int scans;
};

static void
count_scan(struct engine *e, const struct scan_item *item, deadline_t until,
    struct arena *a, struct scan *scan_r)
{
	struct counting *c = (struct counting *)e;
	bool bad = slice_search(item->bytes, SLICE("bad")) < item->bytes.len;

	(void)until;
	c->scans++;
	*scan_r = (struct scan){ bad ? SCAN_INFECTED : SCAN_CLEAN,
	    arena_copy(a, bad ? item->bytes : SLICE("")), 0 };
}

static void
count_status(struct engine *e, struct arena *a,
    struct engine_status *status_r)
{
	(void)e;
	(void)a;
	status_r->up = true;
	status_r->generation = 7;
}

static const struct engine_kind counting = { .scan = count_scan,
    .status = count_status };

struct crowd {
	struct scan_pool *pool;
	struct engine *engines[2];
	int me;
	atomic_int *wrong;
};

enum { ITEMS = 150, CROWD = 8 };

static void *
one_message(void *arg)
{
	struct crowd *crowd = arg;
	struct arena *a = arena_new();
	struct ledger l;
	int n = 0;

	ledger_init(&l, a);
	l.nengines = 2;
	for (int i = 0; i < ITEMS; i++)
		ledger_add(&l, SLICE("x"), arena_printf(a, "%s item %d of %d",
		    i % 10 == 0 ? "bad" : "good", i, crowd->me));
	scan_begin(&l, crowd->engines);
	scan_all(crowd->pool, &l, crowd->engines, deadline_in(60000));
	for (const struct ledger_row *r = l.rows; r != NULL; r = r->next, n++)
		for (size_t i = 0; i < 2; i++)
			if (r->scans[i].end != (n % 10 == 0 ? SCAN_INFECTED :
			    SCAN_CLEAN) || (n % 10 == 0 &&
			    !slice_eq(r->scans[i].text, r->bytes)))
				++*crowd->wrong;
	arena_free(a);
	return NULL;
}

static void
run_crowd(struct crowd *crowd)
{
	pthread_t threads[CROWD];

	for (int i = 0; i < CROWD; i++)
		pthread_create(&threads[i], NULL, one_message, &crowd[i]);
	for (int i = 0; i < CROWD; i++)
		pthread_join(threads[i], NULL);
}

static void
test_pool(void)
{
	struct counting one = { .scans = 0 }, two = { .scans = 0 };
	struct scan_pool *pool = scan_pool_new(3, 100000);
	struct crowd crowd[CROWD];
	struct scan_counts counts;
	atomic_int wrong = 0;

	engine_init(&one.engine, &counting, SLICE("one"));
	engine_init(&two.engine, &counting, SLICE("two"));
	for (int i = 0; i < CROWD; i++)
		crowd[i] = (struct crowd){ pool, { &one.engine, &two.engine },
		    i, &wrong };
	run_crowd(crowd);
	tap_is_int(wrong, 0, "each message gets its own answers");
	tap_is_int(one.scans + two.scans, 2 * ITEMS * CROWD,
	    "each item was scanned by each engine");
	run_crowd(crowd);
	tap_is_int(wrong, 0, "and again from the cache");
	tap_is_int(one.scans, ITEMS * CROWD, "without another scan");
	scan_pool_counts(pool, &counts);
	tap_is_int((int)counts.hits, 2 * ITEMS * CROWD, "hits are counted");
	scan_pool_free(pool);
}

/* ---- passwords ---- */

static void
test_passwords(void)
{
	static const struct { const char *text, *want; } letters[] = {
		{ "the password is geheim.", "geheim" },
		{ "Passwort: \"Fr\xc3\xbch ling\"", "Fr\xc3\xbch" },
		{ "mot de passe : soleil!", "soleil" },
		{ "PIN: 4711", "4711" },
		{ "open with pass: a-b_c", "a-b_c" },
	};
	struct slice out[UNPACK_PASSWORDS];

	for (size_t i = 0; i < sizeof letters / sizeof letters[0]; i++) {
		struct message msg;
		bool found = false;
		size_t n;

		message_read(&msg, arena, SLICE("MIME-Version: 1.0\r\n"
		    "Content-Type: text/plain; charset=utf-8\r\n"),
		    slice_of(letters[i].text), NULL);
		n = items_passwords(&msg, arena, out, UNPACK_PASSWORDS);
		for (size_t j = 0; j < n; j++)
			found |= slice_eq(out[j], slice_of(letters[i].want));
		tap_ok(found, "found in: %s", letters[i].text);
	}
}

int
main(void)
{
	arena = arena_new();
	defaults();
	test_decisions();
	test_letter();
	test_cache();
	test_pool();
	test_passwords();
	arena_free(arena);
	return tap_done();
}
