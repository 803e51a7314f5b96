/* Texts that come again: sketches, the table that counts them, and marks. */
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "milters/antispam/campaign_check.h"
#include "milters/antispam/marks.h"
#include "t/tap.h"

static char dir[] = "/tmp/antispam-campaign-XXXXXX";

static const char offer[] = "Dear %s, we are pleased to inform you that your "
    "payment of %u USD was released by the bank of %s. To receive it, please "
    "contact our agent at %s and give him your full name, your address and "
    "the number of your telephone. Do not tell anybody of this transaction "
    "before the money has come into your hands. It will take no more than two "
    "working days. Regards, %s, director of foreign operations.";
static const char *const people[] = { "Anna Berg", "Mr. Otto Krause",
    "friend", "beneficiary", "Maria Lopez Garcia", "customer" };

/* One of a campaign: names, sums, links changed. */
static struct slice
variant(struct arena *a, unsigned i)
{
	return arena_printf(a, offer, people[i % 6], 1000 + i * 37,
	    i % 2 == 0 ? "Zenith" : "First Union", i % 3 == 0 ?
	    "http://a.example/x?id=1" : "agent77@mail.example",
	    people[(i + 3) % 6]);
}

/* Two newsletters of one template: the same frame, other news. */
static struct slice
issue(struct arena *a, unsigned i)
{
	static const char *const news[] = {
	    "The museum of bridges opens a new wing this autumn with drawings "
	    "by engineers of three centuries, and the first guided tour is "
	    "free for all members who bring a guest along with them.",
	    "Harbour cranes from the nineteen fifties are restored by young "
	    "apprentices, who learn riveting and painting on the way, and the "
	    "result can be seen from the ferry every Saturday morning.",
	    "Volunteers count swifts under old roofs again: whoever sees more "
	    "than ten nests should write down street and house, so that "
	    "builders keep the holes open when they insulate the walls.",
	};

	return arena_printf(a, "Town News. Read this in your browser.\n%s\n"
	    "You receive this letter because you are a member of our town "
	    "club. Unsubscribe here. Town Club, Market Square, Springfield.",
	    news[i % 3]);
}

static struct sketch
sketch_of(struct slice text)
{
	struct sketch s;

	tap_ok(sketch_text(text, &s), "%u bytes of text have a sketch",
	    (unsigned)text.len);
	return s;
}

static void
test_sketch(struct arena *a)
{
	struct sketch first = sketch_of(variant(a, 0)), s;
	struct sketch news = sketch_of(issue(a, 0));
	unsigned least = SKETCH_BINS;

	for (unsigned i = 1; i < 60; i++) {
		unsigned alike;

		if (!sketch_text(variant(a, i), &s))
			break;
		alike = sketch_alike(&first, &s);
		least = alike < least ? alike : least;
	}
	tap_ok(least >= SKETCH_SAME, "60 variants are alike (%u of 32)",
	    least);
	for (unsigned i = 1; i < 3; i++) {
		s = sketch_of(issue(a, i));
		tap_ok(sketch_alike(&news, &s) < SKETCH_SAME,
		    "another issue of a template is not (%u)",
		    sketch_alike(&news, &s));
	}
	s = sketch_of(arena_printf(a, "%.*s", SLICE_ARG(variant(a, 0))));
	tap_is_int(sketch_alike(&first, &s), SKETCH_BINS, "the same text is");
	tap_ok(!sketch_text(SLICE("Thanks, see you on Monday! Best, Anna"),
	    &s), "of little nothing is said");
	tap_ok(!sketch_text(SLICE(""), &s), "nor of nothing");
	tap_ok(!sketch_text(SLICE("1 2 3 a@b.example http://x/y a b c\xff"),
	    &s), "nor of what changes");
}

