/*
 * The count of recipients over one Message-ID, without mail: a table of cases,
 * a naive model that must agree, a flood, a damaged table, and a process that
 * is killed while it counts.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "milters/predelivery/tally_file.h"
#include "t/tap.h"

enum { CELLS = 1 << 16, HOUR = 3600 };

static const int64_t epoch = 1795000000;

static struct tally *
table_of(unsigned cells)
{
	void *memory = malloc(tally_size(cells));

	if (memory == NULL)
		abort();
	tally_begin(memory, cells);
	return memory;
}

/* One transaction: these recipients (small numbers) of that message. */
static struct tally_view
offer(struct tally *t, unsigned message, const unsigned *who, size_t n,
    unsigned limit, int64_t now)
{
	uint64_t keys[2000];
	char name[32];
	struct tally_offer o = { .recipients = keys, .n = n, .limit = limit,
	    .window = HOUR, .keep = HOUR, .now = now };
	struct tally_view v;

	snprintf(name, sizeof name, "<%u@x>", message);
	o.message = tally_key(t, 0, slice_of(name));
	for (size_t i = 0; i < n; i++) {
		snprintf(name, sizeof name, "r%u", who[i]);
		keys[i] = tally_key(t, o.message, slice_of(name));
	}
	tally_offer(t, &o, &v);
	return v;
}

/* Recipients from, from + 1, ... */
static struct tally_view
run_of(struct tally *t, unsigned message, unsigned from, unsigned n,
    unsigned limit, int64_t now)
{
	unsigned who[2000];

	for (unsigned i = 0; i < n; i++)
		who[i] = from + i;
	return offer(t, message, who, n, limit, now);
}

/* ---- cases: transactions of one message, in order; + taken, - not ---- */

struct step {
	unsigned message, from, n;
	int64_t after;			/* s since the first */
	bool want;
};

static const struct {
	const char *name;
	unsigned limit;
	struct step steps[5];
} cases[] = {
	{ "one short of it", 600, { { 1, 0, 599, 0, true } } },
	{ "exactly", 600, { { 1, 0, 600, 0, true } } },
	{ "one too many", 600, { { 1, 0, 601, 0, false } } },
	{ "two halves", 600, { { 1, 0, 300, 0, true },
	    { 1, 300, 300, 9, true } } },
	{ "two halves and one", 600, { { 1, 0, 300, 0, true },
	    { 1, 300, 300, 9, true }, { 1, 600, 1, 10, false } } },
	{ "what was refused is not counted", 600, { { 1, 0, 400, 0, true },
	    { 1, 400, 400, 1, false }, { 1, 400, 200, 2, true } } },
	{ "a retry of all", 600, { { 1, 0, 600, 0, true },
	    { 1, 0, 600, 300, true }, { 1, 0, 600, 600, true } } },
	{ "a retry of some, and one more", 600, { { 1, 0, 600, 0, true },
	    { 1, 50, 10, 300, true }, { 1, 599, 2, 600, false } } },
	{ "another message", 600, { { 1, 0, 600, 0, true },
	    { 2, 0, 600, 0, true } } },
	{ "the window is not over", 600, { { 1, 0, 600, 0, true },
	    { 1, 600, 1, HOUR - 1, false } } },
	{ "the window is over", 600, { { 1, 0, 600, 0, true },
	    { 1, 600, 600, HOUR, true } } },
	{ "who counted before it was over counts again", 600,
	    { { 1, 0, 600, 0, true }, { 1, 0, 1, HOUR, true },
	    { 1, 0, 600, HOUR, true }, { 1, 600, 1, HOUR, false } } },
	{ "it begins with the first, not with the last", 600,
	    { { 1, 0, 300, 0, true }, { 1, 300, 300, HOUR - 1, true },
	    { 1, 600, 600, HOUR + 1, true } } },
	{ "a clock set back a little", 600, { { 1, 0, 600, 0, true },
	    { 1, 600, 1, -60, false } } },
	{ "a clock set back a day", 600, { { 1, 0, 600, 0, true },
	    { 1, 600, 600, -86400, true } } },
	{ "none may be sent", 0, { { 1, 0, 1, 0, false } } },
	{ "nobody is not too many", 0, { { 1, 0, 0, 0, true } } },
};

static void
try_cases(void)
{
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct tally *t = table_of(CELLS);
		bool good = true;

		for (size_t k = 0; k < 5; k++) {
			const struct step *s = &cases[i].steps[k];

			if (s->message == 0)
				break;
			good = good && run_of(t, s->message, s->from, s->n,
			    cases[i].limit, epoch + s->after).taken == s->want;
		}
		tap_ok(good, "%s", cases[i].name);
		free(t);
	}
}

