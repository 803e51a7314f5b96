/*
 * directory-diff - what a sync changes, record by record
 *
 * Both directories are read once, side by side, as they are sorted. Of a
 * record that changes, `line` gets the old form and then the new one.
 *
 * directory_diff	old -1: there is none. RC_BAD: one of them is no
 *			directory; then *why_r says which and where
 * directory_shrinks	is more gone than the limits allow, in all or in one
 *			domain? *why_r says what; false: it is not
 */
#ifndef TOOLS_DIRECTORY_DIFF_H
#define TOOLS_DIRECTORY_DIFF_H

#include "base/map.h"
#include "policy/directory.h"
#include "tools/directory-conf.h"

enum { DIFF_KEYS = 100 };

struct directory_diff {
	struct arena *arena;
	/* Each changed record; NULL: only counted. sign '+' or '-'. */
	void (*line)(void *arg, char sign, const struct directory_record *r);
	void *arg;

	size_t before, after;		/* addresses: users and aliases */
	size_t added, removed, changed;	/* of them */
	size_t others;			/* domains and profiles that differ */
	struct slice keys[DIFF_KEYS];	/* the first ones: "+ a@b", '-', '~'.
					   The blank lets forget find them */
	size_t nkeys;
	struct map *domains;		/* how many addresses each has */
	struct slice emptied;		/* a domain that had some, and keeps
					   its record; absent: none */
	size_t emptied_had;
};

enum rc directory_diff(struct directory_diff *d, int old, int new,
    struct arena *a, struct slice *why_r);
bool directory_shrinks(const struct directory_diff *d,
    const struct directory_conf *conf, struct arena *a, struct slice *why_r);

#endif
