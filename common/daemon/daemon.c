#include "daemon/daemon.h"

#include <errno.h>
#include <pthread.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "daemon/notify.h"
#include "daemon/process.h"
#include "journal/journal.h"
#include "log/log.h"
#include "milter/inflight.h"
#include "milter/serve.h"
#include "milter/shim.h"

/* One a process, and there until its end: its threads never let go of it. */
static struct daemon {
	struct daemon_options options;
	struct settings_source source;
	struct arena *arena;
	struct host host;
	const char *state;		/* its folder */
	struct stat refused;		/* the map that was of no use */
	uid_t *peers;
	size_t npeers;
} the_daemon;

static int
print_text(const struct daemon *d)
{
	struct conf_section sections[3] = {
		{ milter_options, NULL },
		{ d->source.chain ? chain_options :
		    d->source.filters[0]->options, NULL },
	};

	return process_text(&d->options, d->source.name, sections);
}

static enum rc
open_state(struct daemon *d, struct settings *set, struct slice *why_r)
{
	const char *dir = arena_printf(d->arena, "%s/%s",
	    set->house.state_directory, d->source.name).ptr;
	enum rc rc = process_folder(dir, d->arena, why_r);

	d->state = dir;
	d->host.budget.spool = arena_printf(d->arena, "%s/spool", dir).ptr;
	if (rc == RC_OK)
		rc = process_folder(d->host.budget.spool, d->arena, why_r);
	if (rc == RC_OK)
		rc = inflight_open(arena_printf(d->arena, "%s/inflight",
		    dir).ptr, &d->host.inflight, d->arena, why_r);
	if (rc == RC_OK)
		rc = settings_state(set, NULL, dir, d->arena, why_r);
	if (rc != RC_OK)
		return rc;
	d->host.journal = journal_open(dir, "journal",
	    &(struct journal_limits){ .size = set->house.journal_size,
	    .keep = set->house.journal_keep,
	    .age = set->house.journal_age / 1000 }, d->arena, why_r);
	return d->host.journal != NULL ? RC_OK : RC_RETRY;
}

/* What was opened at start stays as it is; the admin is told, once. */
static void
tell_what_waits(const struct settings *now, const struct settings *next)
{
	const struct house_conf *a = &now->house, *b = &next->house;
	const struct { const char *option; bool same; } fixed[] = {
		{ "socket", strcmp(now->milter.socket,
		    next->milter.socket) == 0 },
		{ "peers", conf_list_same(&a->peers, &b->peers) },
		{ "syslog", strcmp(a->syslog, b->syslog) == 0 },
		{ "queue_directory", strcmp(a->queue_directory,
		    b->queue_directory) == 0 },
		{ "state_directory", strcmp(a->state_directory,
		    b->state_directory) == 0 },
		{ "journal_size", a->journal_size == b->journal_size },
		{ "journal_keep", a->journal_keep == b->journal_keep },
		{ "journal_age", a->journal_age == b->journal_age },
	};

	for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++)
		if (!fixed[i].same)
			log_warning("%s was changed; it counts from the next "
			    "start on", fixed[i].option);
}

static void
reload(struct daemon *d)
{
	struct settings *now = host_settings(&d->host), *next;
	struct arena *a = arena_new();
	struct slice why;
	enum rc rc;

	notify_state("RELOADING=1");
	rc = settings_load(&d->source, now, &next, a, &why);
	if (rc == RC_OK) {
		rc = settings_state(next, now, d->state, a, &why);
		if (rc != RC_OK)
			settings_drop(next);
	}
	if (rc == RC_OK) {
		tell_what_waits(now, next);
		host_swap(&d->host, next);
		serve_limits(&d->host);
		log_info("configuration reloaded");
	} else {
		log_error("configuration not reloaded, the old one stays: "
		    "%.*s", SLICE_ARG(log_safe(a, why, 2000)));
	}
	notify_state("READY=1");
	settings_drop(now);
	arena_free(a);
}

/* Is it the map that was refused last time? Said once. */
static bool
refused(struct daemon *d, const char *path)
{
	const struct stat *old = &d->refused;
	struct stat st = { .st_ino = 0 };
	bool same;

	/* None at all counts as one. */
	if (stat(path, &st) != 0)
		st.st_nlink = 1;
	same = st.st_ino == old->st_ino && st.st_dev == old->st_dev &&
	    st.st_mtim.tv_sec == old->st_mtim.tv_sec &&
	    st.st_mtim.tv_nsec == old->st_mtim.tv_nsec && old->st_nlink > 0;
	d->refused = st;
	return same;
}

/* A map that went away is no reason to forget what was set. */
static enum rc
renew(struct settings *now, struct settings **next_r, struct arena *a,
    struct slice *why_r)
{
	if (access(now->policy_path, F_OK) == 0)
		return settings_renew(now, next_r, a, why_r);
	*why_r = arena_printf(a, "%s is gone; type: gatehouse policy compile",
	    now->policy_path);
	return RC_BAD;
}

/* Takes up the policy map that a compile has left, if there is a new one. */
static void
look_for_policy(struct daemon *d)
{
	struct settings *now = host_settings(&d->host), *next;
	struct arena *a;
	struct slice why = SLICE("");

	if (now->policy_path == NULL ||
	    policy_current(now->policy, now->policy_path) ||
	    refused(d, now->policy_path)) {
		settings_drop(now);
		return;
	}
	a = arena_new();
	if (renew(now, &next, a, &why) == RC_OK) {
		host_swap(&d->host, next);
		d->refused = (struct stat){ .st_ino = 0 };
		log_info("new policy map taken up");
	} else {
		log_error("policy map not taken up, the old policy stays: "
		    "%.*s", SLICE_ARG(log_safe(a, why, 2000)));
	}
	settings_drop(now);
	arena_free(a);
}

