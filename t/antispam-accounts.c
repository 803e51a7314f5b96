/* What an account usually sends, over simulated days, and when that changes. */
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "milters/antispam/accounts.h"
#include "t/tap.h"

static char dir[] = "/tmp/antispam-accounts-XXXXXX";
static const int64_t start = 1800000000;	/* a Friday, 08:00 */
static const struct account_limits limits = { 50, 8 };

enum { DAY = 86400, HOUR = 3600 };

struct play {
	struct account a;
	int64_t now;
	uint64_t seed;
};

static unsigned
some(struct play *p, unsigned below)
{
	p->seed = p->seed * UINT64_C(6364136223846793005) + 1;
	return (unsigned)(p->seed >> 33) % below;
}

static struct sketch
text_of(uint64_t number)
{
	struct sketch s;

	for (unsigned i = 0; i < SKETCH_BINS; i++) {
		number = number * UINT64_C(6364136223846793005) + 1;
		s.bin[i] = (uint16_t)(number >> 40);
	}
	return s;
}

/* One message; the bits when it is sudden. */
static unsigned
sends(struct play *p, unsigned recipients, unsigned strangers, double chance,
    uint64_t text)
{
	struct sketch s = text_of(text);
	struct account_mail m = { .now = p->now, .recipients = recipients,
	    .strangers = strangers, .chance = chance, .text = &s };

	for (unsigned i = 0; i < recipients; i++)
		m.domains |= UINT64_C(1) << some(p, strangers > 0 ? 64 : 6);
	account_note(&p->a, &m);
	return account_sudden(&p->a, &limits, p->now);
}

/* Ordinary days: so many letters in working hours, mostly to the same. */
static unsigned
works(struct play *p, unsigned days, unsigned letters)
{
	unsigned signs = 0;

	for (unsigned d = 0; d < days; d++) {
		for (unsigned i = 0; i < letters; i++) {
			p->now += 8 * HOUR / letters;
			signs |= sends(p, 1 + (some(p, 4) == 0), some(p, 10) ==
			    0, 0.05, p->seed);
		}
		p->now += DAY - (8 * HOUR / letters) * letters;
	}
	return signs;
}

static struct play
begin(void)
{
	struct play p = { .now = start, .seed = 7 };

	return p;
}

/* So many letters in a row until it is sudden; 0: never. */
static unsigned
bursts(struct play *p, unsigned n, unsigned every, bool strangers,
    double chance, bool one_text)
{
	for (unsigned i = 1; i <= n; i++) {
		p->now += every;
		if (sends(p, 1, strangers, chance, one_text ? 5 : p->seed) !=
		    0)
			return i;
	}
	return 0;
}

static void
test_ordinary(void)
{
	struct play p = begin();

	tap_is_int(works(&p, 1, 30), 0, "a new account with ordinary mail");
	p = begin();
	tap_is_int(works(&p, 60, 40), 0, "sixty days of forty letters");
	tap_is_int(works(&p, 5, 120), 0, "five busy ones");
	p = begin();
	works(&p, 30, 20);
	tap_is_int(bursts(&p, 40, 60, true, 0.05, true), 0,
	    "an invitation to forty new ones");
	p.now += 10 * DAY;
	tap_is_int(works(&p, 1, 20), 0, "after ten days away");
}

static void
test_sudden(void)
{
	struct play p = begin();
	unsigned n;

	works(&p, 20, 20);
	n = bursts(&p, 300, 2, true, 0.05, true);
	tap_ok(n >= 50 && n <= 60, "300 strangers: held from the %uth on", n);
	p = begin();
	works(&p, 20, 20);
	n = bursts(&p, 300, 2, false, 0.9, false);
	tap_ok(n >= 50 && n <= 70, "likely spam to people it knows: %u", n);
	p = begin();
	works(&p, 20, 20);
	n = bursts(&p, 600, 2, false, 0.05, false);
	tap_ok(n >= 150 && n <= 200, "nothing but the number: %u", n);
	p = begin();
	works(&p, 20, 20);
	tap_ok(sends(&p, 100, 100, 0.05, 1) != 0, "one letter to a hundred");
	p = begin();
	works(&p, 20, 20);
	tap_is_int(bursts(&p, 300, 900, true, 0.05, true), 0,
	    "three days of one every quarter of an hour is no burst");
	p = begin();
	works(&p, 20, 20);
	n = bursts(&p, 3000, 40, true, 0.05, true);
	tap_ok(n >= 150 && n <= 300, "one every forty seconds is: %u", n);
}

