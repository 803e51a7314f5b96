/*
 * match - is a text what a rule names?
 *
 * A match is a list of patterns; a text matches when it fits any of them.
 * Letter case does not count for ASCII letters, and for regular expressions not
 * for any letter, unless case_sensitive says so.
 *
 *	exact, prefix, suffix, contains		bytes
 *	wildcard	the whole text; * is any run of bytes, ? one of them
 *	domain		"example.org": that domain; ".example.org": all below.
 *			The text is the domain of an address, as domain_ascii()
 *			gives it
 *	regex		PCRE2, anywhere in the text
 *
 * Patterns come from an administrator, texts from anybody. So each regular
 * expression runs under limits of steps, depth and memory, and all work on one
 * message is counted: what is over a limit is TRUTH_UNDECIDED, which is neither
 * yes nor no and is never taken for either.
 *
 * match_add	one more pattern. RC_BAD with *why_r, a sentence that begins
 *		with what is wrong
 * match_ready	call it when all are there
 * match_text	the domain of an address, SLICE_NONE when there is none, for
 *		patterns of kind domain; the text for all others
 * pattern_literal	letters in lower case that stand in every text that fits
 *		the pattern, as a run; empty when there is no such thing
 *
 * matcher_init	what one message's matching needs; w lives in that arena and is
 *		freed with it. deadline
 *		0: none
 *
 * A match is read-only when it is ready: any thread. A matcher is one thread's.
 */
#ifndef PREDELIVERY_MATCH_H
#define PREDELIVERY_MATCH_H

#include "base/arena.h"
#include "base/clock.h"
#include "base/map.h"
#include "base/rc.h"

enum {
	MATCH_PATTERN = 4096,		/* bytes of a pattern */
	MATCH_STEPS = 100000,		/* of one regular expression */
	MATCH_DEPTH = 1000,		/* of backtracking */
	MATCH_HEAP = 1024,		/* kB for it */
	MATCH_HITS = 20,		/* limits hit in one message; then no
					   regular expression runs any more */
	MATCH_WORK = 20 * 1000 * 1000,	/* bytes compared by wildcards */
};

enum truth { TRUTH_NO = 0, TRUTH_YES, TRUTH_UNDECIDED };

enum pattern_kind { PATTERN_EXACT = 0, PATTERN_PREFIX, PATTERN_SUFFIX,
    PATTERN_CONTAINS, PATTERN_WILDCARD, PATTERN_DOMAIN, PATTERN_REGEX,
    PATTERN_KINDS };

struct pattern {
	enum pattern_kind kind;
	struct slice text;
	void *code;			/* pcre2_code of a regex */
};

struct match {
	struct pattern *patterns;
	size_t n, cap;
	bool case_sensitive;
	struct map *exact;		/* many exact ones and domains; or
					   NULL */
};

struct matcher {
	struct arena *arena;
	void *context, *data;		/* of PCRE2; made when needed */
	unsigned hits;
	uint64_t work;
	deadline_t deadline;
	bool late;			/* it has passed */
};

extern const char *const pattern_names[];	/* NULL at the end */

enum rc match_add(struct match *m, struct arena *a, enum pattern_kind kind,
    struct slice text, struct slice *why_r);
void match_ready(struct match *m, struct arena *a);
enum truth match_text(const struct match *m, struct slice text,
    struct slice domain, struct matcher *w);
struct slice pattern_literal(const struct match *m, const struct pattern *p,
    struct arena *a);

void matcher_init(struct matcher *w, struct arena *a, deadline_t deadline);

/* Of several: yes when one is, else undecided when one is. */
static inline enum truth
truth_or(enum truth a, enum truth b)
{
	if (a == TRUTH_YES || b == TRUTH_YES)
		return TRUTH_YES;
	return a == TRUTH_UNDECIDED ? a : b;
}

#endif
