/*
 * clock - what time it is, and how much is left
 *
 * clock_mono	milliseconds that only go forward; for deadlines and figures
 * clock_wall	seconds since 1970 (UTC); for what people and DNS see
 * clock_pin	makes clock_wall stand still at this time (gatehouse test
 *		--now, tests); call it before threads start
 * deadline_in	the moment that is ms from now
 * deadline_left	milliseconds until then; 0 when it has passed
 * deadline_timespec	the same moment for pthread_cond_timedwait() with a
 *		condition that goes by CLOCK_MONOTONIC
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* A moment of clock_mono; DEADLINE_NEVER is later than all. */
typedef int64_t deadline_t;
#define DEADLINE_NEVER	INT64_MAX

int64_t clock_mono(void);
int64_t clock_mono_us(void);
int64_t clock_wall(void);
void clock_pin(int64_t seconds);

deadline_t deadline_in(int64_t ms);
int64_t deadline_left(deadline_t d);
struct timespec deadline_timespec(deadline_t d);
deadline_t deadline_earlier(deadline_t a, deadline_t b);

#endif
