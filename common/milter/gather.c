#include "milter/gather.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/write.h"

/* For one edited body: heap, or a map of a file without a name. */
struct gather_room {
	struct gather_room *next;
	void *map;			/* NULL: the bytes stand behind this */
	size_t len;
};

void
gather_init(struct gather *g, struct gather_budget *budget)
{
	*g = (struct gather){ .budget = budget, .fd = -1 };
	g->hash = EVP_MD_CTX_new();
	if (g->hash == NULL || !EVP_DigestInit_ex(g->hash, EVP_sha256(), NULL))
		g->trouble = "cannot hash the message";
}

/* Takes n bytes from a budget; false when it holds no more. */
static bool
reserve(_Atomic uint64_t *used, uint64_t max, uint64_t n, uint64_t *mine)
{
	if (atomic_fetch_add(used, n) + n > max) {
		atomic_fetch_sub(used, n);
		return false;
	}
	*mine += n;
	return true;
}

static void
add_hash(struct gather *g, struct slice s)
{
	if (s.len > 0 && !EVP_DigestUpdate(g->hash, s.ptr, s.len))
		g->trouble = "cannot hash the message";
}

void
gather_field(struct gather *g, struct slice name, struct slice value)
{
	size_t from = g->head.len;
	size_t n = name.len + 1 + value.len + 2;

	if (g->trouble != NULL)
		return;
	if (g->head.len + n > GATHER_HEAD) {
		g->trouble = "header block over 4 MB";
		g->theirs = true;
		return;
	}
	if (!reserve(&g->budget->heap, g->budget->heap_max, n, &g->heap)) {
		g->trouble = "memory for messages is used up";
		return;
	}
	buf_add(&g->head, name);
	buf_addc(&g->head, ':');
	buf_add(&g->head, value);
	buf_add(&g->head, SLICE("\r\n"));
	add_hash(g, slice_after(buf_slice(&g->head), from));
}

/* From here on the body lives in a file that has no name. */
static bool
spool(struct gather *g)
{
	g->fd = open(g->budget->spool, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (g->fd < 0 || !write_all(g->fd, buf_slice(&g->body)))
		return false;
	atomic_fetch_sub(&g->budget->heap, g->body.len);
	g->heap -= g->body.len;
	buf_free(&g->body);
	return true;
}

static const char *
keep_in_file(struct gather *g, struct slice chunk)
{
	uint64_t n = chunk.len + (g->fd < 0 ? g->body.len : 0);

	if (!reserve(&g->budget->file, g->budget->file_max, n, &g->file))
		return "spool for messages is used up";
	if (g->fd < 0 && !spool(g))
		return "cannot write to the spool";
	return write_all(g->fd, chunk) ? NULL : "cannot write to the spool";
}

static const char *
keep_on_heap(struct gather *g, struct slice chunk)
{
	if (!reserve(&g->budget->heap, g->budget->heap_max, chunk.len,
	    &g->heap))
		return "memory for messages is used up";
	buf_add(&g->body, chunk);
	return NULL;
}

void
gather_body(struct gather *g, struct slice chunk)
{
	if (g->trouble != NULL)
		return;
	/* The blank line that Postfix does not show. */
	if (g->body_len == 0)
		add_hash(g, SLICE("\r\n"));
	if (g->body_len < GATHER_HASHED)
		add_hash(g, slice_sub(chunk, 0, GATHER_HASHED - g->body_len));
	if (g->trouble != NULL)
		return;
	if (g->fd >= 0 || g->body.len + chunk.len > GATHER_HEAP)
		g->trouble = keep_in_file(g, chunk);
	else
		g->trouble = keep_on_heap(g, chunk);
	g->body_len += chunk.len;
}

enum rc
gather_end(struct gather *g, struct slice *head_r, struct slice *body_r,
    unsigned char hash_r[GATHER_HASH])
{
	if (g->trouble == NULL && g->fd >= 0) {
		g->map = mmap(NULL, g->body_len, PROT_READ, MAP_SHARED, g->fd,
		    0);
		if (g->map == MAP_FAILED) {
			g->map = NULL;
			g->trouble = "cannot map the spooled message";
		}
	}
	if (g->body_len > 0)
		add_hash(g, slice_make(&g->body_len, sizeof g->body_len));
	if (g->trouble == NULL &&
	    !EVP_DigestFinal_ex(g->hash, hash_r, NULL))
		g->trouble = "cannot hash the message";
	if (g->trouble != NULL)
		return g->theirs ? RC_BAD : RC_RETRY;
	*head_r = buf_slice(&g->head);
	*body_r = g->map != NULL ? slice_make(g->map, g->body_len) :
	    buf_slice(&g->body);
	return RC_OK;
}

/* All blocks are there before the first byte: a full disk is told here, and
 * not by a signal to who writes into the map. */
static void *
map_file(const struct gather_budget *budget, size_t n)
{
	int fd = open(budget->spool, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	void *map = MAP_FAILED;

	if (fd < 0)
		return NULL;
	if (posix_fallocate(fd, 0, (off_t)n) == 0)
		map = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	return map != MAP_FAILED ? map : NULL;
}

static char *
add_room(struct gather *g, void *map, size_t len, size_t behind)
{
	struct gather_room *room = mem_alloc(sizeof *room + behind);

	room->map = map;
	room->len = len;
	room->next = g->rooms;
	g->rooms = room;
	return map != NULL ? map : (char *)(room + 1);
}

char *
gather_room(struct gather *g, size_t n)
{
	struct gather_budget *b = g->budget;
	void *map;

	if (n <= GATHER_HEAP) {
		if (reserve(&b->heap, b->heap_max, n, &g->heap))
			return add_room(g, NULL, n, n);
		g->trouble = "memory for messages is used up";
		return NULL;
	}
	if (!reserve(&b->file, b->file_max, n, &g->file)) {
		g->trouble = "spool for messages is used up";
		return NULL;
	}
	map = map_file(b, n);
	if (map != NULL)
		return add_room(g, map, n, 0);
	g->trouble = "cannot write to the spool";
	return NULL;
}

static void
free_rooms(struct gather *g)
{
	while (g->rooms != NULL) {
		struct gather_room *room = g->rooms;

		g->rooms = room->next;
		if (room->map != NULL)
			munmap(room->map, room->len);
		free(room);
	}
}

const char *
gather_trouble(const struct gather *g)
{
	return g->trouble;
}

/* Gives back what belongs to one message; the buffers keep a little. */
void
gather_reset(struct gather *g)
{
	if (g->map != NULL)
		munmap(g->map, g->body_len);
	if (g->fd >= 0)
		close(g->fd);
	atomic_fetch_sub(&g->budget->heap, g->heap);
	atomic_fetch_sub(&g->budget->file, g->file);
	buf_free(&g->head);
	buf_free(&g->body);
	free_rooms(g);
	g->theirs = false;
	g->map = NULL;
	g->fd = -1;
	g->heap = g->file = g->body_len = 0;
	g->trouble = NULL;
	if (g->hash == NULL || !EVP_DigestInit_ex(g->hash, EVP_sha256(), NULL))
		g->trouble = "cannot hash the message";
}

void
gather_free(struct gather *g)
{
	gather_reset(g);
	EVP_MD_CTX_free(g->hash);
	g->hash = NULL;
}
