/*
 * run - letters and digits in groups, as people write long numbers
 *
 * run_read	from `at`, where a group begins: characters without what stands
 *		between them, in capitals, and what stood there
 * run_groups	the lengths of the groups that the first n characters are;
 *		0: no group ends there. *same_r: all is separated by the same
 *		sign, line ends aside
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
	size_t n;
};

void run_read(struct slice text, size_t at, struct run *run_r);
size_t run_groups(const struct run *run, size_t n,
    unsigned char groups_r[RUN_MAX], bool *same_r);
bool run_near(struct slice text, size_t at, size_t end,
    const char *const *words);

#endif
