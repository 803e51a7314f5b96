/*
 * buf - bytes that grow
 *
 * A zeroed struct is an empty buffer on the heap; buf_in(arena) gives one
 * whose bytes live in an arena (what it outgrows stays there until the reset,
 * so at most twice its final size). Appending succeeds or ends the process.
 *
 * buf_slice	what is in it; valid until the next append
 * buf_free	gives heap bytes back; does nothing for one in an arena
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/arena.h"
#include "base/slice.h"

struct buf {
	char *ptr;
	size_t len, cap;
	struct arena *arena;
};

static inline struct buf
buf_in(struct arena *a)
{
	return (struct buf){ .arena = a };
}

void buf_add(struct buf *b, struct slice s);
void buf_adds(struct buf *b, const char *str);
void buf_addc(struct buf *b, char c);
void buf_addf(struct buf *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Room for len more bytes behind what is there; count them with buf_took. */
char *buf_room(struct buf *b, size_t len);
void buf_took(struct buf *b, size_t len);
void buf_clear(struct buf *b);
void buf_free(struct buf *b);

static inline struct slice
buf_slice(const struct buf *b)
{
	return (struct slice){ b->ptr != NULL ? b->ptr : "", b->len };
}

#endif
