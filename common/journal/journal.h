/*
 * journal - append-only event log, one JSON line an event
 *
 * Field names are those of the Elastic Common Schema where it has one
 * (event.action, email.message_id, source.ip ...), else "gatehouse.*". A line
 * is written with one write(2) to a file opened O_APPEND, so several
 * processes may share it and a killed one tears at most its last line; the
 * next open closes a torn line, and readers pass over what does not parse.
 * Written lines survive a crash of the process. Mail never waits for it: a
 * write that fails is counted, said once a minute, and mail goes on; the next
 * one that gets through is followed by an event "journal-lost" with how many.
 *
 * journal_open		dir must exist; files are NAME.json and, rotated,
 *			NAME.json.1 .. NAME.json.KEEP (at most JOURNAL_KEEP).
 *			NULL with *why_r. limits->size: a file that would be
 *			larger is closed, 0: none is; keep: closed files kept;
 *			age: no event is kept for so many seconds (age.h has
 *			how), 0: no limit
 * journal_tick		call it now and then, for a journal that nothing is
 *			written to: looks every ten minutes for what is too old
 * journal_write	one event; adds the newline. RC_RETRY when it could not;
 *			RC_BAD for one that is empty, has a newline in it or is
 *			over JOURNAL_LINE. Both count as lost
 * journal_lost		events that could not be written so far
 * journal_each		calls visit with each whole line, rotated files first;
 *			visit returns false to stop. Torn lines are counted in
 *			*torn_r. A line is whole when it is one JSON object.
 *			No file at all is an empty journal; RC_RETRY, with
 *			*why_r, when a file could not be read
 *
 * Files have mode 0640, so that members of the daemon's group can read them.
 * A file that was moved or removed under us is begun anew by the next write.
 * Rotation is done by whoever finds the file full, under flock(2); nobody
 * waits for that lock, so a stopped process delays rotation, not mail. Files
 * may outgrow their size by a few lines for the same reason. Lines reach the
 * kernel, not the disk: after a power cut the last seconds may be gone.
 *
 * journal_write, journal_tick and journal_lost may be called from any thread.
 * The process ignores SIGXFSZ, or a file size limit ends it.
 */
#ifndef JOURNAL_JOURNAL_H
#define JOURNAL_JOURNAL_H

#include "base/arena.h"
#include "base/rc.h"

enum {
	JOURNAL_KEEP = 100,
	JOURNAL_LINE = 1 << 20,
};

struct journal;

struct journal_limits {
	uint64_t size;			/* bytes of a file */
	unsigned keep;
	int64_t age;			/* s */
};

struct journal *journal_open(const char *dir, const char *name,
    const struct journal_limits *limits, struct arena *a,
    struct slice *why_r);
void journal_tick(struct journal *j);
enum rc journal_write(struct journal *j, struct slice json);
uint64_t journal_lost(const struct journal *j);
void journal_close(struct journal *j);

enum rc journal_each(const char *dir, const char *name, struct arena *a,
    bool (*visit)(struct slice line, void *arg), void *arg, size_t *torn_r,
    struct slice *why_r);

#endif