/* At three in the morning half of the factor is enough. */
static void
test_hour(void)
{
	struct play p = begin(), q;
	unsigned day, night;

	works(&p, 60, 120);
	q = p;
	day = bursts(&p, 3000, 1, true, 0.05, false);
	q.now += 17 * HOUR;
	night = bursts(&q, 3000, 1, true, 0.05, false);
	tap_ok(night > 0 && night < day, "at night sooner: %u, by day %u",
	    night, day);
}

static void
test_new(void)
{
	struct play p = begin();
	unsigned n;

	tap_is_int(bursts(&p, 90, 10, true, 0.05, true), 0,
	    "a new one may write to ninety");
	p = begin();
	n = bursts(&p, 300, 2, true, 0.9, true);
	tap_ok(n >= 100 && n <= 120, "but not spam to 300: %u", n);
	p = begin();
	tap_is_int(bursts(&p, 300, 2, false, 0.05, false), 0,
	    "nor is it held for letters that differ, to few domains");
}

/* What is usual for a newsletter becomes so when it was released once. */
static void
test_release(void)
{
	struct play p = begin();
	unsigned n;

	works(&p, 20, 20);
	n = bursts(&p, 300, 2, true, 0.05, true);
	account_block(&p.a, ACCOUNT_VOLUME, p.now);
	tap_ok(n > 0 && account_blocked(&p.a), "it is held");
	account_release(&p.a, p.now + 10);
	tap_ok(!account_blocked(&p.a), "and released");
	tap_is_int(bursts(&p, 240, 2, true, 0.05, true), 0,
	    "the rest goes out");
	p.now += 7 * DAY;
	tap_is_int(bursts(&p, 300, 2, true, 0.05, true), 0, "and the next");
	p.now += 7 * DAY;
	tap_ok(bursts(&p, 5000, 0, true, 0.05, true) > 500,
	    "but not five thousand");
}

static void
test_damage(void)
{
	struct play p = begin();

	works(&p, 10, 20);
	p.a.level[0].recent = NAN;
	p.a.level[1].usual = INFINITY;
	p.a.hours[3] = NAN;
	p.a.domains_usual = UINT64_MAX;
	p.a.counted = INT64_MAX / 2;
	works(&p, 1, 20);
	memset(&p.a, 0xff, sizeof p.a);
	works(&p, 1, 20);
	tap_ok(p.a.counted != 0, "any numbers are survived");
}

/* ---- the table ---- */

static struct accounts *
table(struct arena *a, struct accounts *before, const char **anew_r)
{
	struct accounts *t;
	struct slice why = SLICE("");

	if (accounts_open(dir, 64, before, &t, anew_r, a, &why) != RC_OK) {
		tap_diag("%.*s", SLICE_ARG(why));
		exit(1);
	}
	return t;
}

static struct accounts_seen
mails(struct accounts *t, struct arena *a, const char *account, unsigned i,
    int64_t now)
{
	struct slice to = arena_printf(a, "p%u@d%u.example", i, i % 40);
	struct sketch s = text_of(9);
	const struct accounts_mail m = { .account = slice_of(account),
	    .recipients = &to, .n = 1, .chance = 0.1, .text = &s,
	    .limits = limits, .now = now };
	struct accounts_seen seen;

	accounts_mail(t, &m, a, &seen);
	return seen;
}

struct seeing {
	unsigned all, held;
	double messages;
};

static void
see(const struct account *e, void *arg)
{
	struct seeing *s = arg;

	s->all++;
	if (e->blocked != 0 && e->released < e->blocked) {
		s->held++;
		s->messages += e->held;
	}
}

