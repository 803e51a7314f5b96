/*
 * gatehouse-track: what became of each message
 *
 * One thread reads logs and journals and writes track.db; one a sink sends
 * events on. Nothing of the mail's way waits for it: it reads files.
 */
#include "daemon/service.h"
#include "log/log.h"
#include "services/track/control.h"
#include "services/track/expire.h"
#include "services/track/feed.h"

enum { TICK_MS = 100, EXPIRE_TICKS = 20 };

struct track {
	struct service_run *run;
	struct service_set *set;	/* that feed and sinks use */
	struct feed *feed;
	struct control *control;
	struct expire expire;
	unsigned timer, ticks;
	bool expiring;
};

static void
expire(struct track *t)
{
	const struct track_conf *conf = t->set->conf;
	struct arena *a;
	struct slice why;

	if (!t->expiring && ++t->ticks % EXPIRE_TICKS != 0)
		return;
	if (expire_step(&t->expire, feed_db(t->feed), conf->keep,
	    &t->expiring) == RC_OK)
		return;
	t->expiring = false;
	a = arena_new();
	db_trouble(feed_db(t->feed), a, &why);
	log_warning("old messages cannot be deleted now: %.*s",
	    SLICE_ARG(log_safe(a, why, 1000)));
	arena_free(a);
}

static void
tick(void *arg)
{
	struct track *t = arg;
	bool more = feed_work(t->feed);

	if (feed_broken(t->feed)) {
		log_fatal("tracking ends; mail is not concerned");
		service_stop(t->run);
		return;
	}
	if (!more)
		expire(t);
	more = control_step(t->control) || more || t->expiring;
	loop_again(t->run->loop, t->timer, more ? 1 : TICK_MS);
}

static enum rc
start(struct service_run *run, struct slice *why_r)
{
	struct track *t = arena_alloc(run->arena, sizeof *t);
	enum rc rc;

	t->run = run;
	t->set = service_set(run);
	run->state = t;
	rc = feed_open(&t->feed, t->set->house.state_directory, t->set->conf,
	    run->arena, why_r);
	if (rc != RC_OK)
		return rc;
	rc = track_control_open(&t->control, run->folder, run->loop, t->feed,
	    run->arena, why_r);
	t->timer = loop_every(run->loop, TICK_MS, tick, t);
	return rc;
}

static void
reloaded(struct service_run *run, const struct service_set *before,
    const struct service_set *now)
{
	struct track *t = run->state;
	struct service_set *old = t->set;

	(void)before;
	t->set = service_set(run);
	feed_reload(t->feed, now->conf);
	service_set_drop(old);
}

static void
stop(struct service_run *run)
{
	struct track *t = run->state;

	track_control_close(t->control);
	feed_close(t->feed);
	service_set_drop(t->set);
}

static const struct service track_service = {
	.name = "track",
	.options = track_options,
	.conf_size = sizeof(struct track_conf),
	.check = track_check,
	.start = start,
	.reloaded = reloaded,
	.stop = stop,
};

int
main(int argc, char **argv)
{
	return service_main(argc, argv, &track_service);
}
