#include "base/shared_file.h"

#include <string.h>

enum rc
shared_open(struct shared_file *f, const char *path, size_t size,
    const struct shared_kind *kind, const void *with, const char **anew_r,
    struct arena *a, struct slice *why_r)
{
	struct state_file map;
	bool kept = false;
	enum rc rc = state_map(path, size, &map, &kept, a, why_r);

	*anew_r = NULL;
	if (rc != RC_OK)
		return rc;
	if (!kind->whole(map.memory, map.size, with)) {
		*anew_r = kept ? arena_printf(a, "it is no %s of this version",
		    kind->noun).ptr : "it is new or of another size";
		memset(map.memory, 0, map.size);
		kind->begin(map.memory, map.size, with);
	}
	f->references = 1;
	pthread_mutex_init(&f->lock, NULL);
	f->memory = map.memory;
	f->map = map;
	return RC_OK;
}

void
shared_hold(struct shared_file *f)
{
	atomic_fetch_add(&f->references, 1);
}

bool
shared_drop(struct shared_file *f)
{
	if (atomic_fetch_sub(&f->references, 1) != 1)
		return false;
	state_unmap(&f->map);
	pthread_mutex_destroy(&f->lock);
	return true;
}

void
shared_lock(struct shared_file *f)
{
	pthread_mutex_lock(&f->lock);
}

void
shared_unlock(struct shared_file *f)
{
	pthread_mutex_unlock(&f->lock);
}
