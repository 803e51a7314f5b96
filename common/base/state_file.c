#include "base/state_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static void *
map_file(int fd, size_t size, bool *kept_r)
{
	struct stat st;
	void *memory;
	int error;

	if (fstat(fd, &st) != 0)
		return NULL;
	*kept_r = st.st_size == (off_t)size;
	if (!*kept_r && ftruncate(fd, 0) != 0)
		return NULL;
	error = posix_fallocate(fd, 0, (off_t)size);
	if (error != 0) {
		errno = error;
		return NULL;
	}
	memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	return memory != MAP_FAILED ? memory : NULL;
}

enum rc
state_map(const char *path, size_t size, struct state_file *file_r,
    bool *kept_r, struct arena *a, struct slice *why_r)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	*file_r = (struct state_file){ .size = size, .fd = fd };
	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0) {
		*why_r = arena_printf(a, "%s: another process has it", path);
		close(fd);
		return RC_BAD;
	}
	if (fd >= 0)
		file_r->memory = map_file(fd, size, kept_r);
	if (file_r->memory != NULL)
		return RC_OK;
	*why_r = arena_printf(a, "%s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return RC_RETRY;
}

void
state_unmap(struct state_file *file)
{
	if (file->memory == NULL)
		return;
	munmap(file->memory, file->size);
	close(file->fd);
	file->memory = NULL;
}
