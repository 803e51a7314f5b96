/* gatehouse-store as a daemon: what it opens, and what its loop does. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "log/log.h"
#include "services/store/adopt.h"
#include "services/store/files.h"
#include "services/store/notices.h"
#include "services/store/store.h"
#include "services/store/waiting.h"

enum { SWEEP_MS = 60 * 1000, TROUBLE_MS = 60 * 1000, RETRY_MS = 1000,
    DRAIN_MS = 10 * 1000 };

static struct store the_store = {
	.lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER,
	.inotify = -1, .listener = -1,
};

/* --- new objects --------------------------------------------------------- */

static int64_t
retention(void *arg, const struct object_meta *meta, struct slice recipient)
{
	const struct service_set *set = arg;
	struct store_conf conf = *(const struct store_conf *)set->conf;
	struct arena *a = arena_new();
	struct scope_subject who;

	/* Going out it is the sender's mail. */
	scope_subject(a, meta->outbound ? meta->sender : recipient,
	    house_match(&set->house), &who);
	scope_resolve(conf.scopes, &who, &conf);
	arena_free(a);
	return (meta->kind == OBJECT_HELD ? conf.retention[meta->cause] :
	    conf.records) / 1000;
}

static enum rc
file_came_in(void *arg, const struct object_meta *meta, struct arena *a,
    struct slice *why_r)
{
	(void)arg;
	return files_adopt(&the_store, meta, a, why_r);
}

static void
came_in(void *arg, const struct record *r)
{
	(void)arg;
	notices_tell(&the_store, r);
	if (r->nrows > 0 && store_waiting(r->object.cause))
		the_store.arrived = true;
}

/* Once a minute is enough to know that a disk is full. */
static void
tell_trouble(const char *doing, struct slice why)
{
	static deadline_t next;		/* the loop's thread alone */
	struct arena *a;

	if (deadline_left(next) > 0)
		return;
	next = deadline_in(TROUBLE_MS);
	a = arena_new();
	log_error("%s: %.*s", doing, SLICE_ARG(log_safe(a, why, 1000)));
	arena_free(a);
}

static void
adopt(void *arg)
{
	struct store *s = arg;
	struct service_set *set = service_set(s->run);
	const struct store_conf *conf = set->conf;
	const struct adopt how = { .retention = retention, .arg = set,
	    .now = clock_wall(), .tell = came_in,
	    .file = file_came_in };
	int64_t next = conf->scan;
	struct slice why;
	bool more = false;

	/* When somebody makes the index anew, incoming/ can wait. */
	if (vault_try(&s->vault)) {
		if (adopt_new(&s->vault, &how, &more, &why) != RC_OK)
			tell_trouble("new objects wait", why);
		else if (more)
			next = 1;
		vault_leave(&s->vault);
		notices_wake(s);
		/* Now the index has it. */
		if (s->arrived)
			waiting_wake(s);
		s->arrived = false;
	} else {
		next = 100;
	}
	loop_again(s->run->loop, s->scan, next < conf->scan ? next :
	    conf->scan);
	service_set_drop(set);
}

static void
heard(void *arg, uint32_t events)
{
	struct store *s = arg;
	char buf[4096] __attribute__((aligned(8)));

	(void)events;
	while (read(s->inotify, buf, sizeof buf) > 0)
		;
	adopt(s);
}

/* Whole objects come by a rename or a link; a network file system tells of
 * neither, so the folder is scanned as well. */
static void
listen_for_files(struct store *s)
{
	const char *path = arena_printf(s->run->arena, "%s/incoming",
	    s->vault.dir).ptr;

	s->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (s->inotify < 0 || inotify_add_watch(s->inotify, path,
	    IN_MOVED_TO | IN_CREATE | IN_ONLYDIR) < 0 ||
	    !loop_watch(s->run->loop, s->inotify, EPOLLIN, heard, s))
		log_warning("%s is scanned only, nobody tells of new files: "
		    "%s", path, strerror(errno));
}

/* --- what time does ------------------------------------------------------ */

static void
sweep(void *arg)
{
	struct store *s = arg;
	const struct sweep_due due = { .visit = NULL };
	struct slice why;
	uint64_t n;

	sweep_quota(s);
	journal_tick(s->journal);
	if (!vault_try(&s->vault))
		return;
	if (vault_catch_up(&s->vault, &why) != RC_OK)
		tell_trouble("the index is behind", why);
	else if (sweep_expire(s, &due, &n, &why) != RC_OK &&
	    deadline_left(s->sweep.guarded) == 0)
		tell_trouble("nothing expires", why);
	sweep_refused(s);
	files_sweep(s);
	vault_leave(&s->vault);
}

