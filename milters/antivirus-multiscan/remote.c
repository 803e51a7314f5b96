#include "remote.h"

enum { ALIVE_MS = 2000 };

deadline_t
remote_deadline(int64_t timeout, deadline_t until)
{
	/* Of a short deadline half is kept, of a long one two seconds. */
	int64_t left = deadline_left(until);
	int64_t spare = left / 2 < ALIVE_MS ? left / 2 : ALIVE_MS;

	return deadline_earlier(deadline_in(timeout), until - spare);
}

void
remote_silence(struct engine *e, bool (*alive)(struct engine *e,
    deadline_t until, struct arena *a), deadline_t mine, deadline_t until,
    struct arena *a, struct slice why, struct scan *scan_r)
{
	*scan_r = (struct scan){ .end = SCAN_DOWN, .text = why };
	if (deadline_left(mine) > 0)
		return;
	if (alive(e, deadline_earlier(until, deadline_in(ALIVE_MS)), a))
		*scan_r = (struct scan){ .end = SCAN_TIMEOUT,
		    .text = SLICE("it took too long") };
}

uint64_t
remote_hash(struct slice text)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < text.len; i++)
		h = (h ^ (unsigned char)text.ptr[i]) *
		    UINT64_C(0x100000001b3);
	return h;
}
