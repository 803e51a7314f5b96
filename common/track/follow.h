/*
 * follow - the lines of a log file that is rotated now and then
 *
 * Reads NAME in DIR and what it was called before: "mail.log.1",
 * "mail.log-20261126", "mail.log.2.gz", "journal.json.3" - NAME, then dots or
 * hyphens and digits, then perhaps ".gz". A place names a file by device and
 * inode, and by a hash of its first bytes, so it is found again when the file
 * was renamed, compressed, or copied and truncated.
 *
 * follow_new	nothing is opened yet. Without a place it begins with the
 *		oldest file that was changed at `since` (seconds) or later
 * follow_from	begins at a place that follow_place gave in an earlier life;
 *		false when it is no such text. When that file is gone, what
 *		came after it is read and follow_lost counts one
 * follow_next	the next line, without its end; valid until the next call.
 *		FOLLOW_END: no more at present, ask again later. FOLLOW_TROUBLE:
 *		follow_why says what; ask again later too
 * follow_place	the place behind the last line given, as text; FOLLOW_PLACE
 *		bytes are enough
 * follow_before
 *		the place before that line: who has looked at it and not used it
 * follow_lost	times that lines may have been missed (file gone or truncated
 *		before it was read)
 * follow_long	lines longer than max_line, passed over
 *
 * A line counts when its newline is there. A file that was moved away is read
 * to its end, and the new one begun when there is something in it: who writes
 * it has moved then. One that gets shorter is begun anew.
 *
 * Never waits; one thread. The caller polls: a few system calls each time.
 */
#ifndef TRACK_FOLLOW_H
#define TRACK_FOLLOW_H

#include "base/arena.h"

enum { FOLLOW_PLACE = 160 };
enum follow_got { FOLLOW_LINE, FOLLOW_END, FOLLOW_TROUBLE };

struct follow;

struct follow *follow_new(const char *dir, const char *name, size_t max_line,
    int64_t since);
bool follow_from(struct follow *f, struct slice place);
enum follow_got follow_next(struct follow *f, struct slice *line_r);
void follow_place(const struct follow *f, char place[FOLLOW_PLACE]);
void follow_before(const struct follow *f, char place[FOLLOW_PLACE]);
const char *follow_why(const struct follow *f);
uint64_t follow_lost(const struct follow *f);
uint64_t follow_long(const struct follow *f);
void follow_free(struct follow *f);

#endif
