/*
 * engine - something that can tell whether bytes are a virus
 *
 * Engines differ in all but this: they get the bytes of one item, with a
 * deadline, and say how it ended. Any number works side by side.
 *
 * engine_scan	one item; any thread, any number at once. Waits, but not
 *		beyond the deadline. Text of the answer is in the arena
 * engine_status	what it is now, for the ledger and for people
 * engine_close	when nobody scans any more
 *
 * "Clean" is said only by an engine that has seen all of the item. One that
 * stopped at a limit of its own, could not open it, crashed or did not answer
 * says so, and that is never clean.
 */
#ifndef ANTIVIRUS_ENGINE_H
#define ANTIVIRUS_ENGINE_H

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

struct engine;

struct engine_kind {
	void (*scan)(struct engine *e, const struct scan_item *item,
	    deadline_t until, struct arena *a, struct scan *scan_r);
	void (*status)(struct engine *e, struct arena *a,
	    struct engine_status *status_r);
	void (*close)(struct engine *e);
	bool reads_mail;		/* it can be given a whole message */
};

/* The beginning of each kind's own struct. */
struct engine {
	const struct engine_kind *kind;
	const char *name;		/* as configured: "clamav" */
};

const char *scan_end_name(enum scan_end end);
void engine_scan(struct engine *e, const struct scan_item *item,
    deadline_t until, struct arena *a, struct scan *scan_r);
void engine_status(struct engine *e, struct arena *a,
    struct engine_status *status_r);
void engine_close(struct engine *e);

#endif
