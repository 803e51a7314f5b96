#include "tools/run.h"

#include <stdio.h>

#include "tools/child.h"

enum rc
run_program(struct arena *a, const char *const argv[], struct run_result *r,
    struct slice *why_r)
{
	struct child c = { .argv = argv };
	enum rc rc;

	fflush(NULL);
	rc = child_run(&c, deadline_in(RUN_MS), a, why_r);
	r->status = c.status;
	r->out = c.out;
	r->err = c.err;
	return rc;
}
