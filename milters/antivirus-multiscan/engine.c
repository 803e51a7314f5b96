#include "engine.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/thread.h"
#include "cell/cell.h"
#include "log/log.h"

enum {
	SILENCES = 2,			/* in a row: it is down */
	WAITED_MS = 500,		/* for no answer: that is silence */
	LOOK_MS = 5000,			/* between two looks at it */
	DOWN_MS = 1000,			/* between two tests while it is down */
	TEST_MS = 5000,		/* that a look or a test may take */
};

const char *
scan_end_name(enum scan_end end)
{
	static const char *const names[SCAN_ENDS] = { "down", "clean",
	    "infected", "cut", "locked", "refused", "crashed", "timeout" };

	return end < SCAN_ENDS ? names[end] : "unknown";
}

void
engine_init(struct engine *e, const struct engine_kind *kind,
    struct slice name)
{
	*e = (struct engine){ .kind = kind };
	snprintf(e->name, sizeof e->name, "%.*s", SLICE_ARG(name));
	pthread_mutex_init(&e->lock, NULL);
	pthread_cond_init(&e->wake, NULL);
}

void
engine_fini(struct engine *e)
{
	pthread_cond_destroy(&e->wake);
	pthread_mutex_destroy(&e->lock);
}

/* ---- is it there? ---- */

static void
set_why(struct engine *e, struct slice why)
{
	snprintf(e->health.why, sizeof e->health.why, "%.*s", SLICE_ARG(why));
}

/* The one place where an engine goes down or comes back. */
static void
set_down(struct engine *e, bool down, struct slice why)
{
	struct arena *a = arena_new();
	bool was;

	pthread_mutex_lock(&e->lock);
	was = e->health.down;
	e->health.down = down;
	e->silent = 0;
	if (down)
		set_why(e, why);
	if (down && !was) {
		e->next = 0;
		pthread_cond_broadcast(&e->wake);
	}
	pthread_mutex_unlock(&e->lock);
	if (down && !was)
		log_error("engine %s: down (%.*s)", e->name,
		    SLICE_ARG(log_safe(a, why, LOG_VALUE)));
	else if (!down && was)
		log_info("engine %s: it works again", e->name);
	arena_free(a);
}

static void
count(struct engine *e, const struct scan *scan)
{
	bool gone = false;

	pthread_mutex_lock(&e->lock);
	e->health.ends[scan->end]++;
	e->health.us += (uint64_t)scan->us;
	if (scan->end != SCAN_DOWN)
		e->silent = 0;
	else if (scan->us >= WAITED_MS * 1000)
		gone = ++e->silent >= SILENCES;
	if (scan->end == SCAN_DOWN)
		set_why(e, scan->text);
	pthread_mutex_unlock(&e->lock);
	/* Without a watch nobody would bring it back. */
	if (gone && e->watched)
		set_down(e, true, scan->text);
}

/* Is it down? Then that is the answer. */
static bool
answer_for_it(struct engine *e, struct arena *a, struct scan *scan_r)
{
	bool down;

	pthread_mutex_lock(&e->lock);
	down = e->health.down;
	if (down)
		scan_r->text = arena_printf(a, "it is down (%s)",
		    e->health.why);
	if (down)
		e->health.ends[SCAN_DOWN]++;
	pthread_mutex_unlock(&e->lock);
	return down;
}

static void
ask(struct engine *e, const struct scan_item *item, deadline_t until,
    struct arena *a, struct scan *scan_r)
{
	int64_t began = clock_mono_us();

	*scan_r = (struct scan){ .end = SCAN_DOWN,
	    .text = SLICE("no answer") };
	e->kind->scan(e, item, until, a, scan_r);
	scan_r->us = clock_mono_us() - began;
}

void
engine_scan(struct engine *e, const struct scan_item *item, deadline_t until,
    struct arena *a, struct scan *scan_r)
{
	*scan_r = (struct scan){ .end = SCAN_DOWN, .text = SLICE("") };
	if (e->limit > 0 && item->bytes.len > e->limit) {
		*scan_r = (struct scan){ .end = SCAN_CUT,
		    .text = SLICE("larger than it takes") };
		count(e, scan_r);
	} else if (item->bytes.len == 0) {
		*scan_r = (struct scan){ .end = SCAN_CLEAN,
		    .text = SLICE("") };
	} else if (!answer_for_it(e, a, scan_r)) {
		ask(e, item, until, a, scan_r);
		count(e, scan_r);
	}
}

