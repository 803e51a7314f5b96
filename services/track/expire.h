/*
 * expire - what is too old goes, a little at a time
 *
 * expire_step	deletes some of what is older than keep (ms), between batches;
 *		true: there is more to delete now. RC as in db
 *
 * A clock that jumps must not empty the database: when the wall clock and the
 * monotonic one disagree by more than an hour nothing is deleted for a day, or
 * until they agree again, and it is said. Whatever the clock says, no more
 * than one day of messages goes in an hour.
 */
#ifndef TRACK_EXPIRE_H
#define TRACK_EXPIRE_H

#include "track/db.h"

struct expire {
	bool begun;
	int64_t offset;			/* wall - monotonic, s */
	int64_t paused;			/* monotonic ms; 0: not */
	int64_t day, day_since;		/* that is being deleted, and since */
};

enum rc expire_step(struct expire *e, struct db *db, int64_t keep,
    bool *more_r);

#endif
