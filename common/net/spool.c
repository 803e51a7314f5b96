#include "net/spool.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/write.h"

void
spool_init(struct spool *s, struct spool_budget *budget)
{
	*s = (struct spool){ .budget = budget, .fd = -1 };
}

static bool
reserve(struct spool *s, uint64_t n)
{
	struct spool_budget *b = s->budget;

	if (atomic_fetch_add(&b->used, n) + n <= b->max)
		return true;
	atomic_fetch_sub(&b->used, n);
	return false;
}

/* What was on the heap goes first. */
static bool
move_to_file(struct spool *s)
{
	if (!reserve(s, s->size))
		return false;
	s->fd = open(s->budget->folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (s->fd >= 0 && write_all(s->fd, buf_slice(&s->heap))) {
		buf_free(&s->heap);
		return true;
	}
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
	atomic_fetch_sub(&s->budget->used, s->size);
	return false;
}

static bool
add_to_file(struct spool *s, struct slice piece)
{
	if (s->fd < 0 && !move_to_file(s))
		return false;
	if (!reserve(s, piece.len))
		return false;
	s->size += piece.len;
	return write_all(s->fd, piece);
}

static bool
add_to_heap(struct spool *s, struct slice piece)
{
	if (s->budget->folder == NULL && !reserve(s, piece.len))
		return false;
	buf_add(&s->heap, piece);
	s->size += piece.len;
	return true;
}

static bool
add(struct spool *s, struct slice piece)
{
	uint64_t each = s->budget->each;

	if (each > 0 && s->size + piece.len > each) {
		s->too_large = true;
		return false;
	}
	return s->budget->folder == NULL || (s->fd < 0 &&
	    s->size + piece.len <= SPOOL_HEAP) ? add_to_heap(s, piece) :
	    add_to_file(s, piece);
}

static void
give_up(struct spool *s)
{
	if (s->fd >= 0 || s->budget->folder == NULL)
		atomic_fetch_sub(&s->budget->used, s->size);
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
	s->size = 0;
	buf_free(&s->heap);
	s->failed = true;
}

bool
spool_add(struct spool *s, struct slice piece)
{
	if (s->failed)
		return false;
	if (add(s, piece))
		return true;
	give_up(s);
	return false;
}

struct slice
spool_end(struct spool *s)
{
	if (s->failed)
		return SLICE_NONE;
	if (s->fd < 0)
		return buf_slice(&s->heap);
	s->map = mmap(NULL, s->size, PROT_READ, MAP_SHARED, s->fd, 0);
	if (s->map == MAP_FAILED) {
		s->map = NULL;
		return SLICE_NONE;
	}
	return slice_make(s->map, s->size);
}

void
spool_free(struct spool *s)
{
	if (s->map != NULL)
		munmap(s->map, s->size);
	s->map = NULL;
	give_up(s);
}
