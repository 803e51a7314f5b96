#include "harvest_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/shared_file.h"

struct harvest_file {
	struct shared_file shared;
	unsigned entries;
};

static bool
whole(const void *memory, size_t size, const void *with)
{
	(void)with;
	return harvest_whole(memory, size);
}

static void
begin(void *memory, size_t size, const void *with)
{
	(void)size;
	harvest_begin(memory, *(const unsigned *)with, clock_wall());
}

enum rc
harvest_open(const char *path, unsigned entries, struct harvest_file **file_r,
    const char **anew_r, struct arena *a, struct slice *why_r)
{
	static const struct shared_kind kind = { "table", whole, begin };
	struct harvest_file *f = mem_alloc(sizeof *f);
	enum rc rc = shared_open(&f->shared, path, harvest_size(entries),
	    &kind, &entries, anew_r, a, why_r);

	f->entries = entries;
	if (rc == RC_OK)
		*file_r = f;
	else
		free(f);
	return rc;
}

struct harvest_file *
harvest_hold(struct harvest_file *f)
{
	if (f != NULL)
		shared_hold(&f->shared);
	return f;
}

void
harvest_drop(struct harvest_file *f)
{
	if (f != NULL && shared_drop(&f->shared))
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
	shared_lock(&f->shared);
	harvest_look(f->shared.memory, p, ip, now, view_r);
	shared_unlock(&f->shared);
}

void
harvest_file_count(struct harvest_file *f, const struct harvest_policy *p,
    const struct ip *ip, bool refused, struct slice recipient, int64_t now,
    struct harvest_view *view_r)
{
	uint64_t key = harvest_key(f->shared.memory, recipient);

	shared_lock(&f->shared);
	harvest_count(f->shared.memory, p, ip, refused, key, now, view_r);
	shared_unlock(&f->shared);
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
