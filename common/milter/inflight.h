/*
 * inflight - which messages were being read when a process died, or too long
 *
 * Before anything of a message is parsed, its content hash stands in a small
 * table in a mapped file; afterwards it is taken out. What a dead process
 * left in the table is counted against that hash at the next start. After
 * INFLIGHT_POISON crashes the message is poison: it is not parsed again, the
 * plan is quarantine, and the log says error.
 *
 * A message that was in the table when another one crashed is blamed too, once
 * a crash however many sessions brought it; it is cleared as soon as it gets through, and blame is forgotten after a day.
 * A suspect (blamed, not yet poison) is read with no other suspect beside it.
 *
 * inflight_open	the file is locked: a second process gets RC_BAD.
 *			RC_RETRY when it cannot be made
 * inflight_enter	INFLIGHT_CLEAN, _SUSPECT (inflight_leave gives the turn
 *			back), _POISON, or _BUSY: a suspect did not get its turn
 *			by the deadline, or the table is full
 * inflight_leave	the message got through, and all blame is forgotten; or it
 *			overran its deadline: one strike more, as for a crash
 * inflight_decided	what comes now may be slow without being its fault (a
 *			disk): it is overdue no more
 * inflight_overdue	how many are being read longer than `grace` ms past their
 *			deadline; *name_r is one of them (may be NULL)
 * inflight_forgive	at a stop that was asked for: who is still being read
 *			and is not over its deadline is not to blame
 * inflight_blamed	hashes that are blamed now; not locked, for the log
 *			at start
 *
 * Thread-safe. A NULL table knows nobody and is always clean.
 */
#ifndef MILTER_INFLIGHT_H
#define MILTER_INFLIGHT_H

#include "base/arena.h"
#include "base/clock.h"
#include "base/rc.h"

enum { INFLIGHT_POISON = 3, INFLIGHT_HASH = 32, INFLIGHT_SLOTS = 4096,
    INFLIGHT_NAME = 32 };

enum inflight_state { INFLIGHT_CLEAN, INFLIGHT_SUSPECT, INFLIGHT_IS_POISON,
    INFLIGHT_BUSY };

struct inflight;

enum rc inflight_open(const char *path, struct inflight **table_r,
    struct arena *a, struct slice *why_r);
enum inflight_state inflight_enter(struct inflight *t,
    const unsigned char hash[INFLIGHT_HASH], struct slice name,
    deadline_t until, int *slot_r);
void inflight_leave(struct inflight *t,
    const unsigned char hash[INFLIGHT_HASH], enum inflight_state state,
    int slot, bool overran);
void inflight_decided(struct inflight *t, int slot);
unsigned inflight_overdue(struct inflight *t, int64_t grace,
    char name_r[INFLIGHT_NAME]);
void inflight_forgive(struct inflight *t);
unsigned inflight_blamed(const struct inflight *t);
void inflight_close(struct inflight *t);

#endif