static void
test_repeat(struct arena *a)
{
	struct buf long_text = buf_in(a);
	struct sketch s;

	for (int i = 0; i < 30000; i++)
		buf_adds(&long_text, "buy now ");
	tap_ok(!sketch_text(buf_slice(&long_text), &s),
	    "one word again and again is little");
	buf_clear(&long_text);
	for (int i = 0; i < 200; i++)
		buf_adds(&long_text, "\xe6\x82\xa8\xe7\x9a\x84\xe9\xaa\x8c"
		    "\xe8\xaf\x81\xe7\xa0\x81\xe6\x98\xaf\xe5\xa5\xbd\xe4\xba"
		    "\xba\xe5\x9c\xa8\xe9\x87\x8c\xe9\x9d\xa2\xe6\x97\xa0"
		    "\xe6\xb3\x95\xe7\x9c\x8b\xe8\xa7\x81");
	tap_ok(sketch_text(buf_slice(&long_text), &s),
	    "characters are words where there are no blanks");
}

/* ---- the table ---- */

static struct campaigns *
table(struct arena *a, unsigned entries, struct campaigns *before,
    const char **anew_r)
{
	struct campaigns *c;
	struct slice why = SLICE("");

	if (campaign_open(dir, entries, before, &c, anew_r, a, &why) !=
	    RC_OK) {
		tap_diag("%.*s", SLICE_ARG(why));
		exit(1);
	}
	return c;
}

static struct campaign_seen
count(struct campaigns *c, struct arena *a, unsigned i, int64_t now,
    unsigned sides)
{
	const struct campaign_by by = {
		arena_printf(a, "192.0.%u.0/24", i % sides),
		arena_printf(a, "d%u.example", i % sides), 2, now };
	struct campaign_seen seen = { .messages = 0 };
	struct sketch s;

	if (sketch_text(variant(a, i), &s))
		campaign_count(c, &s, &by, &seen);
	return seen;
}

static void
test_table(struct arena *a)
{
	const char *anew;
	struct campaigns *c = table(a, 100, NULL, &anew), *next;
	struct campaign_seen seen = { .messages = 0 };
	struct sketch s;
	int64_t t = 1800000000;

	tap_ok(anew != NULL, "a new table says so");
	for (unsigned i = 0; i < 40; i++)
		seen = count(c, a, i, t + i, 20);
	tap_ok(fabs(seen.messages - 40) < 1, "40 variants are one text (%.1f)",
	    seen.messages);
	tap_ok(fabs(seen.recipients - 80) < 2, "and their recipients (%.1f)",
	    seen.recipients);
	/* The secret is drawn anew each time, and bits may meet. */
	tap_ok(seen.clients >= 13 && seen.clients <= 27 && seen.senders >= 13 &&
	    seen.senders <= 27, "from some 20 sides (%u, %u)", seen.clients,
	    seen.senders);
	tap_ok(campaign_weight(&seen) > 1.5 && campaign_weight(&seen) < 3.5,
	    "that weighs something");
	s = sketch_of(issue(a, 0));
	tap_ok(!campaign_look(c, &s, t, &seen), "another text is not there");
	s = sketch_of(variant(a, 3));
	tap_ok(campaign_look(c, &s, t + 2 * CAMPAIGN_HALF, &seen) &&
	    fabs(seen.messages - 10) < 1, "counts halve (%.1f)",
	    seen.messages);
	tap_ok(campaign_look(c, &s, t + 10 * CAMPAIGN_TURN, &seen) &&
	    seen.clients == 0 && seen.messages < 0.1, "and go");
	tap_ok(campaign_look(c, &s, t - 100000, &seen) &&
	    isfinite(seen.messages), "a clock that was set back");
	next = table(a, 100, c, &anew);
	campaign_drop(c);
	tap_ok(anew == NULL && campaign_look(next, &s, t, &seen),
	    "a reload keeps it");
	campaign_drop(next);
	c = table(a, 100, NULL, &anew);
	tap_ok(anew == NULL && campaign_look(c, &s, t, &seen), "and a restart");
	next = table(a, 200, c, &anew);
	tap_ok(anew == NULL && campaign_entries(next) == 100,
	    "a reload does not change the size");
	campaign_drop(next);
	campaign_drop(c);
	c = table(a, 200, NULL, &anew);
	tap_ok(anew != NULL && !campaign_look(c, &s, t, &seen),
	    "another size begins anew");
	campaign_drop(c);
}

