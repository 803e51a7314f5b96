/*
 * regex - where regular expressions of an administrator stand in a text
 *
 * regex_compile	PCRE2, letter case does not count, UTF-8 (where a text is
 *		ill-formed nothing matches). RC_BAD with *why_r, a
 *		sentence that begins with what is wrong. Given back with the
 *		arena
 * regex_scan_new	one message's matching, in its arena
 * regex_next	the next hit that begins at *at or behind it; *at moves behind
 *		it. REGEX_LIMIT: it could not be decided within the limits of
 *		steps, depth and memory, or too much was spent on this message
 *
 * Texts come from anybody: what is over a limit is neither a hit nor none, and
 * the caller has to say so. A regex is read-only: any thread. A scan is one
 * thread's.
 */
#ifndef DETECT_REGEX_H
#define DETECT_REGEX_H

#include "base/arena.h"
#include "base/rc.h"

enum {
	REGEX_PATTERN = 4096,		/* bytes of a pattern */
	REGEX_STEPS = 1000000,		/* of one call */
	REGEX_DEPTH = 1000,		/* of backtracking */
	REGEX_HEAP = 1024,		/* kB for it */
	REGEX_HITS = 20,		/* limits hit in one message; then none
					   runs any more */
};

enum regex_found { REGEX_NONE = 0, REGEX_HIT, REGEX_LIMIT };

struct regex;

struct regex_scan {
	void *context, *data;		/* of PCRE2; made when needed */
	unsigned limits;		/* how often one was hit */
};

enum rc regex_compile(struct arena *a, struct slice pattern,
    struct regex **regex_r, struct slice *why_r);
struct regex_scan *regex_scan_new(struct arena *a);
enum regex_found regex_next(const struct regex *r, struct regex_scan *s,
    struct slice text, size_t *at, struct slice *hit_r);

#endif
