/*
 * fate - did Postfix take the message that a milter saw?
 *
 * A milter never learns whether a message was queued: a later milter, a header
 * check or a lost connection may still undo it (PITFALLS: "no commit signal").
 * Postfix's own log says it, gatehouse-track reads that, and who keeps
 * something of a message asks here.
 *
 * track_fates_open	STATE is the house's state_directory. Opens nothing
 *			yet: a database that is not there, or that cannot be
 *			read now, answers TRACK_FATE_UNKNOWN and is tried again
 *			at the next question
 * track_fate		of the message that had this queue id at that time
 *			(seconds since 1970; when the milter saw it). Short
 *			queue ids come again, so the time decides which one is
 *			meant: the message must have begun at most two hours
 *			before, or two minutes after it
 *
 * track_released
 *		has Postfix taken a message that was released from this object,
 *		for this recipient, since that time? A filter of ours has seen
 *		the mark and said so in its journal; what is only in the mail
 *		does not count. Its queue id in the arena, else SLICE_NONE
 *
 * ACCEPTED	Postfix has answered 250: it was queued, held, or discarded
 *		(all its recipients taken by a milter)
 * REFUSED	Postfix has answered 4xx or 5xx, or the client went away, so
 *		that the message was never queued; the sender still has it
 * UNKNOWN	nothing is known (yet): ask again later, decide nothing
 *
 * ACCEPTED and REFUSED do not change any more. Reads only; one handle belongs
 * to one thread. An answer costs one look into an index.
 */
#ifndef TRACK_FATE_H
#define TRACK_FATE_H

#include <stdint.h>

#include "base/arena.h"

enum track_fate { TRACK_FATE_UNKNOWN = 0, TRACK_FATE_ACCEPTED,
    TRACK_FATE_REFUSED };

struct track_fates;

struct track_fates *track_fates_open(const char *state);
enum track_fate track_fate(struct track_fates *f, struct slice queue_id,
    int64_t time);
struct slice track_released(struct track_fates *f, struct slice object,
    struct slice recipient, int64_t since, struct arena *a);
void track_fates_close(struct track_fates *f);

#endif
