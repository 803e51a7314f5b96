/*
 * dmarc-events - what the journals say about each policy domain
 *
 * Lines of a journal (doc/journal) become reports: one for each policy domain
 * and interval, whose rows are the messages that read the same, counted. One
 * pass; a line that is of no interest costs two searches for a text.
 *
 * dmarc_events_new	for these settings, which must outlive it
 * dmarc_events_line	a visitor for journal_each; always true. Lines outside
 *			[from, to), of outbound mail, without a rua, about
 *			domains not asked for are passed over; what has no
 *			usable domain, address or time is counted in unusable
 * dmarc_events_reports	all reports that have rows, by domain and time;
 *			the array lives in the arena
 * dmarc_events_free	gives back the rows
 *
 * The policy shown is the last one seen (RFC 9990, 3.4). Memory is bounded by
 * max_rows and max_memory: a row more is left out and counted in the report
 * and in left_out; a report more than fits is counted in left_out alone.
 *
 * Nothing that a journal holds is trusted: it comes from mail and DNS.
 */
#ifndef TOOLS_DMARC_EVENTS_H
#define TOOLS_DMARC_EVENTS_H

#include "base/buf.h"
#include "base/map.h"
#include "tools/dmarc-conf.h"

enum {
	DMARC_SIGNATURES = 100,		/* of one row (RFC 9990, 3.1.4) */
	DMARC_TEXT = 255,		/* bytes of one value in a report */
};

struct dmarc_events_conf {
	int64_t from, to, interval;	/* seconds; to is not in it */
	enum dmarc_schema schema;
	size_t max_rows;
	uint64_t max_memory;
	struct conf_list only;		/* domains; none: all */
	const struct conf_list *skip, *own;	/* own NULL: ours as well */
	const struct conf_list *mailboxes;
	struct slice email, sender;	/* mailboxes too */
};

/* policy_published; what was not there is empty. */
enum dmarc_tag { DMARC_TAG_P, DMARC_TAG_SP, DMARC_TAG_NP, DMARC_TAG_ADKIM,
    DMARC_TAG_ASPF, DMARC_TAG_FO, DMARC_TAG_T, DMARC_TAG_PCT,
    DMARC_TAG_DISCOVERY, DMARC_TAG_RUA, DMARC_TAGS };

struct dmarc_report {
	struct slice domain;		/* the policy's: A-labels */
	int64_t begin, end;		/* seconds; end is not in it */
	struct slice tags[DMARC_TAGS];
	struct map *rows;		/* text of the row -> count */
	uint64_t messages;		/* in the rows */
	uint64_t left_out;		/* beyond the limits */

	bool ignored;
	struct buf text;		/* of the tags */
	char stamp[32];			/* when they were seen */
};

struct dmarc_counts {
	uint64_t events;		/* that are in a report */
	uint64_t unusable, left_out;
	uint64_t of_reports;		/* mail to our report mailboxes */
};

struct dmarc_events;

struct dmarc_events *dmarc_events_new(const struct dmarc_events_conf *conf,
    struct arena *a);
bool dmarc_events_line(struct slice line, void *events);
struct dmarc_report **dmarc_events_reports(struct dmarc_events *events,
    size_t *count_r);
struct dmarc_counts dmarc_events_counts(const struct dmarc_events *events);
void dmarc_events_free(struct dmarc_events *events);

/* "2026-11-22", "2026-11-22T03:20:00Z" (a fraction of the second is passed
 * over) or seconds since 1970. */
bool dmarc_time_parse(struct slice text, int64_t *seconds_r);

#endif