static void
test_full(struct arena *a)
{
	const char *anew;
	struct campaigns *c = table(a, 16, NULL, &anew);
	struct campaign_seen seen;
	const struct campaign_by by = { SLICE("n"), SLICE("s"), 1, 1800000000 };
	struct sketch s, first = { { 0 } };
	uint64_t r = 1;

	for (unsigned i = 0; i < 2000; i++) {
		for (unsigned k = 0; k < SKETCH_BINS; k++) {
			r = r * UINT64_C(6364136223846793005) + 1;
			s.bin[k] = (uint16_t)(r >> 40);
		}
		if (i == 0)
			first = s;
		campaign_count(c, &s, &by, &seen);
	}
	tap_ok(seen.messages == 1 && !campaign_look(c, &first, by.now, &seen),
	    "2000 texts in room for 16: the first has gone");
	tap_ok(campaign_look(c, &s, by.now, &seen), "the last is there");
	campaign_drop(c);
}

static void *
work(void *arg)
{
	struct arena *a = arena_new();

	for (unsigned i = 0; i < 500; i++)
		count(arg, a, i, 1800000000, 9);
	arena_free(a);
	return NULL;
}

static void
test_threads(struct arena *a)
{
	const char *anew;
	struct campaigns *c = table(a, 64, NULL, &anew);
	struct campaign_seen seen;
	struct sketch s = sketch_of(variant(a, 0));
	pthread_t threads[4];

	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, work, c);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	tap_ok(campaign_look(c, &s, 1800000000, &seen) && seen.messages ==
	    2000, "four threads count 2000 (%.1f)", seen.messages);
	campaign_drop(c);
}

/* Killed at any moment: what is there afterwards can be used. */
static void
test_killed(struct arena *a)
{
	unsigned bad = 0, kept = 0;

	for (unsigned i = 0; i < 10; i++) {
		pid_t child = fork();
		struct campaign_seen seen;
		struct campaigns *c;
		const char *anew;

		if (child == 0) {
			c = table(a, 64, NULL, &anew);
			for (unsigned k = 0; ; k++)
				count(c, a, k, 1800000000 + k / 1000, 9);
		}
		usleep(3000 + i * 500);
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		c = table(a, 64, NULL, &anew);
		kept += anew == NULL;
		seen = count(c, a, 0, 1800001000, 9);
		bad += !isfinite(seen.messages) || seen.messages < 1;
		campaign_drop(c);
	}
	tap_is_int(bad, 0, "killed ten times, and it counts");
	tap_ok(kept >= 8, "with what was there (%u)", kept);
}

/* ---- what it weighs ---- */

static const struct {
	const char *name;
	struct campaign_seen seen;
	double weight;
} weights[] = {
	{ "few", { .messages = 19, .clients = 19, .senders = 19 }, 0 },
	{ "one client", { .messages = 99, .clients = 1, .senders = 50 }, 0 },
	{ "one sender", { .messages = 99, .clients = 50, .senders = 1 }, 0 },
	{ "twenty", { .messages = 20, .clients = 6, .senders = 4 }, 1.5 },
	{ "eighty", { .messages = 80, .clients = 50, .senders = 50 }, 2.9 },
	{ "thousands", { .messages = 1e9, .clients = 50, .senders = 50 },
	  3.5 },
};

static void
test_weights(void)
{
	for (size_t i = 0; i < sizeof weights / sizeof *weights; i++)
		tap_ok(fabs(campaign_weight(&weights[i].seen) -
		    weights[i].weight) < 0.001, "weight of %s",
		    weights[i].name);
}

/* ---- marks ---- */

static void
tear(const char *path, off_t at, const char *with)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || pwrite(fd, with, strlen(with), at) < 0)
		tap_diag("cannot tear");
	close(fd);
}

static void
cut(const char *path, off_t size)
{
	if (truncate(path, size) != 0)
		tap_diag("cannot cut");
}

