/*
 * engine - something that can tell whether bytes are a virus
 *
 * Engines differ in all but this: they get the bytes of one item, with a
 * deadline, and say how it ended. Any number works side by side.
 *
 * engine_scan	one item; any thread, any number at once. Waits, but not
 *		beyond the deadline. Text of the answer is in the arena. Items
 *		above the engine's limit are cut without asking it: several
 *		engines say OK to what they are too large for
 * engine_status	what it is now, for the ledger and for people
 * engine_test	the EICAR file through it. An engine that does not find it is
 *		down until it does, which is logged once, as is its return
 * engine_watch	a thread that keeps the status, tests every `every` ms (0:
 *		never), and tests what is down more often
 * engine_health	figures, for people
 * engine_close	when nobody scans any more
 *
 * "Clean" is said only by an engine that has seen all of the item. One that
 * stopped at a limit of its own, could not open it, crashed or did not answer
 * says so, and that is never clean.
 *
 * An engine that twice let us wait for no answer is not asked any more until a
 * test of it succeeds: one that hangs would take each message's whole time.
 */
#ifndef ANTIVIRUS_ENGINE_H
#define ANTIVIRUS_ENGINE_H

#include <pthread.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/rc.h"

enum scan_end {
	SCAN_DOWN = 0,			/* no answer: the engine's trouble */
	SCAN_CLEAN,
	SCAN_INFECTED,			/* text: the name */
	SCAN_CUT,			/* stopped at a limit; text: which */
	SCAN_LOCKED,			/* encrypted; text: what */
	SCAN_REFUSED,			/* cannot read it; text: why */
	SCAN_CRASHED,			/* the item ended it */
	SCAN_TIMEOUT,			/* the item took it too long */
	SCAN_ENDS
};

struct scan {
	enum scan_end end;
	struct slice text;
	int64_t us;
};

struct scan_item {
	struct slice bytes;
	int fd;				/* a sealed memory file of them */
	bool mail;			/* a whole message */
	bool skim;			/* its bytes as they stand: what its
					   parts hold was seen before. Only for
					   kinds that skim */
};

struct engine_status {
	bool up;
	struct slice version;		/* "clamav 1.4.6" */
	uint64_t signatures;		/* 0: it does not say */
	int64_t newest;			/* when they were made; 0: unknown */
	uint64_t generation;		/* changes with the signatures: what was
					   clean for an old one is not known to
					   be for a new one */
};

/* A generation whose verdicts are not kept. */
#define ENGINE_NO_CACHE	UINT64_MAX

struct engine;

struct engine_kind {
	void (*scan)(struct engine *e, const struct scan_item *item,
	    deadline_t until, struct arena *a, struct scan *scan_r);
	void (*status)(struct engine *e, struct arena *a,
	    struct engine_status *status_r);
	/* Asks who and how it is. NULL: status knows at any time. Else the
	 * watch calls it, and status is not called. False with *why_r */
	bool (*look)(struct engine *e, deadline_t until, struct arena *a,
	    struct engine_status *status_r, struct slice *why_r);
	void (*close)(struct engine *e);
	bool reads_mail;		/* it can be given a whole message */
	bool skims;			/* and told to leave its parts alone */
};

enum { ENGINE_TEXT = 200, ENGINE_BLAMES = 16 };

/* An item on which an engine hung up (remote.h). */
struct engine_blame {
	unsigned char hash[32];
	size_t len;
	unsigned strikes;		/* 0: free */
};

struct engine_health {
	bool down;			/* by its tests, or by its silence */
	char why[ENGINE_TEXT];		/* it is down, or failed last */
	int64_t tested;			/* clock_wall of the last test, or 0 */
	bool passed;			/* it */
	uint64_t ends[SCAN_ENDS];	/* of scans */
	uint64_t us;			/* of all of them */
};

/* The beginning of each kind's own struct. */
struct engine {
	const struct engine_kind *kind;
	char name[ENGINE_TEXT];		/* as configured: "clamav" */
	uint64_t limit;			/* bytes of an item; 0: none */
	int64_t keep;			/* ms that its verdicts are kept for
					   sure when it cannot tell how new
					   its signatures are; 0: not at all */

	pthread_mutex_t lock;		/* of what follows */
	pthread_cond_t wake;
	struct engine_health health;
	unsigned silent;		/* answers in a row that did not come */
	struct engine_blame blames[ENGINE_BLAMES];
	size_t blamed;			/* ever */
	struct engine_status status;	/* as it was last looked at */
	char version[ENGINE_TEXT];	/* status.version */
	int64_t every;			/* ms between tests */
	int64_t next;			/* clock_mono of the next one */
	bool watched, stopping;
	pthread_t thread;
};

const char *scan_end_name(enum scan_end end);
/* For kinds: what all engines have. */
void engine_init(struct engine *e, const struct engine_kind *kind,
    struct slice name);
void engine_fini(struct engine *e);

void engine_scan(struct engine *e, const struct scan_item *item,
    deadline_t until, struct arena *a, struct scan *scan_r);
void engine_status(struct engine *e, struct arena *a,
    struct engine_status *status_r);
bool engine_test(struct engine *e, deadline_t until);
/* Looks at it at once, so that the first message knows it. */
void engine_watch(struct engine *e, int64_t every);
void engine_health(struct engine *e, struct engine_health *health_r);
void engine_close(struct engine *e);

#endif
