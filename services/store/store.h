/*
 * store - what the parts of gatehouse-store share
 *
 * The loop's thread adopts, sweeps and accepts; a thread for each connection to
 * the control socket answers; one thread, with a few helpers, does releases
 * that are due. All changes go through the vault (vault.h), one at a time.
 *
 * store_change	moves a row and says so in log and journal. *moved_r false: the
 *		row is not (any more) in state `row->state`
 * store_drop_body
 *		removes the message of an object that no row needs
 * store_delete	deletes a held row, and its message where no row needs it
 * store_tell	the log line and the journal's event of a move
 * release_row	gives one held message back to Postfix, for one recipient, and
 *		waits for the answer. `again`: a releasing row that is due;
 *		`dangerous`: whatever its cause, by an administrator who said so
 * release_due	those that are due for another try; a thread of its own calls it
 * sweep_*	see sweep.c's head
 * waiting_*	see waiting.h
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "daemon/service.h"
#include "journal/journal.h"
#include "services/store/options.h"
#include "services/store/vault.h"

/* What may run out. */
enum sweep_room { SWEEP_QUOTA, SWEEP_DISK, SWEEP_INODES, SWEEP_ROOMS };

struct sweep_state {
	int64_t wall, mono;		/* of the last look at the clocks */
	deadline_t guarded;		/* nothing expires before */
	deadline_t warned[SWEEP_ROOMS];	/* no warning of it before */
	bool closed;			/* incoming/ takes nothing more */
	uint64_t used, limit;		/* bytes, as last looked at */
};

struct store_files;
struct store_notices;
struct track_fates;

struct store {
	struct service_run *run;
	struct vault vault;
	struct journal *journal;
	struct store_notices *notices;	/* notices.h */
	struct store_files *files;	/* files.h */
	struct sweep_state sweep;
	deadline_t look;		/* of the retries' thread: when the next
					   mail that waits may be due */
	_Atomic bool woken;		/* ... or at once */
	bool arrived;			/* the loop's: some came in */
	struct track_fates *fates;	/* inside the vault; NULL: not yet */
	int inotify, listener;
	unsigned scan;			/* timer of adopt */
	pthread_t retries;
	pthread_mutex_t lock;		/* of what follows */
	pthread_cond_t wake;
	bool stopping;
	unsigned connections;
};

enum rc store_change(struct store *s, const struct store_row *row,
    enum store_state to, const struct store_change *change, struct arena *a,
    bool *moved_r, struct slice *why_r);
enum rc store_drop_body(struct store *s, struct slice id, struct arena *a,
    struct slice *why_r);
enum rc store_delete(struct store *s, const struct store_row *row,
    struct slice actor, struct slice reply, struct arena *a, bool *moved_r,
    struct slice *why_r);
void store_tell(struct store *s, const struct store_row *row,
    enum store_state to, const struct store_change *change);
int64_t store_records(struct store *s);

/* --- release.c ----------------------------------------------------------- */

enum release_answer {
	RELEASE_TAKEN,			/* 2xx */
	RELEASE_WAITS,			/* 4xx: tried again later */
	RELEASE_REFUSED,		/* 5xx: held as before */
	RELEASE_BUSY,			/* somebody else is at it */
	RELEASE_OVER,			/* it is not held: see the state */
	RELEASE_FORBIDDEN,		/* an administrator might */
	RELEASE_UNKNOWN,		/* no such row */
	RELEASE_TROUBLE,		/* ours: *reply_r says what */
};

enum release_answer release_row(struct store *s, struct slice id,
    struct slice recipient, struct slice actor, bool dangerous, bool again,
    struct arena *a, struct slice *reply_r);
/* What a run that was killed had under way is due at once. */
enum rc release_recover(struct store *s, struct slice *why_r);
void release_due(struct store *s);
int64_t release_pause(int64_t first, unsigned tries);

/* --- sweep.c ------------------------------------------------------------- */

struct sweep_due {
	store_visit *visit;		/* of what would expire; may be NULL */
	void *arg;
	struct arena *arena;		/* rows live in it; NULL: until the end
					   of the run */
	bool dry;
};

void sweep_clock(struct store *s);
enum rc sweep_expire(struct store *s, const struct sweep_due *due,
    uint64_t *expired_r, struct slice *why_r);
void sweep_quota(struct store *s);
void sweep_refused(struct store *s);

/* --- control.c, ops.c ---------------------------------------------------- */

enum rc control_open(struct store *s, struct slice *why_r);
void control_close(struct store *s);

extern const struct service store_service;

#endif
