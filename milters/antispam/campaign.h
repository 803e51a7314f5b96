/*
 * campaign - how often did this text come lately, and from whom?
 *
 * Two tables of keyed hashes (base/keyed_table.h) in a folder: "campaigns" has
 * what is known of a text, by its sketch, and "bands" leads there from each
 * piece of the sketch, so a text that was varied from copy to copy is found.
 * Counts halve with every CAMPAIGN_HALF seconds; clients and senders are
 * counted by two bit fields that take turns with the hours, so up to some 100
 * of them are told apart, and no name or address is kept. A text that nobody
 * sent for long gives way to a new one.
 *
 * campaign_open	at start: both files, with room for so many texts. On a
 *			reload `before` has them open and is taken over as it
 *			is. *anew_r as keyed_open; RC_BAD, RC_RETRY with *why_r
 * campaign_entries	as it was opened
 * campaign_count	one more message of that text; *seen_r is what is known
 *			with it
 * campaign_look	the same without counting; false: not seen
 *
 * Any thread: each call holds both locks. A process that is killed within a
 * call leaves a count that is wrong by one.
 */
#ifndef ANTISPAM_CAMPAIGN_H
#define ANTISPAM_CAMPAIGN_H

#include "base/arena.h"
#include "base/rc.h"
#include "sketch.h"

enum { CAMPAIGN_HALF = 1800, CAMPAIGN_TURN = 3600,
    CAMPAIGN_ENTRIES_MAX = 1 << 22 };

/* Who sent it. */
struct campaign_by {
	struct slice client;		/* the network, as text */
	struct slice sender;		/* domain */
	unsigned recipients;
	int64_t now;			/* s */
};

struct campaign_seen {
	double messages, recipients;	/* lately */
	unsigned clients, senders;	/* different ones, this hour and last */
	unsigned alike;			/* bins of SKETCH_BINS */
	int64_t since;			/* when it was seen first */
};

struct campaigns;

enum rc campaign_open(const char *dir, unsigned entries,
    struct campaigns *before, struct campaigns **c_r, const char **anew_r,
    struct arena *a, struct slice *why_r);
void campaign_drop(struct campaigns *c);
unsigned campaign_entries(const struct campaigns *c);
void campaign_count(struct campaigns *c, const struct sketch *s,
    const struct campaign_by *by, struct campaign_seen *seen_r);
bool campaign_look(struct campaigns *c, const struct sketch *s, int64_t now,
    struct campaign_seen *seen_r);

#endif
