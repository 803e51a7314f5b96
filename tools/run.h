/*
 * run - another program, without a shell
 *
 * run_program	what child_run (child.h) does, with RUN_MS to do it in
 */
#ifndef TOOLS_RUN_H
#define TOOLS_RUN_H

#include "base/arena.h"
#include "base/rc.h"

enum { RUN_MS = 60000 };

struct run_result {
	int status;			/* exit status */
	struct slice out, err;		/* standard output and error */
};

enum rc run_program(struct arena *a, const char *const argv[],
    struct run_result *result_r, struct slice *why_r);

#endif