static void
test_table(struct arena *a)
{
	const char *anew;
	struct accounts *t = table(a, NULL, &anew), *next, *beside;
	struct accounts_seen seen;
	struct seeing all = { .all = 0 };
	struct slice why;
	unsigned first = 0, begins = 0, held = 0;

	tap_ok(anew != NULL, "a new table says so");
	for (unsigned i = 0; i < 160; i++)
		mails(t, a, "Anna@our.test", i % 8, start + i * DAY / 8);
	for (unsigned i = 0; i < 300; i++) {
		seen = mails(t, a, "anna@OUR.test", 1000 + i, start + 20 *
		    DAY + i);
		held += seen.blocked;
		begins += seen.begins;
		if (seen.begins)
			first = i + 1;
	}
	tap_ok(first >= 50 && first <= 55 && held == 301 - first,
	    "held from the %uth of 300 on: %u", first, held);
	tap_is_int(begins, 1, "it begins once");
	tap_ok(slice_starts(seen.words, SLICE("account anna@our.test: ")),
	    "%.*s", SLICE_ARG(seen.words));
	seen = mails(t, a, "otto@our.test", 1, start + 20 * DAY);
	tap_ok(!seen.blocked, "others go on");
	next = table(a, t, &anew);
	accounts_drop(t);
	tap_ok(anew == NULL && mails(next, a, "anna@our.test", 1, start + 20 *
	    DAY + 400).blocked, "a reload keeps it");
	accounts_drop(next);
	t = table(a, NULL, &anew);
	tap_ok(anew == NULL && mails(t, a, "anna@our.test", 1, start + 21 *
	    DAY).blocked, "and a restart");
	beside = accounts_map(dir, 64, true, a, &why);
	if (!tap_ok(beside != NULL, "a command looks at it"))
		return;
	accounts_each(beside, see, &all);
	tap_ok(all.all == 2 && all.held == 1 && all.messages == held + 2,
	    "two accounts, one held, %.0f messages", all.messages);
	tap_ok(!accounts_release(beside, SLICE("otto@our.test"), start, a),
	    "who is not held is not released");
	tap_ok(accounts_release(beside, SLICE("ANNA@our.test"), start + 21 *
	    DAY + 1, a), "who is, is");
	tap_ok(!mails(t, a, "anna@our.test", 1, start + 21 * DAY + 2).blocked,
	    "the daemon sees it at once");
	tap_ok(accounts_forget(beside, SLICE("anna@our.test"), a) &&
	    !accounts_forget(beside, SLICE("anna@our.test"), a),
	    "it is forgotten once");
	accounts_drop(beside);
	accounts_drop(t);
	beside = accounts_map(dir, 65536, false, a, &why);
	tap_ok(beside == NULL, "another size: %.*s", SLICE_ARG(why));
}

/* Whatever a reverse-path may be, and longer than a name in the table. */
static void
test_names(struct arena *a)
{
	const char *anew;
	struct accounts *t = table(a, NULL, &anew);
	char one[400], two[400];

	memset(one, '\xff', sizeof one - 1);
	one[0] = '\x1b';
	one[sizeof one - 1] = '\0';
	memcpy(two, one, sizeof one);
	two[300] = 'x';
	for (unsigned i = 0; i < 160; i++)
		mails(t, a, one, i % 8, start + i * DAY / 8);
	for (unsigned i = 0; i < 60; i++)
		mails(t, a, one, 1000 + i, start + 20 * DAY + i);
	tap_ok(mails(t, a, one, 1, start + 20 * DAY + 60).blocked,
	    "a name of 399 odd bytes is held");
	tap_ok(!mails(t, a, two, 1, start + 20 * DAY + 60).blocked,
	    "and another one that ends otherwise is not");
	accounts_drop(t);
}

static void *
work(void *arg)
{
	struct arena *a = arena_new();

	for (unsigned i = 0; i < 300; i++)
		mails(arg, a, "many@our.test", i, start + i);
	arena_free(a);
	return NULL;
}

static void
test_threads(struct arena *a)
{
	const char *anew;
	struct accounts *t = table(a, NULL, &anew);
	pthread_t threads[4];
	struct seeing all = { .all = 0 };

	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, work, t);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	accounts_each(t, see, &all);
	tap_ok(all.held == 1 && all.messages > 1000 && all.messages < 1200,
	    "four threads, 1200 messages: %.0f are held", all.messages);
	accounts_drop(t);
}

int
main(void)
{
	struct arena *a = arena_new();

	if (mkdtemp(dir) == NULL)
		return 1;
	test_ordinary();
	test_sudden();
	test_hour();
	test_new();
	test_release();
	test_damage();
	test_table(a);
	test_threads(a);
	test_names(a);
	if (system(arena_printf(a, "rm -rf %s", dir).ptr) != 0)
		tap_diag("%s stays", dir);
	arena_free(a);
	return tap_done();
}
