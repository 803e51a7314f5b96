/*
 * dmarc-sent - which report went to whom: none goes twice
 *
 * A file of lines, "+domain begin end address", in DIR. A line is on disk
 * before the mail is handed over: who is killed in between has lost that one
 * mail, and never sends it twice. A mail that was surely not handed over takes
 * its line back with another one, "-...". What was cut off by a crash was not
 * handed over either: such a line is dropped.
 *
 * sent_open	reads it, drops what is older than SENT_DAYS and writes the rest
 *		anew (fsync, rename, fsync of DIR). DIR is made when it is not
 *		there. RC_RETRY, with *why_r, when another run is at it or the
 *		disk says no
 * sent_look	the same, to read only: no lock, nothing changes
 * sent_has	is this one there?
 * sent_mark	writes the line; RC_OK only when it is on disk
 * sent_unmark	takes it back
 * sent_close	NULL is allowed
 */
#ifndef TOOLS_DMARC_SENT_H
#define TOOLS_DMARC_SENT_H

#include "base/arena.h"
#include "base/rc.h"

enum { SENT_DAYS = 90 };

struct sent;

enum rc sent_open(const char *dir, int64_t now, struct arena *a,
    struct sent **sent_r, struct slice *why_r);
enum rc sent_look(const char *dir, struct arena *a, struct sent **sent_r,
    struct slice *why_r);

/* What is kept of one mail; in the arena. */
struct slice sent_key(struct arena *a, struct slice domain, int64_t begin,
    int64_t end, struct slice address);
bool sent_has(const struct sent *sent, struct slice key);
enum rc sent_mark(struct sent *sent, struct slice key, struct slice *why_r);
enum rc sent_unmark(struct sent *sent, struct slice key,
    struct slice *why_r);
void sent_close(struct sent *sent);

#endif
