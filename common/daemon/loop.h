/*
 * loop - one thread that waits for sockets, files and time
 *
 * loop_new	an empty one; NULL with errno
 * loop_watch	ready(arg, events) is called whenever epoll(7) reports one of
 *		`events` (EPOLLIN ...) for fd; level-triggered. The descriptor
 *		stays the caller's. False with errno, and when LOOP_WATCHES are
 *		watched already
 * loop_unwatch	no more; call it before the descriptor is closed. Allowed
 *		inside a callback, its own too
 * loop_every	tick(arg) is called every ms milliseconds (at least 1), for the
 *		first time after ms. A loop that was late calls once, not once
 *		for each period that it missed. ms is asked anew with
 *		loop_again. Returns the timer's number
 * loop_again	the timer's next call comes in ms, and every ms from then on
 * loop_run	until loop_stop; false with errno when epoll itself fails
 * loop_stop	loop_run returns after the callback that is running. The only
 *		call that another thread, or a signal handler, may make
 * loop_free	NULL is allowed
 *
 * Callbacks run one after the other, so they must not wait: what waits (disk
 * of others, SMTP) belongs into a thread.
 */
#ifndef DAEMON_LOOP_H
#define DAEMON_LOOP_H

#include <stdbool.h>
#include <stdint.h>

enum { LOOP_WATCHES = 4096, LOOP_TIMERS = 32 };

struct loop;

struct loop *loop_new(void);
bool loop_watch(struct loop *l, int fd, uint32_t events,
    void (*ready)(void *arg, uint32_t events), void *arg);
void loop_unwatch(struct loop *l, int fd);
unsigned loop_every(struct loop *l, int64_t ms, void (*tick)(void *arg),
    void *arg);
void loop_again(struct loop *l, unsigned timer, int64_t ms);
bool loop_run(struct loop *l);
void loop_stop(struct loop *l);
void loop_free(struct loop *l);

#endif
