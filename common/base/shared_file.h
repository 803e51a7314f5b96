/*
 * shared_file - a mapped table that all threads and the next settings share
 *
 * The shell of a table in a file: it is opened or begun anew, counted, locked
 * and given back in one place. What the table is its own room says, by a
 * shared_kind.
 *
 * shared_open	at start: path is made when it is not there, and has `size`
 *		bytes from then on. A file of another size, or one that is not
 *		whole, is begun anew in zeroed memory; *anew_r says why (NULL:
 *		it was taken over). RC_BAD when another process has it, RC_RETRY
 *		when it cannot be made; *why_r, and nothing is open. One
 *		reference
 * shared_hold	one more; a reload hands the open table on
 * shared_drop	one less. True: it was the last, the file is closed, and who
 *		made the struct frees it
 * shared_lock, shared_unlock
 *		around what reads or writes the memory
 *
 * What is written is in the file at once and outlives the process however it
 * ends; a power cut may take some of it back.
 */
#ifndef BASE_SHARED_FILE_H
#define BASE_SHARED_FILE_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/state_file.h"

struct shared_file {
	_Atomic unsigned references;
	pthread_mutex_t lock;		/* guards the memory */
	void *memory;
	struct state_file map;
};

struct shared_kind {
	const char *noun;		/* "table": "it is no table of ..." */
	/* May the memory be used as it is? `with` is the caller's. */
	bool (*whole)(const void *memory, size_t size, const void *with);
	/* Makes an empty one of it. */
	void (*begin)(void *memory, size_t size, const void *with);
};

enum rc shared_open(struct shared_file *f, const char *path, size_t size,
    const struct shared_kind *kind, const void *with, const char **anew_r,
    struct arena *a, struct slice *why_r);
void shared_hold(struct shared_file *f);
bool shared_drop(struct shared_file *f);
void shared_lock(struct shared_file *f);
void shared_unlock(struct shared_file *f);

#endif
