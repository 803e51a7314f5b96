#include "base/arena.h"

#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	BLOCK_SIZE = 8192 - 64, ALIGN = alignof(max_align_t),
	FIRST_ROOM = 16,		/* elements */
};

struct block {
	struct block *next;
	size_t size, used;
	alignas(max_align_t) char bytes[];
};

struct deferred {
	struct deferred *next;
	void (*undo)(void *arg);
	void *arg;
};

struct arena {
	struct block *blocks;		/* the one being filled stands first */
	struct deferred *deferred;
	size_t used;
};

static _Noreturn void
out_of_memory(void)
{
	static const char text[] = "panic: out of memory\n";

	/* No log, no stdio: both may want memory. */
	if (write(STDERR_FILENO, text, sizeof text - 1) < 0)
		_exit(75);
	abort();
}

void *
mem_alloc(size_t size)
{
	void *ptr = calloc(1, size > 0 ? size : 1);

	if (ptr == NULL)
		out_of_memory();
	return ptr;
}

void *
mem_grow(void *ptr, size_t size)
{
	ptr = realloc(ptr, size > 0 ? size : 1);
	if (ptr == NULL)
		out_of_memory();
	return ptr;
}

struct arena *
arena_new(void)
{
	return mem_alloc(sizeof(struct arena));
}

static struct block *
block_new(size_t size)
{
	struct block *b = malloc(sizeof *b + size);

	if (b == NULL)
		out_of_memory();
	b->next = NULL;
	b->size = size;
	b->used = 0;
	return b;
}

/* A request that no block can hold gets one of its own, behind the current. */
static struct block *
block_for(struct arena *a, size_t size)
{
	struct block *b = a->blocks;

	if (b != NULL && b->size - b->used >= size)
		return b;
	b = block_new(size > BLOCK_SIZE ? size : BLOCK_SIZE);
	if (size > BLOCK_SIZE / 4 && a->blocks != NULL) {
		b->next = a->blocks->next;
		a->blocks->next = b;
	} else {
		b->next = a->blocks;
		a->blocks = b;
	}
	return b;
}

static void *
take(struct arena *a, size_t size)
{
	struct block *b;
	void *ptr;

	if (size > SIZE_MAX / 2)
		out_of_memory();
	size = (size + ALIGN - 1) / ALIGN * ALIGN;
	if (size == 0)
		size = ALIGN;
	b = block_for(a, size);
	ptr = b->bytes + b->used;
	b->used += size;
	a->used += size;
	return ptr;
}

void *
arena_alloc(struct arena *a, size_t size)
{
	return memset(take(a, size), 0, size);
}

char *
arena_bytes(struct arena *a, size_t size)
{
	return take(a, size);
}

void *
arena_array(struct arena *a, size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes))
		out_of_memory();
	return arena_alloc(a, bytes);
}

void *
arena_more(struct arena *a, void *array, size_t n, size_t *room, size_t size)
{
	void *more;

	if (n < *room)
		return array;
	*room = *room == 0 ? FIRST_ROOM : *room * 2;
	more = arena_array(a, *room, size);
	if (n > 0)
		memcpy(more, array, n * size);
	return more;
}

struct slice
arena_copy(struct arena *a, struct slice s)
{
	char *ptr;

	if (s.ptr == NULL)
		return SLICE_NONE;
	ptr = arena_alloc(a, s.len + 1);
	memcpy(ptr, s.ptr, s.len);
	return (struct slice){ ptr, s.len };
}

char *
arena_str(struct arena *a, struct slice s)
{
	char *ptr = arena_alloc(a, s.len + 1);

	if (s.len > 0)
		memcpy(ptr, s.ptr, s.len);
	return ptr;
}

struct slice
arena_vprintf(struct arena *a, const char *fmt, va_list args)
{
	va_list again;
	int len;
	char *ptr;

	va_copy(again, args);
	len = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (len < 0)
		return SLICE("");
	ptr = arena_alloc(a, (size_t)len + 1);
	vsnprintf(ptr, (size_t)len + 1, fmt, args);
	return (struct slice){ ptr, (size_t)len };
}

struct slice
arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list args;
	struct slice s;

	va_start(args, fmt);
	s = arena_vprintf(a, fmt, args);
	va_end(args);
	return s;
}

void
arena_defer(struct arena *a, void (*undo)(void *arg), void *arg)
{
	struct deferred *d = arena_alloc(a, sizeof *d);

	d->undo = undo;
	d->arg = arg;
	d->next = a->deferred;
	a->deferred = d;
}

size_t
arena_used(const struct arena *a)
{
	return a->used;
}

void
arena_reset(struct arena *a)
{
	struct block *kept = NULL;

	/* Popped first: an undo that defers again is run in this same loop. */
	while (a->deferred != NULL) {
		struct deferred d = *a->deferred;

		a->deferred = d.next;
		d.undo(d.arg);
	}
	while (a->blocks != NULL) {
		struct block *b = a->blocks;

		a->blocks = b->next;
		if (kept == NULL && b->size == BLOCK_SIZE) {
			kept = b;
			kept->used = 0;
			kept->next = NULL;
		} else {
			free(b);
		}
	}
	a->blocks = kept;
	a->used = 0;
}

void
arena_free(struct arena *a)
{
	if (a == NULL)
		return;
	arena_reset(a);
	free(a->blocks);
	free(a);
}
