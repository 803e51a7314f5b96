/*
 * emit - events for the SIEM, into the outbox of track.db
 *
 * An event goes into the outbox in the transaction of what it tells of, so it
 * is there once; sinks (services/track/sink.h) read it from there and say how
 * far they are, which is written with the next batch. What all have is
 * deleted. After a kill a sink sends again what it had not yet reported, under
 * the same event.id.
 *
 * emit_wanted	is any sink configured?
 * emit_one	for book_new
 * emit_bound	within each batch: takes over how far the sinks are, deletes
 *		what all have, and the oldest when the spool is over its size
 * emit_pending	has a sink moved since the last batch?
 * emit_done	after the commit: the sinks may look
 * emit_text	the event as it is sent (for tests too); in the arena
 */
#ifndef TRACK_EMIT_H
#define TRACK_EMIT_H

#include "services/track/options.h"
#include "services/track/sink.h"
#include "track/book.h"

struct emit {
	struct db *db;
	const struct track_conf *conf;
	struct arena *arena;
	struct sinks *sinks;		/* NULL: none run */
	bool known;			/* bytes counts what is in the file */
	uint64_t bytes;			/* of the outbox, this batch too */
	bool grew;
	int64_t saved[SINKS], deleted;	/* as in the file */
};

void emit_init(struct emit *e, struct db *db, const struct track_conf *conf);
void emit_free(struct emit *e);
bool emit_wanted(const struct track_conf *conf);
enum rc emit_one(void *emit, const struct track_emit *what);
enum rc emit_bound(struct emit *e);
bool emit_pending(const struct emit *e);
void emit_done(struct emit *e);
/* The batch failed: nothing of it counts. */
void emit_undo(struct emit *e);

unsigned emit_classes(const struct track_emit *what);
struct slice emit_text(struct arena *a, enum siem_format format,
    const struct track_emit *what, unsigned classes);

#endif
