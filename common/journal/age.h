/*
 * age - how long the files of a journal stay; used by journal.c
 *
 * No event is to be kept for longer than `limit`: a closed file goes when its
 * first event is older than that. So that this is not much sooner for its last
 * one, a file is closed when it spans a `span` (an eighth of the limit, or more
 * where few files are kept).
 *
 * A clock that is wrong must not empty a journal:
 *  1. At most one file is removed a day, and one closed.
 *  2. None at all for a day after the clock has jumped (by over an hour,
 *     against the one that only goes forward), has gone back, or is more than
 *     a week after the last look.
 *  3. A file goes only when its last change is old as well.
 * When the last look was, and the last removal, stands in NAME.json.age; where
 * that cannot be written nothing is removed.
 *
 * age_init	limit in seconds; 0: no limit. keep: closed files kept
 * age_look	the caller holds the lock of the file `name` in dir, which is
 *		open as fd. Removes one closed file if one is due; true: this
 *		one is to be closed
 */
#ifndef JOURNAL_AGE_H
#define JOURNAL_AGE_H

#include <stdbool.h>
#include <stdint.h>

struct age {
	int64_t limit, span;		/* s */
	int64_t wall, mono;		/* s, at the last look; 0: none yet */
};

void age_init(struct age *age, int64_t limit, unsigned keep);
bool age_look(struct age *age, int dir, const char *name, int fd);

#endif
