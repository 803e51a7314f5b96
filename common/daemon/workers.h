/*
 * workers - threads that wait, so that the loop need not
 *
 * A fixed number of threads take tasks in the order in which they came; what is
 * done goes back to the loop's thread.
 *
 * workers_start	the threads; NULL with *why_r when there can be none
 *		(the process ends then; nothing is given back)
 * workers_fd	to be watched; workers_finished is called when it can be read
 * workers_put	one task: `work` is called in a thread, then `done` by
 *		workers_finished. The task is the caller's, and must stay until
 *		then
 * workers_finished	calls done for each task that has ended since
 * workers_stop	no new tasks are begun; those under way are waited for so long.
 *		False: some were not waited for
 * workers_busy	does a thread still run?
 *
 * The loop's thread calls all of these.
 */
#ifndef DAEMON_WORKERS_H
#define DAEMON_WORKERS_H

#include "base/arena.h"
#include "base/clock.h"

struct workers;

struct worker_task {
	struct worker_task *next;
	void (*work)(struct worker_task *t);
	void (*done)(struct worker_task *t);
};

struct workers *workers_start(unsigned threads, struct arena *a,
    struct slice *why_r);
int workers_fd(const struct workers *w);
void workers_put(struct workers *w, struct worker_task *t);
void workers_finished(struct workers *w);
bool workers_stop(struct workers *w, deadline_t until);
bool workers_busy(struct workers *w);

#endif
