/*
 * work - between the quarantine and the sandbox
 *
 * work_start	a thread: asks gatehouse-store which mail waits, gives what of
 *		it is to be looked at to the sandbox, asks how that is, and says
 *		the verdict. Each step begins with what the store and the book
 *		say, so a kill between any two is as if it had been slower
 * work_stop	ends it; a question under way is waited for
 *
 * STATE/sandbox/status.json is written anew with each step: see status.h.
 */
#ifndef SANDBOX_WORK_H
#define SANDBOX_WORK_H

#include "daemon/service.h"
#include "services/sandbox/book.h"

struct work;

enum rc work_start(struct service_run *run, struct work **work_r,
    struct slice *why_r);
void work_stop(struct work *w);

#endif
