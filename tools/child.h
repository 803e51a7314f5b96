/*
 * child - another program's output, and an end to waiting for it
 *
 * child_run	runs argv (no shell; argv[0] is looked for in /usr/sbin,
 *		/usr/bin, /sbin and /bin), standard input being empty, and
 *		gathers what it says. RC_OK: it ended, whatever its status (127:
 *		it is there and could not be run); RC_RETRY with *why_r: it
 *		could not be
 *		started, was ended by a signal, said more than CHILD_MAX on one
 *		of the two, or went beyond `until`. Then it has been killed,
 *		and nothing of it is left
 *
 * child_lines	a `take` that makes lines of the pieces, without their ends; its
 *		arg is a struct child_lines. A longer line than max is passed
 *		over. line returns false when it is enough
 * child_lines_end	the last one, if it had no end; gives the memory back
 *
 * As a user: the groups of that user's own, and no way back. Only root can.
 * The environment is cut down to PATH and LC_ALL=C, so that what is run says
 * the same for everybody.
 */
#ifndef TOOLS_CHILD_H
#define TOOLS_CHILD_H

#include <sys/types.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/rc.h"

enum { CHILD_MAX = 32 << 20 };

struct child {
	const char *const *argv;	/* NULL at the end */
	uid_t uid;			/* 0: as we are */
	gid_t gid;
	/* Called for each piece of standard output as it comes instead of
	 * gathering it; false: enough, the program is ended and that is no
	 * trouble. */
	bool (*take)(struct slice piece, void *arg);
	void *arg;

	struct slice out, err;		/* what it said */
	int status;			/* exit status */
};

struct child_lines {
	size_t max;
	bool (*line)(struct slice line, void *arg);
	void *arg;
	struct buf part;		/* what came of the next one */
	bool skip;			/* its rest: it is too long */
};

bool child_lines(struct slice piece, void *lines);
void child_lines_end(struct child_lines *lines);

enum rc child_run(struct child *c, deadline_t until, struct arena *a,
    struct slice *why_r);

/* Ends the group of processes that pid leads, and waits for pid. */
void child_end(pid_t pid);

#endif
