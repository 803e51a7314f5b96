#include "base/clock.h"

static int64_t pinned = -1;		/* written once, before threads start */

int64_t
clock_mono_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int64_t
clock_mono(void)
{
	return clock_mono_us() / 1000;
}

int64_t
clock_wall(void)
{
	return pinned >= 0 ? pinned : (int64_t)time(NULL);
}

void
clock_pin(int64_t seconds)
{
	pinned = seconds;
}

deadline_t
deadline_in(int64_t ms)
{
	int64_t at;

	if (__builtin_add_overflow(clock_mono(), ms, &at))
		return DEADLINE_NEVER;
	return at;
}

int64_t
deadline_left(deadline_t d)
{
	int64_t left = d - clock_mono();

	return left > 0 ? left : 0;
}

struct timespec
deadline_timespec(deadline_t d)
{
	return (struct timespec){ .tv_sec = (time_t)(d / 1000),
	    .tv_nsec = (long)(d % 1000) * 1000000 };
}

deadline_t
deadline_earlier(deadline_t a, deadline_t b)
{
	return a < b ? a : b;
}
