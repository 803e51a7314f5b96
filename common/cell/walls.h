/*
 * walls - what a worker may still do
 *
 * walls_prepare	in the zygote, once: can workers have namespaces of their own
 *		(user, mount, network, IPC)? The zygote itself stays outside,
 *		or it could not tell who connects to it
 * walls_raise	in a worker, before it sees a hostile byte; there is no way
 *		back. RC_BAD with *why_r: a wall that must be there is not, so
 *		the worker must not work
 *
 * What always stands: no privilege can be gained; no core, no debugger; the
 * limits below; an allow-list of system calls, where anything else ends the
 * process (seccomp). No call on it opens a socket, runs a program, makes a
 * process or a thread, or looks at another one. What stands where the kernel
 * has it: no file can be opened outside `scratch` (Landlock), no network
 * (namespace). *told_r names those that stand, for the log.
 *
 * scratch is an empty folder; where namespaces are to be had a small file
 * system in memory is put over it, which goes with the worker.
 */
#ifndef CELL_WALLS_H
#define CELL_WALLS_H

#include "base/arena.h"
#include "base/rc.h"

struct walls {
	uint64_t memory;		/* bytes beyond what is loaded; 0: 512 MB */
	uint64_t file;			/* of one file in scratch; 0: 256 MB */
	uint64_t scratch;		/* of all files in it; 0: 512 MB */
	unsigned cpu;			/* seconds of one worker; 0: 600 */
	const int *calls;		/* further system calls; -1 ends */
};

bool walls_prepare(const char *scratch, struct slice *told_r,
    struct arena *a);
enum rc walls_raise(const struct walls *w, const char *scratch,
    bool namespaces, struct arena *a, struct slice *why_r);

#endif
