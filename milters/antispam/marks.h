/*
 * marks - texts of which somebody has said what they are
 *
 * One file of records of one size, each a sketch (sketch.h), what it is and
 * when that was said; hashes, no text. When MARKS_MAX are there a new one takes
 * the place of the oldest one. Of two records about one text the later one
 * counts. A record that is torn or damaged counts for nothing.
 *
 * marks_add	one more, synced; for commands, beside the daemon. RC_RETRY with
 *		*why_r: disk, lock
 * marks_watch	for a daemon: the file of that path, read now, and again when
 *		it has changed, by the next marks_find after MARKS_LOOK ms. It
 *		may not be there yet
 * marks_find	what was said of that text in the last MARKS_AGE; *given_r
 *		(may be NULL): when. MARK_NONE where nothing was, or was taken
 *		back. Any thread. What cannot be read is as it was before
 */
#ifndef ANTISPAM_MARKS_H
#define ANTISPAM_MARKS_H

#include "base/arena.h"
#include "base/rc.h"
#include "sketch.h"

enum { MARKS_MAX = 20000, MARKS_AGE = 90 * 86400, MARKS_LOOK = 2000 };

enum mark_label { MARK_NONE = 0, MARK_SPAM, MARK_HAM, MARK_LABELS };

struct marks;

enum rc marks_add(const char *path, const struct sketch *s,
    enum mark_label label, int64_t now, struct arena *a, struct slice *why_r);
struct marks *marks_watch(const char *path);
void marks_drop(struct marks *m);
enum mark_label marks_find(struct marks *m, const struct sketch *s,
    int64_t now, int64_t *given_r);

#endif
