#include "daemon/service.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sysexits.h>
#include <unistd.h>

#include "daemon/notify.h"
#include "daemon/process.h"
#include "log/log.h"

/* What only this file may touch, behind what the service sees. */
struct process {
	struct service_run run;		/* the first: one is the other */
	struct daemon_options options;
	const char *house_file, *conf_file;
	pthread_mutex_t lock;		/* of the pointer to the set */
	struct service_set *set;
	int signals;
	_Atomic bool failed;
};

/* One a process, and there until its end: threads keep pointers into it. */
static struct process the_process = { .lock = PTHREAD_MUTEX_INITIALIZER };

void
service_set_drop(struct service_set *set)
{
	if (set == NULL || atomic_fetch_sub(&set->references, 1) != 1)
		return;
	arena_free(set->arena);
	free(set);
}

void
service_next_start(const char *option, bool changed)
{
	if (changed)
		log_warning("%s was changed; it counts from the next start on",
		    option);
}

struct service_set *
service_set(struct service_run *run)
{
	struct process *p = (struct process *)run;
	struct service_set *set;

	pthread_mutex_lock(&p->lock);
	set = p->set;
	atomic_fetch_add(&set->references, 1);
	pthread_mutex_unlock(&p->lock);
	return set;
}

static enum rc
load(const char *path, bool trusted, const struct conf_section *sections,
    struct arena *a, struct slice *why_r)
{
	return trusted ? conf_load_trusted(a, path, sections, why_r) :
	    conf_load(a, path, sections, why_r);
}

static enum rc
load_into(struct service_set *set, const struct service *service,
    const char *house_file, const char *conf_file, bool trusted,
    struct slice *why_r)
{
	const struct conf_section house[] = {
		{ house_options, &set->house }, { NULL, NULL },
	};
	const struct conf_section own[] = {
		{ service->options, set->conf }, { NULL, NULL },
	};
	enum rc rc = load(house_file, trusted, house, set->arena, why_r);

	if (rc == RC_OK)
		rc = house_finish(&set->house, set->arena, why_r);
	if (rc == RC_OK)
		rc = load(conf_file, trusted, own, set->arena, why_r);
	if (rc == RC_OK && service->check != NULL)
		rc = service->check(set->conf, &set->house, set->arena, why_r);
	return rc;
}

enum rc
service_load(const struct service *service, const char *house_file,
    const char *conf_file, bool trusted, struct service_set **set_r,
    struct arena *a, struct slice *why_r)
{
	struct service_set *set = mem_alloc(sizeof *set);
	struct slice why = SLICE("");
	enum rc rc;

	memset(set, 0, sizeof *set);
	set->arena = arena_new();
	set->conf = arena_alloc(set->arena, service->conf_size + 1);
	set->references = 1;
	rc = load_into(set, service, house_file, conf_file, trusted, &why);
	if (rc == RC_OK) {
		*set_r = set;
		return RC_OK;
	}
	*why_r = arena_copy(a, why);
	service_set_drop(set);
	return rc;
}

static enum rc
load_own(struct process *p, struct service_set **set_r, struct arena *a,
    struct slice *why_r)
{
	return service_load(p->run.service, p->house_file, p->conf_file, true,
	    set_r, a, why_r);
}

/* The places were opened at start. */
static void
tell_what_waits(const struct house_conf *was, const struct house_conf *is)
{
	if (strcmp(was->syslog, is->syslog) != 0)
		log_warning("syslog was changed; it counts from the next "
		    "start on");
	if (strcmp(was->state_directory, is->state_directory) != 0)
		log_warning("state_directory was changed; it counts from the "
		    "next start on");
}

static void
reload(struct process *p)
{
	struct arena *a = arena_new();
	struct service_set *now, *before = p->set;
	struct slice why;

	notify_state("RELOADING=1");
	if (load_own(p, &now, a, &why) == RC_OK) {
		pthread_mutex_lock(&p->lock);
		p->set = now;
		pthread_mutex_unlock(&p->lock);
		tell_what_waits(&before->house, &now->house);
		if (p->run.service->reloaded != NULL)
			p->run.service->reloaded(&p->run, before, now);
		service_set_drop(before);
		log_info("configuration reloaded");
	} else {
		log_error("configuration not reloaded, the old one stays: "
		    "%.*s", SLICE_ARG(log_safe(a, why, 2000)));
	}
	notify_state("READY=1");
	arena_free(a);
}

