/*
 * state_file - a file of fixed size that is mapped while the daemon runs
 *
 * state_map	opens or makes it, locks it (flock), gives it that size and
 *		maps it. *kept_r: it had that size already; else it is all
 *		zeroes. RC_BAD when another process has it, RC_RETRY when it
 *		cannot be made; *why_r
 * state_unmap	the other way; a zeroed struct is nothing
 *
 * Blocks are allocated before it is mapped, so a full disk is an error here
 * and no signal later.
 */
#ifndef BASE_STATE_FILE_H
#define BASE_STATE_FILE_H

#include "base/arena.h"
#include "base/rc.h"

struct state_file {
	void *memory;			/* NULL: not mapped */
	size_t size;
	int fd;
};

enum rc state_map(const char *path, size_t size, struct state_file *file_r,
    bool *kept_r, struct arena *a, struct slice *why_r);
void state_unmap(struct state_file *file);

#endif
