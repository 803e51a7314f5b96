/*
 * source - something that is read: a log file, journald, a milter's journal
 *
 * source_log	a file of Postfix's lines (track/follow.h)
 * source_journal
 *		the journal of a daemon: DIR/journal.json
 * source_journald
 *		journalctl(1) as a child, which follows
 * source_at	begins where the database says that it was read to; empty: at
 *		its beginning. What was looked at and not taken is forgotten
 * source_peek	is there something, and of when? False: not now. Lines that say
 *		nothing of a message are passed over here; when many follow each
 *		other it says false in between, so that a batch ends in time
 * source_take	gives what source_peek found to the book
 * source_place	how far it was taken; valid until the next call
 *
 * What cannot be read is logged, once a minute each.
 */
#ifndef TRACK_SOURCE_H
#define TRACK_SOURCE_H

#include "services/track/options.h"
#include "track/book.h"

struct source;

struct source *source_log(const char *path, const struct postfix_names *names,
    int64_t since);
struct source *source_journal(const char *dir, const char *name,
    int64_t since);
struct source *source_journald(const char *journalctl,
    const struct postfix_names *names, int64_t since);
void source_free(struct source *s);

const char *source_name(const struct source *s);
void source_at(struct source *s, struct slice place);
bool source_peek(struct source *s, int64_t now, int64_t *ms_r);
void source_take(struct source *s, struct track_book *b);
const char *source_place(struct source *s);
/* It said in the last peek that it has more, though not yet this. */
bool source_busy(const struct source *s);

#endif
