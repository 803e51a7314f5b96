/*
 * feed - from all sources into track.db, a batch at a time
 *
 * feed_open	the database, the places, the sources. RC_BAD: the database is
 *		damaged, or of another version; RC_RETRY: it is locked, the
 *		disk is full ...
 * feed_work	one batch: what there is, at most FEED_MS and FEED_EVENTS of it,
 *		oldest first over all sources; committed when it returns. True:
 *		there is more. After trouble nothing of the batch counts and the
 *		sources go back; it is tried again
 * feed_broken	the database is damaged: no use to try again
 * feed_reload	other options
 * feed_db	for who else writes (expiry, erasure): between batches only
 *
 * One thread.
 */
#ifndef TRACK_FEED_H
#define TRACK_FEED_H

#include "services/track/options.h"
#include "track/db.h"

enum { FEED_MS = 80, FEED_EVENTS = 20000, FEED_SOURCES = 120 };

struct feed;

enum rc feed_open(struct feed **feed_r, const char *state,
    const struct track_conf *conf, struct arena *a, struct slice *why_r);
bool feed_work(struct feed *f);
bool feed_broken(const struct feed *f);
void feed_reload(struct feed *f, const struct track_conf *conf);
struct db *feed_db(struct feed *f);
/* Drops what the sources hold and reads again from where the database is. */
void feed_again(struct feed *f);
/* Events taken since the start. */
uint64_t feed_taken(const struct feed *f);
void feed_close(struct feed *f);

#endif
