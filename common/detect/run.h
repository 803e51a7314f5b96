/*
 * run - letters and digits in groups, as people write long numbers
 *
 * run_read	from `at`, where a group begins: at most max characters, up to
 *		RUN_MAX, without what stands between them, in capitals; what
 *		stood there, and the lengths of the groups
 * run_groups	how many groups the first n characters are; 0: no group ends
 *		there. Their lengths are the first of run->groups
 * run_same	all these groups are separated by the same sign, line ends aside
 * run_gap	that sign may stand between two groups
 * run_near	one of the words stands near [at, end) of the text; it begins
 *		where a word begins, and a short one ends where one ends
 *
 * Pure; thread-safe.
 */
#ifndef DETECT_RUN_H
#define DETECT_RUN_H

#include "base/slice.h"

enum { RUN_MAX = 40 };

/* What stands behind a character. */
enum gap { GAP_NONE = 0, GAP_SPACE, GAP_DASH, GAP_DOT, GAP_SLASH, GAP_LINE,
    GAP_END };

struct run {
	char c[RUN_MAX];
	size_t end[RUN_MAX];		/* in the text, behind the character */
	unsigned char gap[RUN_MAX];	/* enum gap */
	unsigned char groups[RUN_MAX];	/* lengths */
	unsigned char count[RUN_MAX];	/* of groups that end behind it, or 0 */
	bool same[RUN_MAX];
	size_t n, digits;		/* all; how many it begins with */
};

void run_read(struct slice text, size_t at, size_t max, struct run *run_r);

static inline size_t
run_groups(const struct run *run, size_t n)
{
	return n > 0 && n <= run->n ? run->count[n - 1] : 0;
}

static inline bool
run_same(const struct run *run, size_t n)
{
	return run->same[n - 1];
}
bool run_gap(char c);
bool run_near(struct slice text, size_t at, size_t end,
    const char *const *words);

#endif