static void
try_twice_named(void)
{
	static const unsigned who[] = { 7, 8, 7, 7, 9, 8 };
	struct tally *t = table_of(CELLS);
	struct tally_view v = offer(t, 1, who, 6, 3, epoch);

	tap_ok(v.taken, "who is named three times is one");
	tap_is_int(v.fresh, 3, "of three");
	v = offer(t, 1, who, 6, 3, epoch);
	tap_is_int(v.before, 3, "counted as three");
	tap_is_int(v.fresh, 0, "and none of them is new");
	free(t);
}

/* ---- a naive model ---- */

enum { MESSAGES = 20, PEOPLE = 60, ROUNDS = 20000 };

static struct {
	int64_t since;			/* 0: not seen */
	bool has[PEOPLE];
	unsigned count;
} model[MESSAGES];

static unsigned
model_offer(unsigned m, const unsigned *who, size_t n, unsigned limit,
    int64_t now)
{
	bool fresh[PEOPLE] = { false };
	unsigned more = 0;

	if (model[m].since == 0 || now - model[m].since >= HOUR) {
		memset(&model[m], 0, sizeof model[m]);
		model[m].since = now;
	}
	for (size_t i = 0; i < n; i++) {
		more += !model[m].has[who[i]] && !fresh[who[i]];
		fresh[who[i]] = true;
	}
	if (model[m].count + more > limit) {
		if (model[m].count == 0)
			model[m].since = 0;	/* nothing began */
		return UINT32_MAX;
	}
	for (size_t i = 0; i < n; i++)
		model[m].has[who[i]] = true;
	model[m].count += more;
	return model[m].count;
}

static uint32_t
roll(uint32_t below)
{
	static uint64_t state = 20261126;

	state = state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(state >> 33) % below;
}

static void
try_model(void)
{
	struct tally *t = table_of(CELLS);
	int64_t now = epoch;
	unsigned wrong = 0, refused = 0;

	for (unsigned i = 0; i < ROUNDS; i++) {
		unsigned who[PEOPLE], m = roll(MESSAGES);
		unsigned n = 1 + roll(roll(2) ? 5 : 30), limit = roll(60);
		unsigned want;
		struct tally_view v;

		now += roll(30);
		for (unsigned k = 0; k < n; k++)
			who[k] = roll(PEOPLE);
		want = model_offer(m, who, n, limit, now);
		v = offer(t, m, who, n, limit, now);
		refused += !v.taken;
		wrong += v.taken != (want != UINT32_MAX) ||
		    (v.taken && v.before + v.fresh != want);
	}
	tap_is_int(wrong, 0, "%d transactions as the naive model has them",
	    ROUNDS);
	tap_ok(refused > ROUNDS / 20 && refused < ROUNDS - ROUNDS / 20,
	    "some were taken, some were not (%u)", refused);
	free(t);
}

/* ---- bounds ---- */

static void
try_flood(void)
{
	struct tally *t = table_of(1024);
	unsigned back = 0;

	run_of(t, 1, 0, 400, 600, epoch);
	for (unsigned i = 0; i < 200000; i++)
		run_of(t, 10 + i, 0, 1, 600, epoch + 1 + i / 100);
	tap_is_int(run_of(t, 1, 1000, 1, 10000, epoch + 2100).before, 400,
	    "200000 small messages push out no large one");
	for (unsigned i = 0; i < 200000; i++)
		back += run_of(t, 10 + i, 0, 1, 600, epoch + 2100).before;
	tap_ok(back < 1024, "and take no more than there is (%u)", back);
	run_of(t, 2, 0, 600, 600, epoch + 3 * HOUR);
	tap_is_int(run_of(t, 2, 5000, 1, 10000, epoch + 3 * HOUR).before, 600,
	    "what is out of date makes room");
	free(t);
}

static void
try_damage(void)
{
	size_t size = tally_size(64);
	struct tally *t = table_of(64);
	unsigned char *bytes = (unsigned char *)t;
	unsigned most = 0;

	run_of(t, 1, 0, 20, 600, epoch);
	for (unsigned i = 0; i < 20000; i++) {
		struct tally_view v;

		bytes[32 + roll((uint32_t)size - 32)] ^=
		    (unsigned char)(1 << roll(8));
		v = run_of(t, 1, roll(1000), 3, TALLY_MAX, epoch + 1);
		if (v.before > most)
			most = v.before;
	}
	tap_ok(most < 64 * 1000, "bits that fell over count nothing (%u)",
	    most);
	tap_ok(tally_whole(t, size), "the table is one still");
	tap_ok(!tally_whole(t, size - 16), "of another size it is none");
	bytes[0] ^= 1;
	tap_ok(!tally_whole(t, size), "nor under another name");
	free(t);
}

