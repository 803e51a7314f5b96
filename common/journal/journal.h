/*
 * journal - append-only event log, one JSON line an event
 *
 * Field names are those of the Elastic Common Schema where it has one
 * (event.action, email.message_id, source.ip ...), else "gatehouse.*". A line
 * is written with one write(2) to a file opened O_APPEND, so several
 * processes may share it and a killed one tears at most its last line; the
 * next open closes a torn line, and readers pass over what does not parse.
 * Written lines survive a crash of the process. Mail never waits for it: a
 * write that fails is counted, said once a minute, and mail goes on.
 *
 * journal_open		dir must exist; files are NAME.json and, rotated,
 *			NAME.json.1 .. NAME.json.KEEP. NULL with *why_r
 * journal_write	one event; adds the newline. RC_RETRY when it could not
 * journal_lost		events that could not be written so far
 * journal_each		calls visit with each whole line, rotated files first;
 *			visit returns false to stop. Torn lines are counted in
 *			*torn_r
 */
#ifndef JOURNAL_JOURNAL_H
#define JOURNAL_JOURNAL_H

#include "base/arena.h"
#include "base/rc.h"

struct journal;

struct journal *journal_open(const char *dir, const char *name,
    uint64_t rotate_bytes, unsigned keep, struct arena *a,
    struct slice *why_r);
enum rc journal_write(struct journal *j, struct slice json);
uint64_t journal_lost(const struct journal *j);
void journal_close(struct journal *j);

enum rc journal_each(const char *dir, const char *name, struct arena *a,
    bool (*visit)(struct slice line, void *arg), void *arg, size_t *torn_r,
    struct slice *why_r);

#endif
