/*
 * arena - memory that lives as long as one message
 *
 * arena_new	an empty arena; first block on first use
 * arena_alloc	zeroed bytes, aligned for any type; succeeds or ends the
 *		process: the mail in hand is deferred and the supervisor starts
 *		us again. Size is measured at the door (session limits), so
 *		memory is not the limit an attacker finds
 * arena_bytes	bytes that are not zeroed, for who fills them himself
 * arena_more	an array of which n elements are in use with room for one more:
 *		the same, or one of twice the room with a copy of them
 * arena_copy	the same bytes, owned by the arena, with a NUL behind them
 *		that the length does not count
 * arena_str	the bytes as a C string; a NUL inside ends it early
 * arena_printf	formatted text
 * arena_defer	run undo(arg) at the next reset, last one first
 * arena_used	bytes handed out since the last reset
 * arena_reset	runs what was deferred, takes all memory back, keeps one block
 * arena_free	the same, and the arena itself goes; NULL is allowed
 *
 * Not for sharing between threads: one message, one arena.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdarg.h>

#include "base/slice.h"

struct arena;

struct arena *arena_new(void);
void *arena_alloc(struct arena *a, size_t size);
char *arena_bytes(struct arena *a, size_t size);
/* n elements of size bytes; an overflow ends the process like no memory. */
void *arena_array(struct arena *a, size_t n, size_t size);
void *arena_more(struct arena *a, void *array, size_t n, size_t *room,
    size_t size);
struct slice arena_copy(struct arena *a, struct slice s);
char *arena_str(struct arena *a, struct slice s);
struct slice arena_printf(struct arena *a, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
struct slice arena_vprintf(struct arena *a, const char *fmt, va_list args)
    __attribute__((format(printf, 2, 0)));
void arena_defer(struct arena *a, void (*undo)(void *arg), void *arg);
size_t arena_used(const struct arena *a);
void arena_reset(struct arena *a);
void arena_free(struct arena *a);

/* malloc and realloc that succeed or end the process. */
void *mem_alloc(size_t size);
void *mem_grow(void *ptr, size_t size);

#endif