/*
 * A thread cannot be ended from outside, so the process is: as at any stop the
 * others finish, and who is cut off is answered 451 by Postfix. What is left in
 * the table is blamed at the next start.
 */
static void
look_for_stuck(struct daemon *d)
{
	struct settings *set = host_settings(&d->host);
	char name[INFLIGHT_NAME] = "";
	unsigned n = atomic_load(&d->host.stuck) ? 0 :
	    inflight_overdue(d->host.inflight, set->milter.overrun, name);

	settings_drop(set);
	if (n == 0)
		return;
	log_error("%s: a filter has not come back long after its deadline (%u "
	    "such); this process ends and is to be started again",
	    name[0] != '\0' ? name : "NOQUEUE", n);
	atomic_store(&d->host.stuck, true);
	kill(getpid(), SIGTERM);
}

/* Waits for SIGUSR1; between, looks for a new policy map, for filters that never
 * come back and for events that are too old, hastens a stop, and tells the watchdog that we
 * live. */
static void *
control(void *arg)
{
	struct daemon *d = arg;
	int64_t every = notify_interval(), told = clock_mono();
	const struct timespec pause = { .tv_nsec = 250 * 1000 * 1000 };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	for (;;) {
		if (sigtimedwait(&set, NULL, &pause) == SIGUSR1)
			reload(d);
		look_for_policy(d);
		look_for_stuck(d);
		journal_tick(d->host.journal);
		shim_stop_soon();
		if (every > 0 && clock_mono() - told >= every) {
			notify_state("WATCHDOG=1");
			told = clock_mono();
		}
	}
	return NULL;
}

static void
ready(void *arg)
{
	struct daemon *d = arg;
	struct settings *set = host_settings(&d->host);

	notify_state("READY=1");
	log_info("started: version %s, socket %s", VERSION,
	    d->options.socket != NULL ? d->options.socket :
	    set->milter.socket);
	if (inflight_blamed(d->host.inflight) > 0)
		log_warning("the last run ended with messages under way; %u "
		    "are watched", inflight_blamed(d->host.inflight));
	settings_drop(set);
}

static enum rc
serve(struct daemon *d, const struct settings *set, struct slice *why_r)
{
	const char *socket = d->options.socket != NULL ? d->options.socket :
	    set->milter.socket;
	pthread_t thread;
	enum rc rc;

	/* A relative socket lies below the queue folder, as for Postfix. */
	if (socket[0] != '/' && chdir(set->house.queue_directory) != 0) {
		*why_r = arena_printf(d->arena, "queue_directory %s: %s",
		    set->house.queue_directory, strerror(errno));
		return RC_BAD;
	}
	if (pthread_create(&thread, NULL, control, d) != 0) {
		*why_r = SLICE("cannot start a thread");
		return RC_RETRY;
	}
	rc = serve_run(&d->host, socket, d->peers, d->npeers, ready, d,
	    d->arena, why_r);
	notify_state("STOPPING=1");
	return rc;
}

static int
run(struct daemon *d, struct settings *set)
{
	const char *program = arena_printf(d->arena, "gatehouse-%s",
	    d->source.name).ptr;
	struct slice why = SLICE("");
	enum rc rc;

	log_open(program, set->house.syslog);
	log_verbose(d->options.verbose);
	host_init(&d->host, set);
	d->host.chain = d->source.chain;
	rc = process_peers(&set->house.peers, &d->peers, &d->npeers,
	    d->arena, &why);
	if (rc == RC_OK)
		rc = open_state(d, set, &why);
	if (rc == RC_OK)
		rc = serve(d, set, &why);
	if (rc != RC_OK) {
		log_fatal("%.*s", SLICE_ARG(log_safe(d->arena, why, 2000)));
		return process_complain(d->source.name, rc, why);
	}
	log_info("stopped");
	/* Threads that were cut off must not run into destructors. */
	if (shim_sessions() > 0)
		_exit(atomic_load(&d->host.stuck) ? EX_SOFTWARE : EX_OK);
	return EX_OK;
}

static int
load_and(struct daemon *d)
{
	struct settings *set;
	struct slice why;
	enum rc rc;

	process_signals();
	process_descriptors();
	d->source.only_check = d->options.verb == VERB_CHECK;
	rc = settings_load(&d->source, NULL, &set, d->arena, &why);
	if (rc != RC_OK)
		return process_complain(d->source.name, rc, why);
	if (d->options.verb != VERB_CHECK)
		return run(d, set);
	settings_drop(set);
	return EX_OK;
}

static int
daemon_start(int argc, char **argv, const char *name,
    const struct filter *const *filters, bool chain)
{
	struct daemon *d = &the_daemon;
	struct process_files files;
	int status;

	d->arena = arena_new();
	status = process_begin(argc, argv, name, true, &d->options, &files,
	    d->arena);
	if (status != PROCESS_GO)
		return status;
	d->source = (struct settings_source){
		.house_file = files.house, .conf_file = files.conf,
		.conf_dir = files.dir, .name = name, .filters = filters,
		.chain = chain, .trusted = true,
	};
	if (d->options.verb == VERB_SAMPLE || d->options.verb == VERB_MANUAL)
		return print_text(d);
	return load_and(d);
}

int
daemon_main(int argc, char **argv, const struct filter *filter)
{
	const struct filter *filters[] = { filter, NULL };

	return daemon_start(argc, argv, filter->name, filters, false);
}

int
chain_main(int argc, char **argv, const struct filter *const *filters)
{
	return daemon_start(argc, argv, "chain", filters, true);
}
