#include "engine.h"

const char *
scan_end_name(enum scan_end end)
{
	static const char *const names[SCAN_ENDS] = { "down", "clean",
	    "infected", "cut", "locked", "refused", "crashed", "timeout" };

	return end < SCAN_ENDS ? names[end] : "unknown";
}

void
engine_scan(struct engine *e, const struct scan_item *item, deadline_t until,
    struct arena *a, struct scan *scan_r)
{
	int64_t began = clock_mono_us();

	*scan_r = (struct scan){ .end = SCAN_DOWN,
	    .text = SLICE("no answer") };
	e->kind->scan(e, item, until, a, scan_r);
	scan_r->us = clock_mono_us() - began;
}

void
engine_status(struct engine *e, struct arena *a,
    struct engine_status *status_r)
{
	*status_r = (struct engine_status){ .version = SLICE("") };
	e->kind->status(e, a, status_r);
}

void
engine_close(struct engine *e)
{
	if (e != NULL)
		e->kind->close(e);
}