static void
signalled(void *arg, uint32_t events)
{
	struct process *p = arg;
	struct signalfd_siginfo info;

	(void)events;
	while (read(p->signals, &info, sizeof info) == sizeof info) {
		if (info.ssi_signo == SIGUSR1)
			reload(p);
		else if (info.ssi_signo != SIGHUP)
			loop_stop(p->run.loop);
	}
}

static void
feed_watchdog(void *arg)
{
	(void)arg;
	notify_state("WATCHDOG=1");
}

void
service_stop(struct service_run *run)
{
	struct process *p = (struct process *)run;

	atomic_store(&p->failed, true);
	loop_stop(run->loop);
}

static enum rc
open_loop(struct process *p, struct slice *why_r)
{
	sigset_t set;

	process_signal_set(&set);
	p->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	p->run.loop = loop_new();
	if (p->signals >= 0 && p->run.loop != NULL &&
	    loop_watch(p->run.loop, p->signals, EPOLLIN, signalled, p)) {
		if (notify_interval() > 0)
			loop_every(p->run.loop, notify_interval(),
			    feed_watchdog, p);
		return RC_OK;
	}
	*why_r = arena_printf(p->run.arena, "cannot wait for events: %s",
	    strerror(errno));
	return RC_RETRY;
}

static enum rc
serve(struct process *p, struct slice *why_r)
{
	const struct service *service = p->run.service;
	enum rc rc = process_folder(p->run.folder, p->run.arena, why_r);

	if (rc == RC_OK)
		rc = open_loop(p, why_r);
	if (rc == RC_OK)
		rc = service->start(&p->run, why_r);
	if (rc != RC_OK)
		return rc;
	notify_state("READY=1");
	log_info("started: version %s", VERSION);
	if (!loop_run(p->run.loop)) {
		*why_r = arena_printf(p->run.arena, "waiting for events: %s",
		    strerror(errno));
		rc = RC_RETRY;
	}
	notify_state("STOPPING=1");
	if (service->stop != NULL)
		service->stop(&p->run);
	return rc;
}

static int
run(struct process *p)
{
	const char *name = p->run.service->name;
	struct arena *a = p->run.arena;
	struct slice why = SLICE("");
	enum rc rc;

	log_open(arena_printf(a, "gatehouse-%s", name).ptr,
	    p->set->house.syslog);
	log_verbose(p->options.verbose);
	p->run.folder = arena_printf(a, "%s/%s",
	    p->set->house.state_directory, name).ptr;
	rc = serve(p, &why);
	if (rc != RC_OK) {
		log_fatal("%.*s", SLICE_ARG(log_safe(a, why, 2000)));
		return process_complain(name, rc, why);
	}
	log_info("stopped");
	return atomic_load(&p->failed) ? EX_TEMPFAIL : EX_OK;
}

int
service_main(int argc, char **argv, const struct service *service)
{
	struct process *p = &the_process;
	const struct conf_section own[] = {
		{ service->options, NULL }, { NULL, NULL },
	};
	struct process_files files;
	struct slice why;
	enum rc rc;
	int status;

	p->run.service = service;
	p->run.arena = arena_new();
	status = process_begin(argc, argv, service->name, false, &p->options,
	    &files, p->run.arena);
	if (status != PROCESS_GO)
		return status;
	if (p->options.verb == VERB_SAMPLE || p->options.verb == VERB_MANUAL)
		return process_text(&p->options, service->name, own);
	p->house_file = files.house;
	p->conf_file = files.conf != NULL ? files.conf :
	    arena_printf(p->run.arena, "%s/%s.conf", files.dir,
	    service->name).ptr;
	process_signals();
	process_descriptors();
	rc = load_own(p, &p->set, p->run.arena, &why);
	if (rc != RC_OK)
		return process_complain(service->name, rc, why);
	return p->options.verb == VERB_CHECK ? EX_OK : run(p);
}
