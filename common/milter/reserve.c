#include "milter/reserve.h"

struct reserved {
	_Atomic uint64_t *used;
	uint64_t bytes;
};

static void
give_back(void *arg)
{
	struct reserved *r = arg;

	atomic_fetch_sub(r->used, r->bytes);
}

bool
job_reserve(struct job *job, _Atomic uint64_t *used, uint64_t most,
    uint64_t bytes)
{
	struct reserved *r = arena_alloc(job->arena, sizeof *r);

	r->used = used;
	r->bytes = bytes;
	if (atomic_fetch_add(used, bytes) + bytes > most && bytes <= most) {
		atomic_fetch_sub(used, bytes);
		return false;
	}
	arena_defer(job->arena, give_back, r);
	return true;
}
