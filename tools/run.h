/*
 * run - another program, without a shell
 *
 * run_program	what child_run (child.h) does, with RUN_MS to do it in
 * run_lines	the same, but each line of its output, without its end, goes to
 *		line(arg) at once; there may be any number of them. What is
 *		longer than RUN_LINE bytes is passed over. result_r->out stays
 *		empty
 */
#ifndef TOOLS_RUN_H
#define TOOLS_RUN_H

#include "base/arena.h"
#include "base/rc.h"

enum { RUN_MS = 60000, RUN_LINE = 8 << 20 };

struct run_result {
	int status;			/* exit status */
	struct slice out, err;		/* standard output and error */
};

enum rc run_program(struct arena *a, const char *const argv[],
    struct run_result *result_r, struct slice *why_r);

enum rc run_lines(struct arena *a, const char *const argv[],
    void (*line)(void *arg, struct slice line), void *arg,
    struct run_result *result_r, struct slice *why_r);

#endif