static void
test_marks(struct arena *a)
{
	const char *path = arena_printf(a, "%s/marks", dir).ptr;
	struct marks *m = marks_watch(path);
	struct sketch s = sketch_of(variant(a, 0)), other;
	struct slice why;
	enum rc rc;
	int64_t t = 1800000000, given = 0;
	struct stat st;

	tap_is_int(marks_find(m, &s, t, NULL), MARK_NONE, "no file, no mark");
	marks_drop(m);
	tap_is_int(marks_add(path, &s, MARK_SPAM, t, a, &why), RC_OK, "one");
	m = marks_watch(path);
	tap_ok(marks_find(m, &s, t, &given) == MARK_SPAM && given == t,
	    "is found");
	other = sketch_of(issue(a, 0));
	tap_is_int(marks_find(m, &other, t, NULL), MARK_NONE, "for its text");
	tap_is_int(marks_find(m, &s, t + MARKS_AGE, NULL), MARK_NONE,
	    "and a time");
	marks_drop(m);
	marks_add(path, &s, MARK_HAM, t + 1, a, &why);
	m = marks_watch(path);
	tap_is_int(marks_find(m, &s, t, NULL), MARK_HAM, "a correction");
	marks_drop(m);
	marks_add(path, &s, MARK_NONE, t + 2, a, &why);
	marks_add(path, &other, MARK_SPAM, t + 2, a, &why);
	tear(path, 30, "xxxx");
	m = marks_watch(path);
	tap_ok(marks_find(m, &s, t, NULL) == MARK_NONE &&
	    marks_find(m, &other, t, NULL) == MARK_SPAM,
	    "taken back; a damaged record is left out");
	marks_drop(m);
	stat(path, &st);
	cut(path, st.st_size - 5);
	marks_add(path, &s, MARK_SPAM, t + 3, a, &why);
	m = marks_watch(path);
	tap_ok(marks_find(m, &s, t, NULL) == MARK_SPAM &&
	    marks_find(m, &other, t, NULL) == MARK_NONE,
	    "a torn end is written over");
	marks_drop(m);
	rc = marks_add(arena_printf(a, "%s/none/marks", dir).ptr, &s,
	    MARK_SPAM, t, a, &why);
	tap_is_int(rc, RC_RETRY, "no folder: %.*s", SLICE_ARG(why));
}

/* A full file turns round, and hostile sketches that all have their bands in
 * common end too. */
static void
test_marks_full(struct arena *a)
{
	const char *path = arena_printf(a, "%s/full", dir).ptr;
	struct sketch s = { { 0 } }, first = { { 0 } };
	struct marks *m;
	struct slice why;
	unsigned bad = 0;

	for (unsigned i = 0; i < SKETCH_BINS; i++)
		first.bin[i] = (uint16_t)(60000 + i);
	marks_add(path, &first, MARK_SPAM, 1, a, &why);
	for (unsigned i = 0; i < 200; i++) {
		s.bin[i % SKETCH_BINS] = (uint16_t)(i + 1);
		bad += marks_add(path, &s, MARK_SPAM, 1, a, &why) != RC_OK;
	}
	cut(path, (off_t)MARKS_MAX * 96);
	bad += marks_add(path, &s, MARK_HAM, 1, a, &why) != RC_OK;
	m = marks_watch(path);
	tap_is_int(bad, 0, "a full file");
	tap_is_int(marks_find(m, &s, 1, NULL), MARK_HAM, "takes the newest");
	tap_is_int(marks_find(m, &first, 1, NULL), MARK_SPAM,
	    "and keeps others");
	marks_drop(m);
}

int
main(void)
{
	struct arena *a = arena_new();

	if (mkdtemp(dir) == NULL)
		return 1;
	test_sketch(a);
	test_repeat(a);
	test_table(a);
	test_full(a);
	test_threads(a);
	test_killed(a);
	test_weights();
	test_marks(a);
	test_marks_full(a);
	if (system(arena_printf(a, "rm -rf %s", dir).ptr) != 0)
		tap_diag("%s stays", dir);
	arena_free(a);
	return tap_done();
}