/* A thread of its own: a release waits for Postfix. */
static void *
retry(void *arg)
{
	struct store *s = arg;

	pthread_mutex_lock(&s->lock);
	while (!s->stopping) {
		struct timespec until;

		pthread_mutex_unlock(&s->lock);
		waiting_due(s);
		release_due(s);
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec += RETRY_MS / 1000;
		pthread_mutex_lock(&s->lock);
		if (!s->stopping && !s->woken)
			pthread_cond_timedwait(&s->wake, &s->lock, &until);
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

/* --- start and stop ------------------------------------------------------ */

static enum rc
heal(struct store *s, struct slice *why_r)
{
	uint64_t healed = 0;
	enum rc rc = s->vault.index->does->check(s->vault.index, false);

	if (rc != RC_OK)
		*why_r = s->vault.index->why;
	else
		rc = heal_all(&s->vault, s->vault.index, &healed, why_r);
	if (healed > 0)
		log_warning("%llu objects were not in the index as their logs "
		    "have them; mended", (unsigned long long)healed);
	return rc == RC_OK ? release_recover(s, why_r) : rc;
}

/* systemd hands the file over as a credential, and then root may own it. */
static const char *
key_path(struct arena *a, const char *key)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");
	const char *path;

	if (dir != NULL) {
		path = arena_printf(a, "%s/store.key", dir).ptr;
		if (access(path, F_OK) == 0)
			return path;
	}
	return arena_str(a, slice_of(key));
}

static enum rc
open_vault(struct store *s, struct slice *why_r)
{
	struct service_set *set = service_set(s->run);
	const struct store_conf *conf = set->conf;
	struct arena *a = s->run->arena;
	const struct vault_conf places = { .dir = s->run->folder,
	    .key = key_path(a, conf->key),
	    .reserve = conf->reserve };
	struct stat st;
	enum rc rc = vault_open(&s->vault, &places, a, why_r);

	s->journal = journal_open(s->run->folder, "journal",
	    &(struct journal_limits){ .size = set->house.journal_size,
	    .keep = set->house.journal_keep,
	    .age = set->house.journal_age / 1000 }, a, why_r);
	service_set_drop(set);
	if (rc != RC_OK)
		return rc;
	if (s->journal == NULL)
		return RC_RETRY;
	s->sweep.closed = fstat(s->vault.incoming, &st) == 0 &&
	    !(st.st_mode & S_IWGRP);
	return heal(s, why_r);
}

static enum rc
start(struct service_run *run, struct slice *why_r)
{
	struct store *s = &the_store;
	enum rc rc;

	s->run = run;
	run->state = s;
	rc = open_vault(s, why_r);
	if (rc == RC_OK)
		rc = files_open(s, why_r);
	if (rc == RC_OK)
		rc = notices_start(s, why_r);
	if (rc == RC_OK)
		rc = control_open(s, why_r);
	if (rc != RC_OK)
		return rc;
	s->scan = loop_every(run->loop, 1, adopt, s);
	loop_every(run->loop, SWEEP_MS, sweep, s);
	listen_for_files(s);
	sweep_clock(s);
	sweep_quota(s);
	if (pthread_create(&s->retries, NULL, retry, s) == 0)
		return RC_OK;
	*why_r = SLICE("cannot start a thread");
	return RC_RETRY;
}

static void
reloaded(struct service_run *run, const struct service_set *before,
    const struct service_set *now)
{
	const struct store_conf *was = before->conf, *is = now->conf;

	sweep_quota(run->state);
	waiting_wake(run->state);
	if (strcmp(was->key, is->key) != 0)
		log_warning("key was changed; it counts from the next start "
		    "on");
	if (was->reserve != is->reserve)
		log_warning("reserve was changed; it counts from the next "
		    "start on");
}

static bool
joined(pthread_t thread)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += DRAIN_MS / 1000;
	return pthread_timedjoin_np(thread, NULL, &until) == 0;
}

static void
stop(struct service_run *run)
{
	struct store *s = run->state;

	pthread_mutex_lock(&s->lock);
	s->stopping = true;
	pthread_cond_broadcast(&s->wake);
	pthread_mutex_unlock(&s->lock);
	control_close(s);
	notices_stop(s);
	/* Who is still at it (a release that waits for Postfix) ends with the
	 * process; his row says so at the next start. And he must not run into
	 * destructors. */
	if (!joined(s->retries) || s->connections > 0) {
		log_info("stopped, with releases under way");
		_exit(EX_OK);
	}
	files_close(s);
	vault_close(&s->vault);
}

const struct service store_service = {
	.name = "store", .options = store_options,
	.conf_size = sizeof(struct store_conf), .check = store_check,
	.start = start, .reloaded = reloaded, .stop = stop,
};
