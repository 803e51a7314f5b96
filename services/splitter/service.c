/* gatehouse-splitter as a daemon: what it opens. */
#include <string.h>
#include <sys/epoll.h>
#include <sysexits.h>
#include <unistd.h>

#include "daemon/process.h"
#include "log/log.h"
#include "services/splitter/splitter.h"

enum { POLICY_MS = 1000, JOURNAL_MS = 1000, WARN_MS = 60 * 1000 };

static struct splitter the_splitter;

static void
finished(void *arg, uint32_t events)
{
	struct splitter *s = arg;

	(void)events;
	inject_finished(s->injector);
}

static void
tick(void *arg)
{
	struct splitter *s = arg;

	journal_tick(s->journal);
}

/* A new generation: the filters look for it too. */
static void
renew_policy(void *arg)
{
	struct splitter *s = arg;
	struct service_set *set = service_set(s->run);
	struct arena *a = arena_new();
	const char *path = policy_path(&set->house, a);
	struct slice why = SLICE("");
	struct policy *now;

	if (policy_current(s->policy, path)) {
		s->complained = 0;
	} else if (policy_open(path, &set->house, &now, a, &why) == RC_OK) {
		policy_drop(s->policy);
		s->policy = now;
		log_info("policy renewed");
	} else if (deadline_left(s->complained) == 0) {
		s->complained = deadline_in(WARN_MS);
		log_warning("the policy cannot be renewed, the old one stays: "
		    "%.*s", SLICE_ARG(why));
	}
	arena_free(a);
	service_set_drop(set);
}

static const char *
socket_path(struct arena *a, const struct house_conf *house,
    const struct splitter_conf *conf)
{
	return conf->socket[0] == '/' ? arena_str(a, slice_of(conf->socket)) :
	    arena_printf(a, "%s/%s", house->queue_directory,
	    conf->socket).ptr;
}

static enum rc
open_parts(struct splitter *s, const struct service_set *set,
    struct slice *why_r)
{
	const struct splitter_conf *conf = set->conf;
	struct arena *a = s->run->arena;

	s->budget.folder = s->run->folder;
	s->budget.max = conf->spool;
	/* Names outlive a reload. */
	s->lmtp = (struct lmtpd){ .loop = s->run->loop, .budget = &s->budget,
	    .hostname = arena_str(a, slice_of(set->house.hostname)),
	    .path = socket_path(a, &set->house, conf), .arg = s,
	    .deliver = deliver, .release = deliver_release,
	    .most = conf->connections, .idle = conf->idle };
	if (process_peers(&set->house.peers, &s->lmtp.peers, &s->lmtp.npeers,
	    a, why_r) != RC_OK)
		return RC_BAD;
	s->journal = journal_open(s->run->folder, "journal",
	    &(struct journal_limits){ .size = set->house.journal_size,
	    .keep = set->house.journal_keep,
	    .age = set->house.journal_age / 1000 }, a, why_r);
	if (s->journal != NULL)
		s->served = served_open(arena_printf(a, "%s/served",
		    s->run->folder).ptr, a, why_r);
	if (s->served == NULL)
		return RC_RETRY;
	if (policy_open(policy_path(&set->house, a), &set->house, &s->policy,
	    a, why_r) != RC_OK)
		return RC_RETRY;
	s->injector = inject_start(conf->workers, s->served, a, why_r);
	return s->injector != NULL ? RC_OK : RC_RETRY;
}

static enum rc
start(struct service_run *run, struct slice *why_r)
{
	struct splitter *s = &the_splitter;
	struct service_set *set = service_set(run);
	enum rc rc;

	s->run = run;
	run->state = s;
	rc = open_parts(s, set, why_r);
	service_set_drop(set);
	if (rc != RC_OK)
		return rc;
	*why_r = SLICE("cannot wait for events");
	if (!loop_watch(run->loop, inject_fd(s->injector), EPOLLIN, finished,
	    s))
		return RC_RETRY;
	loop_every(run->loop, POLICY_MS, renew_policy, s);
	loop_every(run->loop, JOURNAL_MS, tick, s);
	return lmtpd_open(&s->lmtp, run->arena, why_r);
}

static void
reloaded(struct service_run *run, const struct service_set *before,
    const struct service_set *now)
{
	const struct splitter_conf *was = before->conf, *is = now->conf;
	struct splitter *s = run->state;

	s->budget.max = is->spool;
	s->lmtp.most = is->connections;
	s->lmtp.idle = is->idle;
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
	struct splitter *s = run->state;
	struct service_set *set = service_set(run);
	const struct splitter_conf *conf = set->conf;

	/* Those that wait for a copy get what is known. */
	lmtpd_close(&s->lmtp);
	if (!inject_stop(s->injector, deadline_in(conf->drain)))
		log_info("stopped, with copies under way; Postfix brings them "
		    "again");
	service_set_drop(set);
	lmtpd_end(&s->lmtp);
	journal_close(s->journal);
	policy_drop(s->policy);
	/* A thread that was not waited for must not run into destructors, nor
	 * into a file that is gone. */
	if (inject_busy(s->injector))
		_exit(EX_OK);
	served_close(s->served);
}

const struct service splitter_service = {
	.name = "splitter", .options = splitter_options,
	.conf_size = sizeof (struct splitter_conf), .check = splitter_check,
	.start = start, .reloaded = reloaded, .stop = stop,
};