/* ---- the file ---- */

static void
offer_file(struct tally_file *f, struct arena *a, unsigned from, unsigned n,
    struct tally_view *v)
{
	struct tally_name name = { SLICE("Bob@Sender.example"),
	    SLICE("<1@x>") };
	struct tally_offer o = { .limit = TALLY_MAX, .window = HOUR,
	    .keep = HOUR, .now = epoch };
	struct slice who[100];

	for (unsigned i = 0; i < n; i++)
		who[i] = arena_printf(a, "R%u@x.example", from + i);
	tally_file_offer(f, &name, who, n, &o, a, v);
}

/* Of a size that pushes nobody out, however late the kill comes. */
enum { ROOMY = 1 << 20 };

/* Counts until it is killed, and says each time when it has. */
static void
count_for_ever(const char *path, int to)
{
	struct arena *a = arena_new();
	struct slice why = SLICE_NONE;
	struct tally_file *f;
	struct tally_view v;
	const char *anew;

	if (tally_open(path, ROOMY, &f, &anew, a, &why) != RC_OK)
		_exit(1);
	for (unsigned at = 0;; at += 10) {
		arena_reset(a);
		offer_file(f, a, at, 10, &v);
		if (write(to, &at, sizeof at) != (ssize_t)sizeof at)
			_exit(1);
	}
}

static void
try_kill(const char *path, struct arena *a, int round)
{
	unsigned at = 0, said = 0;
	struct slice why = SLICE_NONE;
	struct tally_file *f = NULL;
	struct tally_view v = { 0 };
	const char *anew;
	int ends[2];
	pid_t child;

	unlink(path);
	if (pipe(ends) != 0 || (child = fork()) < 0)
		abort();
	if (child == 0)
		count_for_ever(path, ends[1]);
	close(ends[1]);
	while (said < 5u + (unsigned)round * 13 &&
	    read(ends[0], &at, sizeof at) == (ssize_t)sizeof at)
		said++;
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	while (read(ends[0], &at, sizeof at) == (ssize_t)sizeof at)
		said++;
	close(ends[0]);
	tap_ok(tally_open(path, ROOMY, &f, &anew, a, &why) == RC_OK &&
	    anew == NULL, "killed: the table is taken over");
	offer_file(f, a, 0, said * 10 > 100 ? 100 : said * 10, &v);
	/* One transaction may have been under way, one recipient in it. */
	tap_ok(v.before + 1 >= said * 10 && v.before <= (said + 1) * 10,
	    "%u were counted and said: the count is %u", said * 10, v.before);
	tap_is_int(v.fresh, 0, "and each of them is known");
	tally_drop(f);
}

static void
try_file(const char *path, struct arena *a)
{
	struct slice why = SLICE_NONE;
	struct tally_file *f = NULL, *other = NULL;
	struct tally_view v;
	const char *anew = NULL;

	tap_ok(tally_open(path, CELLS, &f, &anew, a, &why) == RC_OK &&
	    anew != NULL, "a new file says so");
	tap_is_int(tally_cells(f), CELLS, "of that size");
	tap_is_int(tally_open(path, CELLS, &other, &anew, a, &why), RC_BAD,
	    "one process has it");
	offer_file(f, a, 0, 3, &v);
	tally_drop(tally_hold(f));
	offer_file(f, a, 2, 3, &v);
	tap_is_int(v.fresh, 2, "held twice, dropped once: it is there");
	tally_drop(f);
	tap_ok(tally_open(path, CELLS, &f, &anew, a, &why) == RC_OK &&
	    anew == NULL, "and is taken over");
	offer_file(f, a, 0, 5, &v);
	tap_is_int(v.before, 5, "with its counts");
	tally_drop(f);
	tap_ok(tally_open(path, CELLS * 2, &f, &anew, a, &why) == RC_OK &&
	    anew != NULL, "of another size it is begun anew");
	tally_drop(f);
	tap_is_int(tally_open("/nonexistent/x", CELLS, &f, &anew, a, &why),
	    RC_RETRY, "nowhere: not now");
}

int
main(void)
{
	char dir[] = "/tmp/gatehouse-tally-XXXXXX", path[64];
	struct arena *a = arena_new();

	if (mkdtemp(dir) == NULL)
		abort();
	snprintf(path, sizeof path, "%s/tally", dir);
	try_cases();
	try_twice_named();
	try_model();
	try_flood();
	try_damage();
	try_file(path, a);
	for (int round = 0; round < 8; round++)
		try_kill(path, a, round);
	unlink(path);
	rmdir(dir);
	arena_free(a);
	return tap_done();
}
