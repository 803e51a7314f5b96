#include "account.h"

#include <math.h>

enum { HOURS = 24, FADES = 90 * 86400 };

/* Shares of what was sent lately. */
static const double strange = 0.7, alike = 0.6, likely = 0.5, likelier = 0.25,
    seldom = 0.02;

static double
number(double x)
{
	return isfinite(x) && x > 0 ? x : 0;
}

static double
faded(double x, int64_t age, int64_t half)
{
	return number(x * exp2(-(double)(age > 0 ? age : 0) / (double)half));
}

static unsigned
hour_of(int64_t now)
{
	return (unsigned)((now / 3600 % HOURS + HOURS) % HOURS);
}

static unsigned
count_bits(uint64_t bits)
{
	return (unsigned)__builtin_popcountll(bits);
}

static const struct {
	int64_t half, block;		/* s */
	unsigned times;			/* `least` */
} level_of[ACCOUNT_LEVELS] = {
	{ ACCOUNT_HALF, 6 * 3600, 1 }, { 8 * 3600, 2 * 86400, 3 },
};

/* What was the highest level two blocks ago is usual from now on: what goes on
 * now is not compared with itself. */
static bool
turn(struct account_level *l, int64_t length, int64_t now)
{
	int64_t block = now / length, before = l->block;

	if (block <= before)
		return false;
	l->usual = fmax(number(l->usual), number(l->peak[1]));
	l->peak[1] = l->peak[0];
	if (block - 1 > before) {
		l->usual = fmax(l->usual, number(l->peak[1]));
		l->peak[1] = 0;
	}
	l->peak[0] = 0;
	l->block = block;
	return true;
}

static void
turn_domains(struct account *a)
{
	unsigned domains = count_bits(a->domains[1]);

	if (domains > a->domains_usual)
		a->domains_usual = domains;
	a->domains[1] = a->domains[0];
	a->domains[0] = 0;
}

static void
fade(struct account *a, int64_t now)
{
	int64_t age = now - a->counted;

	if (age <= 0)
		return;
	for (unsigned i = 0; i < ACCOUNT_LEVELS; i++) {
		struct account_level *l = &a->level[i];

		l->recent = faded(l->recent, age, level_of[i].half);
		l->usual = faded(l->usual, age, ACCOUNT_FADE);
	}
	a->strangers = faded(a->strangers, age, ACCOUNT_HALF);
	a->same = faded(a->same, age, ACCOUNT_HALF);
	a->chance = faded(a->chance, age, ACCOUNT_HALF);
	a->total = faded(a->total, age, FADES);
	for (unsigned i = 0; i < HOURS; i++)
		a->hours[i] = (float)faded(a->hours[i], age, FADES);
	a->counted = now;
}

static void
rise(struct account *a, const struct account_mail *m)
{
	for (unsigned i = 0; i < ACCOUNT_LEVELS; i++) {
		struct account_level *l = &a->level[i];

		l->recent += m->recipients;
		l->peak[0] = fmax(number(l->peak[0]), l->recent);
	}
}

/* One text is followed at a time: the one that takes up most of what was sent
 * lately. */
static void
note_text(struct account *a, const struct account_mail *m)
{
	if (m->text == NULL)
		return;
	if (sketch_alike(&a->text, m->text) >= SKETCH_SAME) {
		a->same += m->recipients;
	} else if (a->same <= m->recipients) {
		a->text = *m->text;
		a->same = m->recipients;
	}
}

void
account_note(struct account *a, const struct account_mail *m)
{
	static const double slow = 0.02;

	if (a->first == 0)
		a->first = a->counted = m->now;
	if (turn(&a->level[0], level_of[0].block, m->now))
		turn_domains(a);
	turn(&a->level[1], level_of[1].block, m->now);
	fade(a, m->now);
	rise(a, m);
	a->strangers += m->strangers;
	a->chance += m->recipients * m->chance;
	a->total += m->recipients;
	a->hours[hour_of(m->now)] += (float)m->recipients;
	a->domains[0] |= m->domains;
	note_text(a, m);
	if (a->level[0].recent < ACCOUNT_WELL_KNOWN)
		a->chance_usual = number(a->chance_usual) * (1 - slow) +
		    m->chance * slow;
}

