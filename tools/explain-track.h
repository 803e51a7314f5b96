/*
 * explain-track - the story of a message as gatehouse-track knows it
 *
 * Prints the message that is called so, and those that it came from or became,
 * oldest first. *found_r: there is one. 0, or the status that was told.
 */
#ifndef TOOLS_EXPLAIN_TRACK_H
#define TOOLS_EXPLAIN_TRACK_H

#include "store/db.h"

int explain_tracked(struct db *db, struct slice name, bool json,
    bool *found_r, struct arena *a);

#endif
