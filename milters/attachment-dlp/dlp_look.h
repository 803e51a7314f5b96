/*
 * dlp_look - what the rules find in the texts of a message
 *
 * dlp_look	every rule is looked at, whoever it is for. Values are counted
 *		once, however often they stand there; what is in a rule's
 *		`except` or without its context is none. Hits are told masked:
 *		a whole number is in no result
 *
 * Bounds: VALUES of a rule are counted, HITS of it are told; in a text that is
 * full of words all may count as near. A regular expression over its limits
 * makes the rule `undecided`, which is neither.
 *
 * Pure but for the clock (`until`; then `late`). Lives in the arena.
 */
#ifndef ATTACHMENT_DLP_LOOK_H
#define ATTACHMENT_DLP_LOOK_H

#include "base/clock.h"
#include "dlp_rules.h"
#include "dlp_texts.h"

enum { DLP_VALUES = 100000, DLP_HITS = 1000 };

struct dlp_hit {
	struct dlp_hit *next;
	const char *name;		/* "visa", "iban", "word", "regex" */
	struct slice masked;
	struct slice where;		/* the text that it stands in */
};

struct dlp_result {
	const struct dlp_rule *rule;
	unsigned values;		/* distinct ones */
	bool matched, undecided;
	struct dlp_hit *hits, **last;	/* the first that were found */
	unsigned nhits;			/* of all */
};

struct dlp_found {
	struct dlp_result *of;		/* by rule */
	unsigned n;
	bool late;
};

void dlp_look(const struct dlp_rules *rules, const struct dlp_texts *texts,
    struct arena *a, deadline_t until, struct dlp_found *found_r);
/* "3 values (visa ************1111, ...)", for log and journal: masked. */
struct slice dlp_told(struct arena *a, const struct dlp_result *r);

#endif
