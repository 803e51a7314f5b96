/*
 * near - "did you mean"
 *
 *	struct near near = near_to(word);
 *	for each candidate: near_try(&near, candidate);
 *	near.best is the nearest one, or NULL when none is near enough
 *
 * Near enough: one slip of the finger (a letter too many, too few, wrong, or
 * two swapped) for each three letters of the word, and at least one.
 */
#ifndef CONF_NEAR_H
#define CONF_NEAR_H

#include "base/slice.h"

struct near {
	struct slice word;
	const char *best;
	size_t distance;
};

struct near near_to(struct slice word);
void near_try(struct near *near, const char *candidate);

#endif
