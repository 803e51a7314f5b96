/* gatehouse-spamcheck as a daemon: what it opens. */
#include <string.h>
#include <sys/epoll.h>
#include <sysexits.h>
#include <unistd.h>

#include "daemon/process.h"
#include "log/log.h"
#include "services/spamcheck/spamcheck.h"

static struct spamcheck the_spamcheck;

static void
finished(void *arg, uint32_t events)
{
	struct spamcheck *s = arg;

	(void)events;
	workers_finished(s->workers);
}

/* What may change at any time. */
static void
apply(struct spamcheck *s, const struct spamcheck_conf *conf)
{
	s->budget.max = conf->memory;
	s->budget.each = conf->size;
	s->lmtp.most = conf->connections;
	s->lmtp.idle = conf->idle;
}

static const char *
socket_path(struct arena *a, const struct house_conf *house,
    const struct spamcheck_conf *conf)
{
	return conf->socket[0] == '/' ? arena_str(a, slice_of(conf->socket)) :
	    arena_printf(a, "%s/%s", house->queue_directory,
	    conf->socket).ptr;
}

static enum rc
open_parts(struct spamcheck *s, const struct service_set *set,
    struct slice *why_r)
{
	const struct spamcheck_conf *conf = set->conf;
	struct arena *a = s->run->arena;

	/* Names outlive a reload. */
	s->lmtp = (struct lmtpd){ .loop = s->run->loop, .budget = &s->budget,
	    .hostname = arena_str(a, slice_of(set->house.hostname)),
	    .path = socket_path(a, &set->house, conf), .arg = s,
	    .deliver = check_deliver, .release = check_release };
	apply(s, conf);
	rate_init(&s->rate);
	if (set->house.spamcheck.count == 0)
		log_info("spamcheck_addresses is empty: nothing is checked");
	if (process_peers(&set->house.peers, &s->lmtp.peers, &s->lmtp.npeers,
	    a, why_r) != RC_OK)
		return RC_BAD;
	s->workers = workers_start(conf->workers, a, why_r);
	return s->workers != NULL ? RC_OK : RC_RETRY;
}

static enum rc
start(struct service_run *run, struct slice *why_r)
{
	struct spamcheck *s = &the_spamcheck;
	struct service_set *set = service_set(run);
	enum rc rc;

	s->run = run;
	run->state = s;
	rc = open_parts(s, set, why_r);
	service_set_drop(set);
	if (rc != RC_OK)
		return rc;
	*why_r = SLICE("cannot wait for events");
	if (!loop_watch(run->loop, workers_fd(s->workers), EPOLLIN, finished,
	    s))
		return RC_RETRY;
	return lmtpd_open(&s->lmtp, run->arena, why_r);
}

static void
reloaded(struct service_run *run, const struct service_set *before,
    const struct service_set *now)
{
	const struct spamcheck_conf *was = before->conf, *is = now->conf;

	apply(run->state, is);
	service_next_start("peers", !conf_list_same(&before->house.peers,
	    &now->house.peers));
	service_next_start("workers", was->workers != is->workers);
	service_next_start("socket or queue_directory", strcmp(was->socket,
	    is->socket) != 0 || strcmp(before->house.queue_directory,
	    now->house.queue_directory) != 0);
}

static void
stop(struct service_run *run)
{
	struct spamcheck *s = run->state;
	struct service_set *set = service_set(run);
	const struct spamcheck_conf *conf = set->conf;

	lmtpd_close(&s->lmtp);
	if (!workers_stop(s->workers, deadline_in(conf->drain)))
		log_info("stopped, with messages under way; Postfix brings "
		    "them again");
	service_set_drop(set);
	lmtpd_end(&s->lmtp);
	/* A thread that was not waited for must not run into destructors. */
	if (workers_busy(s->workers))
		_exit(EX_OK);
}

const struct service spamcheck_service = {
	.name = "spamcheck", .options = spamcheck_options,
	.conf_size = sizeof (struct spamcheck_conf), .check = spamcheck_check,
	.start = start, .reloaded = reloaded, .stop = stop,
};
