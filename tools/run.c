#include "tools/run.h"

#include <stdio.h>

#include "tools/child.h"

static enum rc
run(struct child *c, struct arena *a, struct run_result *r,
    struct slice *why_r)
{
	enum rc rc;

	fflush(NULL);
	rc = child_run(c, deadline_in(RUN_MS), a, why_r);
	r->status = c->status;
	r->out = c->out;
	r->err = c->err;
	return rc;
}

enum rc
run_program(struct arena *a, const char *const argv[], struct run_result *r,
    struct slice *why_r)
{
	struct child c = { .argv = argv };

	return run(&c, a, r, why_r);
}

struct reader {
	void (*line)(void *arg, struct slice line);
	void *arg;
};

static bool
pass_on(struct slice line, void *arg)
{
	struct reader *reader = arg;

	reader->line(reader->arg, line);
	return true;
}

enum rc
run_lines(struct arena *a, const char *const argv[],
    void (*line)(void *arg, struct slice line), void *arg,
    struct run_result *r, struct slice *why_r)
{
	struct reader reader = { line, arg };
	struct child_lines lines = { .max = RUN_LINE, .line = pass_on,
	    .arg = &reader };
	struct child c = { .argv = argv, .take = child_lines, .arg = &lines };
	enum rc rc = run(&c, a, r, why_r);

	child_lines_end(&lines);
	return rc;
}
