#include "harvest_file.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/state_file.h"

struct harvest_file {
	_Atomic unsigned references;
	pthread_mutex_t lock;		/* guards the table */
	struct harvest_table *table;
	unsigned entries;
	struct state_file map;
};

enum rc
harvest_open(const char *path, unsigned entries, struct harvest_file **file_r,
    const char **anew_r, struct arena *a, struct slice *why_r)
{
	struct state_file map;
	struct harvest_file *f;
	bool kept;
	enum rc rc = state_map(path, harvest_size(entries), &map, &kept, a,
	    why_r);

	*anew_r = NULL;
	if (rc != RC_OK)
		return rc;
	if (!harvest_whole(map.memory, map.size)) {
		*anew_r = kept ? "it is no table of this version" :
		    "it is new or of another size";
		harvest_begin(map.memory, entries, clock_wall());
	}
	f = mem_alloc(sizeof *f);
	f->references = 1;
	pthread_mutex_init(&f->lock, NULL);
	f->table = map.memory;
	f->entries = entries;
	f->map = map;
	*file_r = f;
	return RC_OK;
}

struct harvest_file *
harvest_hold(struct harvest_file *f)
{
	if (f != NULL)
		atomic_fetch_add(&f->references, 1);
	return f;
}

void
harvest_drop(struct harvest_file *f)
{
	if (f == NULL || atomic_fetch_sub(&f->references, 1) != 1)
		return;
	state_unmap(&f->map);
	pthread_mutex_destroy(&f->lock);
	free(f);
}

unsigned
harvest_entries(const struct harvest_file *f)
{
	return f->entries;
}

void
harvest_file_look(struct harvest_file *f, const struct harvest_policy *p,
    const struct ip *ip, int64_t now, struct harvest_view *view_r)
{
	pthread_mutex_lock(&f->lock);
	harvest_look(f->table, p, ip, now, view_r);
	pthread_mutex_unlock(&f->lock);
}

void
harvest_file_count(struct harvest_file *f, const struct harvest_policy *p,
    const struct ip *ip, bool refused, struct slice recipient, int64_t now,
    struct harvest_view *view_r)
{
	uint64_t key = harvest_key(f->table, recipient);

	pthread_mutex_lock(&f->lock);
	harvest_count(f->table, p, ip, refused, key, now, view_r);
	pthread_mutex_unlock(&f->lock);
}

struct harvest_table *
harvest_map(const char *path, bool writable, struct arena *a,
    struct slice *why_r)
{
	int fd = open(path, (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC);
	void *memory = MAP_FAILED;
	struct stat st;

	if (fd >= 0 && fstat(fd, &st) == 0 && st.st_size > 0)
		memory = mmap(NULL, (size_t)st.st_size, PROT_READ |
		    (writable ? PROT_WRITE : 0), MAP_SHARED, fd, 0);
	if (fd < 0)
		*why_r = arena_printf(a, "%s: %s", path, strerror(errno));
	else
		close(fd);
	if (memory == MAP_FAILED || !harvest_whole(memory,
	    (size_t)st.st_size)) {
		if (fd >= 0)
			*why_r = arena_printf(a, "%s: is no table of this "
			    "version", path);
		return NULL;
	}
	return memory;
}
