#include "unpack/unpack.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "unpack/told.h"

const struct unpack_limits unpack_default_limits = {
	.depth = 10, .members = 5000, .member_bytes = 200 << 20,
	.bytes = 400 << 20, .ratio = 200,
};

const char *
unpack_why_name(enum unpack_why why)
{
	static const char *const names[UNPACK_WHYS] = { "whole", "encrypted",
	    "too-deep", "too-many", "too-large", "ratio", "damaged",
	    "unknown" };

	return why < UNPACK_WHYS ? names[why] : "unknown";
}

bool
unpack_whole(const struct unpack_result *result)
{
	if (result->end != CELL_ANSWERED)
		return false;
	for (size_t i = 0; i < result->nentries; i++)
		if (result->entries[i].why != UNPACK_WHOLE)
			return false;
	return true;
}

struct map {
	void *at;
	size_t len;
};

static void
unmap(void *arg)
{
	struct map *map = arg;

	munmap(map->at, map->len);
}

/* The members' bytes, readable as long as the arena. */
static bool
map_members(int fd, struct arena *a, struct slice *bytes_r)
{
	struct map *map = arena_alloc(a, sizeof *map);
	int seals = fcntl(fd, F_GET_SEALS);
	struct stat st;

	*bytes_r = SLICE("");
	if (seals < 0 || (seals & UNPACK_SEALS) != UNPACK_SEALS ||
	    fstat(fd, &st) != 0 || st.st_size < 0)
		return false;
	if (st.st_size == 0)
		return true;
	map->len = (size_t)st.st_size;
	map->at = mmap(NULL, map->len, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map->at == MAP_FAILED)
		return false;
	arena_defer(a, unmap, map);
	*bytes_r = slice_make(map->at, map->len);
	return true;
}

static bool
take_record(const struct told_record *r, struct slice members, size_t n,
    struct unpack_entry *e)
{
	if (r->why >= UNPACK_WHYS || r->parent > n || (n > 0 &&
	    (r->parent == n || !r->member)) || r->depth > UINT32_MAX)
		return false;
	if (r->member && (r->offset > members.len ||
	    r->len > members.len - r->offset))
		return false;
	*e = (struct unpack_entry){ .path = r->path, .format = r->format,
	    .parent = (size_t)r->parent, .depth = (unsigned)r->depth,
	    .why = (enum unpack_why)r->why };
	if (r->member)
		e->bytes = slice_sub(members, (size_t)r->offset,
		    (size_t)r->len);
	return true;
}

/* The pieces without a descriptor are the list, in order. */
static struct slice
whole_list(const struct cell_answer *answer, struct arena *a, int *fd_r)
{
	struct buf list = buf_in(a);

	*fd_r = -1;
	for (const struct cell_piece *p = answer->pieces; p != NULL;
	    p = p->next) {
		if (p->fd >= 0)
			*fd_r = p->fd;
		else
			buf_add(&list, p->bytes);
	}
	return buf_slice(&list);
}

static bool
read_answer(const struct cell_answer *answer, unsigned max, struct arena *a,
    struct unpack_result *result)
{
	struct told_record record;
	struct slice list, members;
	size_t n = 0;
	int fd;

	list = whole_list(answer, a, &fd);
	if (!map_members(fd, a, &members))
		return false;
	for (struct slice rest = list; told_read_record(&rest, &record); )
		n++;
	if (n == 0 || n > (size_t)max + 1)
		return false;
	result->entries = arena_array(a, n, sizeof *result->entries);
	while (told_read_record(&list, &record)) {
		if (!take_record(&record, members, result->nentries,
		    &result->entries[result->nentries]))
			return false;
		result->nentries++;
	}
	return list.len == 0;
}

void
unpack_ask(struct cell *cell, int fd, struct slice name,
    const struct unpack_limits *limits, const struct slice *passwords,
    size_t npasswords, deadline_t until, struct arena *a,
    struct unpack_result *result)
{
	struct told_request request = { .limits = *limits,
	    .name = slice_sub(name, 0, 1000) };
	struct cell_answer answer;
	struct buf bytes = buf_in(a);

	for (size_t i = 0; i < npasswords && i < UNPACK_PASSWORDS; i++)
		if (passwords[i].len <= 200)
			request.passwords[request.npasswords++] = passwords[i];
	told_write_request(&bytes, &request);
	cell_ask(cell, buf_slice(&bytes), fd, until, a, &answer);
	*result = (struct unpack_result){ .end = answer.end,
	    .why = answer.why };
	if (answer.end != CELL_ANSWERED ||
	    read_answer(&answer, limits->members, a, result))
		return;
	/* A worker that says what cannot be is not in its right mind. */
	*result = (struct unpack_result){ .end = CELL_CRASHED,
	    .why = SLICE("its answer makes no sense") };
}
