/*
 * spool - the bytes of one message while it is under way
 *
 * What is small stays on the heap; the rest goes to an unlinked file in the
 * service's folder, which the kernel takes back whatever becomes of us. Nothing
 * here is durable, and need not be: Postfix keeps the message until it has been
 * given back, and then Postfix has it again.
 *
 * Without a folder all of it stays on the heap, within the same budget: for who
 * writes nothing to a disk.
 *
 * spool_add	false when there is no room (the budget, or the disk); from then
 *		on nothing is kept
 * spool_end	all of it, in one slice that lives until spool_free; absent when
 *		something is missing
 *
 * For one thread at a time; the budget is shared and atomic.
 */
#ifndef NET_SPOOL_H
#define NET_SPOOL_H

#include <stdatomic.h>

#include "base/buf.h"

enum { SPOOL_HEAP = 64 * 1024 };

struct spool_budget {
	const char *folder;		/* NULL: none */
	_Atomic uint64_t max, used;	/* bytes in files; without a folder,
					   on the heap */
	_Atomic uint64_t each;		/* bytes of one message; 0: any */
};

struct spool {
	struct spool_budget *budget;
	struct buf heap;
	int fd;				/* -1: none yet */
	uint64_t size;
	void *map;
	bool failed;
	bool too_large;			/* why: more than each */
};

void spool_init(struct spool *s, struct spool_budget *budget);
bool spool_add(struct spool *s, struct slice piece);
struct slice spool_end(struct spool *s);
void spool_free(struct spool *s);

#endif
