/*
 * account - what one of our senders usually sends, and when that changes
 *
 * For mail that goes out: of each account how many recipients it wrote to
 * lately, how many it usually does, how many of them it had never written to,
 * in how many domains, at what hours, how likely spam its mail is, and how much
 * of it is one text. All of it fades with time.
 *
 * account_note		one message more
 * account_sudden	does that differ so much from what is usual that
 *			somebody else may be writing? ACCOUNT_* bits, 0: it does not.
 *			Many recipients are always among them: `least` (three
 *			times that in a day), and `factor` times the highest
 *			level of earlier days. What
 *			else is wanted with that, by how well we know it:
 *			- known (a week and 20 recipients): strangers, one text,
 *			  likely spam or many domains; or three times as much
 *			  again. At an hour at which it never writes half of
 *			  the factor is enough
 *			- new: twice as many, and two of one text, likely spam,
 *			  many domains. All are strangers to who is new
 * account_block	its mail is held from now on
 * account_blocked	is it? What was released since (account_release) is not,
 *			and what it sent until then is usual for it
 * account_release	may be called beside a daemon, on its mapped file
 * account_words	the bits, in words
 *
 * Pure; now is seconds since 1970. Every number may be anything: the file may
 * be of another day or damaged.
 */
#ifndef ANTISPAM_ACCOUNT_H
#define ANTISPAM_ACCOUNT_H

#include <stdatomic.h>

#include "base/buf.h"
#include "sketch.h"

enum {
	ACCOUNT_NAME = 120,		/* bytes that are kept of it */
	ACCOUNT_HALF = 1200,		/* s; "lately" */
	ACCOUNT_LEVELS = 2,
	ACCOUNT_FADE = 14 * 86400,	/* what is usual halves in */
	ACCOUNT_WARM = 7 * 86400, ACCOUNT_WELL_KNOWN = 20,
	ACCOUNT_DOMAINS = 20,
};

enum account_sign {
	ACCOUNT_VOLUME = 1 << 0, ACCOUNT_STRANGERS = 1 << 1,
	ACCOUNT_TEXT = 1 << 2, ACCOUNT_SPAM = 1 << 3,
	ACCOUNT_MANY_DOMAINS = 1 << 4, ACCOUNT_HOUR = 1 << 5,
	ACCOUNT_NEW = 1 << 6,
};

/* How much it sends; one by ACCOUNT_HALF, and a slow one, for who sends two in
 * a minute all day long. */
struct account_level {
	double recent;			/* recipients, lately */
	double usual, peak[2];		/* this block of time, the one before */
	int64_t block;			/* number of it */
};

/* As it is in the file. */
struct account {
	char name[ACCOUNT_NAME];
	_Atomic int64_t released;	/* written by a command */
	int64_t first, counted;
	int64_t blocked;		/* since when; 0: it is not */
	struct account_level level[ACCOUNT_LEVELS];
	double strangers, same, chance;	/* recipients, lately */
	double total;			/* recipients, fading */
	double chance_usual;		/* per recipient, 0 to 1 */
	double held;			/* messages, since blocked */
	uint64_t domains[2], domains_usual;	/* a bit each; how many */
	struct sketch text;
	float hours[24];
	uint32_t signs, zero;		/* why it was blocked */
};

struct account_mail {
	int64_t now;
	unsigned recipients, strangers;	/* outside; new to it */
	uint64_t domains;		/* a bit of 64 for each */
	double chance;			/* of spam, 0 to 1 */
	const struct sketch *text;	/* NULL: too short */
};

struct account_limits {
	unsigned least, factor;
};

void account_note(struct account *a, const struct account_mail *m);
unsigned account_sudden(const struct account *a,
    const struct account_limits *limits, int64_t now);
void account_block(struct account *a, unsigned signs, int64_t now);
bool account_blocked(struct account *a);
void account_release(struct account *a, int64_t now);
void account_words(const struct account *a, unsigned signs, struct buf *out);

#endif
