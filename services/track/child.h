/*
 * child - journalctl(1), following, as a source of entries
 *
 * child_next	the next entry; false: none at present. Starts the program when
 *		it does not run, at most once a second; from behind `cursor`, or
 *		from `since` (seconds) without one. A cursor that journalctl
 *		does not know any more is given up: what it gives since then is
 *		read
 * child_stop	ends it; the next child_next starts it behind that cursor
 *
 * The entry is valid until the next call. Never waits.
 */
#ifndef TRACK_CHILD_H
#define TRACK_CHILD_H

#include "track/export.h"

struct child;

struct child *child_new(const char *journalctl, int64_t since);
bool child_next(struct child *c, struct export_entry *e);
void child_stop(struct child *c, struct slice cursor);
void child_free(struct child *c);

#endif