void
engine_status(struct engine *e, struct arena *a,
    struct engine_status *status_r)
{
	*status_r = (struct engine_status){ .version = SLICE("") };
	if (e->kind->look == NULL) {
		e->kind->status(e, a, status_r);
		return;
	}
	pthread_mutex_lock(&e->lock);
	*status_r = e->status;
	status_r->version = arena_copy(a, e->status.version);
	pthread_mutex_unlock(&e->lock);
	/* Who cannot say which signatures it has is asked anew in time. */
	if (e->keep > 0)
		status_r->generation ^= (uint64_t)(clock_mono() / e->keep) *
		    UINT64_C(0x9e3779b97f4a7c15);
	if (e->keep == 0)
		status_r->generation = ENGINE_NO_CACHE;
}

/* In pieces, so that no scanner takes this program for what it looks for. */
static struct slice
eicar(struct arena *a)
{
	return arena_printf(a, "%s%s%s", "X5O!P%@AP[4\\PZX54(P^)7CC)7}$",
	    "EICAR-STANDARD-", "ANTIVIRUS-TEST-FILE!$H+H*");
}

bool
engine_test(struct engine *e, deadline_t until)
{
	struct arena *a = arena_new();
	struct scan_item item = { .bytes = eicar(a) };
	struct scan scan = { .end = SCAN_DOWN, .text = SLICE("no memory") };
	bool passed;

	item.fd = cell_memfd(item.bytes);
	if (item.fd >= 0) {
		ask(e, &item, until, a, &scan);
		close(item.fd);
	}
	passed = scan.end == SCAN_INFECTED;
	pthread_mutex_lock(&e->lock);
	e->health.tested = clock_wall();
	e->health.passed = passed;
	pthread_mutex_unlock(&e->lock);
	set_down(e, !passed, passed ? SLICE("") : arena_printf(a, "the test "
	    "file: %s%s%.*s", scan_end_name(scan.end), scan.text.len > 0 ?
	    ", " : "", SLICE_ARG(scan.text)));
	arena_free(a);
	return passed;
}

/* ---- watching it ---- */

static void
look(struct engine *e)
{
	struct arena *a = arena_new();
	struct engine_status now = { .version = SLICE("") };
	struct slice why = SLICE("");
	bool up = e->kind->look(e, deadline_in(TEST_MS), a, &now, &why);

	pthread_mutex_lock(&e->lock);
	/* One that is away keeps its name and its age. */
	if (up) {
		snprintf(e->version, sizeof e->version, "%.*s",
		    SLICE_ARG(now.version));
		now.version = slice_of(e->version);
		e->status = now;
	} else {
		set_why(e, why);
	}
	e->status.up = up;
	pthread_mutex_unlock(&e->lock);
	arena_free(a);
}

/* The lock is held. Waits for that moment, or for trouble, or for the end. */
static void
pause_until(struct engine *e, int64_t moment)
{
	struct timespec t = { .tv_sec = (time_t)(moment / 1000),
	    .tv_nsec = (long)(moment % 1000) * 1000000 };
	int64_t next = e->next;

	while (!e->stopping && e->next == next && pthread_cond_clockwait(
	    &e->wake, &e->lock, CLOCK_MONOTONIC, &t) != ETIMEDOUT)
		;
}

static void *
watch(void *arg)
{
	struct engine *e = arg;
	bool fresh = true;		/* engine_watch has looked */

	pthread_mutex_lock(&e->lock);
	while (!e->stopping) {
		int64_t now = clock_mono();
		bool due = (e->every > 0 || e->health.down) && now >= e->next;

		pthread_mutex_unlock(&e->lock);
		if (due)
			engine_test(e, deadline_in(TEST_MS));
		if (e->kind->look != NULL && !fresh)
			look(e);
		fresh = false;
		pthread_mutex_lock(&e->lock);
		now = clock_mono();
		if (due)
			e->next = now + (e->health.down || e->every == 0 ?
			    DOWN_MS : e->every);
		pause_until(e, (e->every > 0 || e->health.down) &&
		    e->next < now + LOOK_MS ? e->next : now + LOOK_MS);
	}
	pthread_mutex_unlock(&e->lock);
	return NULL;
}

void
engine_watch(struct engine *e, int64_t every)
{
	e->every = every;
	if (e->kind->look != NULL)
		look(e);
	e->watched = thread_start(&e->thread, watch, e);
	if (!e->watched)
		log_warning("engine %s: no thread to watch it", e->name);
}

void
engine_health(struct engine *e, struct engine_health *health_r)
{
	pthread_mutex_lock(&e->lock);
	*health_r = e->health;
	pthread_mutex_unlock(&e->lock);
}

void
engine_close(struct engine *e)
{
	if (e == NULL)
		return;
	pthread_mutex_lock(&e->lock);
	e->stopping = true;
	pthread_cond_broadcast(&e->wake);
	pthread_mutex_unlock(&e->lock);
	if (e->watched)
		pthread_join(e->thread, NULL);
	e->kind->close(e);
}
