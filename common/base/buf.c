#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *
buf_room(struct buf *b, size_t len)
{
	size_t need;
	size_t cap;

	if (__builtin_add_overflow(b->len, len, &need))
		need = SIZE_MAX;	/* fails below, as no memory does */
	/* An empty one has no place yet, and no room was asked for. */
	if (need <= b->cap)
		return b->ptr != NULL ? b->ptr + b->len : NULL;
	cap = b->cap < 64 ? 64 : b->cap;
	while (cap < need)
		cap = cap > SIZE_MAX / 2 ? need : cap * 2;
	if (b->arena != NULL) {
		char *ptr = arena_alloc(b->arena, cap);

		if (b->len > 0)
			memcpy(ptr, b->ptr, b->len);
		b->ptr = ptr;
	} else {
		b->ptr = mem_grow(b->ptr, cap);
	}
	b->cap = cap;
	return b->ptr + b->len;
}

void
buf_took(struct buf *b, size_t len)
{
	b->len += len;
}

void
buf_add(struct buf *b, struct slice s)
{
	if (s.len == 0)
		return;
	memcpy(buf_room(b, s.len), s.ptr, s.len);
	b->len += s.len;
}

void
buf_adds(struct buf *b, const char *str)
{
	buf_add(b, slice_of(str));
}

void
buf_addc(struct buf *b, char c)
{
	*buf_room(b, 1) = c;
	b->len++;
}

void
buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (len <= 0)
		return;
	va_start(args, fmt);
	vsnprintf(buf_room(b, (size_t)len + 1), (size_t)len + 1, fmt, args);
	va_end(args);
	b->len += (size_t)len;
}

void
buf_clear(struct buf *b)
{
	b->len = 0;
}

void
buf_free(struct buf *b)
{
	if (b->arena == NULL)
		free(b->ptr);
	b->ptr = NULL;
	b->len = b->cap = 0;
}