/* ---- is it sudden? ---- */

static bool
odd_hour(const struct account *a, int64_t now)
{
	unsigned h = hour_of(now);
	double all = 0, near = a->hours[h] + a->hours[(h + 1) % HOURS] +
	    a->hours[(h + HOURS - 1) % HOURS];

	for (unsigned i = 0; i < HOURS; i++)
		all += a->hours[i];
	/* What it sends right now is in there too. */
	all -= a->level[0].recent;
	near -= a->level[0].recent;
	return all >= 50 && near < seldom * all;
}

static unsigned
signs_of(const struct account *a, int64_t now)
{
	unsigned signs = 0;
	double recent = a->level[0].recent;
	bool known = now - a->first >= ACCOUNT_WARM &&
	    a->total - recent >= ACCOUNT_WELL_KNOWN;
	double chance = recent > 0 ? a->chance / recent : 0;

	if (!known)
		signs |= ACCOUNT_NEW;
	else if (a->strangers >= strange * recent)
		signs |= ACCOUNT_STRANGERS;
	if (a->same >= alike * recent)
		signs |= ACCOUNT_TEXT;
	if (chance >= likely && chance >= a->chance_usual + likelier)
		signs |= ACCOUNT_SPAM;
	if (count_bits(a->domains[0] | a->domains[1]) >= ACCOUNT_DOMAINS &&
	    count_bits(a->domains[0]) > a->domains_usual)
		signs |= ACCOUNT_MANY_DOMAINS;
	if (known && odd_hour(a, now))
		signs |= ACCOUNT_HOUR;
	return signs;
}

static bool
too_much(const struct account_level *l, double least, double factor,
    unsigned signs)
{
	unsigned others = count_bits(signs & (ACCOUNT_STRANGERS |
	    ACCOUNT_TEXT | ACCOUNT_SPAM | ACCOUNT_MANY_DOMAINS));
	double level = factor * l->usual;

	if ((signs & ACCOUNT_HOUR) != 0)
		level /= 2;
	if ((signs & ACCOUNT_NEW) != 0)
		return others >= 2 && l->recent >= 2 * least &&
		    l->recent >= level;
	if (others == 0) {
		least *= 3;
		level *= 3;
	}
	return l->recent >= least && l->recent >= level;
}

unsigned
account_sudden(const struct account *a, const struct account_limits *limits,
    int64_t now)
{
	unsigned signs = signs_of(a, now);

	for (unsigned i = 0; i < ACCOUNT_LEVELS; i++)
		if (too_much(&a->level[i], (double)limits->least *
		    level_of[i].times, limits->factor, signs))
			return signs | ACCOUNT_VOLUME;
	return 0;
}

void
account_block(struct account *a, unsigned signs, int64_t now)
{
	a->blocked = now;
	a->signs = signs;
	a->held = 0;
}

bool
account_blocked(struct account *a)
{
	if (a->blocked == 0)
		return false;
	if (a->released < a->blocked)
		return true;
	for (unsigned i = 0; i < ACCOUNT_LEVELS; i++)
		a->level[i].usual = fmax(number(a->level[i].usual),
		    number(a->level[i].recent));
	a->blocked = 0;
	return false;
}

void
account_release(struct account *a, int64_t now)
{
	a->released = now;
}

void
account_words(const struct account *a, unsigned signs, struct buf *out)
{
	static const struct {
		unsigned sign;
		const char *words;
	} words[] = {
		{ ACCOUNT_STRANGERS, ", most of them new to it" },
		{ ACCOUNT_TEXT, ", most of it one text" },
		{ ACCOUNT_SPAM, ", likely spam" },
		{ ACCOUNT_MANY_DOMAINS, ", in many domains" },
		{ ACCOUNT_HOUR, ", at an hour at which it never writes" },
		{ ACCOUNT_NEW, ", and it is new" },
	};

	buf_addf(out, "%.0f recipients lately, usually %.0f",
	    number(a->level[0].recent), number(a->level[0].usual));
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if ((signs & words[i].sign) != 0)
			buf_adds(out, words[i].words);
}
