/*
 * run - another program, without a shell
 *
 * run_program	runs argv (NULL at the end; argv[0] is looked for in /usr/sbin,
 *		/usr/bin, /sbin and /bin) with nothing on standard input and
 *		without Postfix's variables in its environment (MAIL_CONFIG).
 *		RC_OK when it ended, whatever its status; RC_RETRY with *why_r
 *		when it could not be run, was ended by a signal, or ran longer
 *		than RUN_MS (then it is killed)
 *
 * What it says is kept up to RUN_SAID bytes each; the rest is dropped.
 */
#ifndef TOOLS_RUN_H
#define TOOLS_RUN_H

#include "base/arena.h"
#include "base/rc.h"

enum { RUN_MS = 60000, RUN_SAID = 8 << 20 };

struct run_result {
	int status;			/* exit status */
	struct slice out, err;		/* standard output and error */
};

enum rc run_program(struct arena *a, const char *const argv[],
    struct run_result *result_r, struct slice *why_r);

#endif
