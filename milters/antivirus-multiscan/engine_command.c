#include "engine_command.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct command {
	struct engine engine;
	struct arena *arena;
	struct engine_command_conf conf;
	unsigned running;
};

/* ---- a process ---- */

/* A position of its own: several engines may be reading the same item. */
static int
reopened(int fd, struct arena *a)
{
	return open(arena_printf(a, "/proc/self/fd/%d", fd).ptr,
	    O_RDONLY | O_CLOEXEC);
}

static int
start(const struct command *c, const struct scan_item *item, int in, int out,
    pid_t *pid_r)
{
	const char *argv[] = { c->conf.program, item->mail ? "mail" : "file",
	    NULL };
	const char *env[] = { "PATH=/usr/local/bin:/usr/bin:/bin", NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t none, all;
	int rc;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, in, 0);
	posix_spawn_file_actions_adddup2(&actions, out, 1);
	posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY,
	    0);
	posix_spawn_file_actions_addclosefrom_np(&actions, 3);
	posix_spawn_file_actions_addchdir_np(&actions, "/");
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawnattr_setpgroup(&attr, 0);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK |
	    POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
	rc = posix_spawn(pid_r, argv[0], &actions, &attr,
	    (char *const *)(uintptr_t)argv, (char *const *)(uintptr_t)env);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&actions);
	return rc;
}

static bool
readable(int fd, deadline_t until)
{
	struct pollfd p = { fd, POLLIN, 0 };
	int64_t left = deadline_left(until);
	int n;

	do
		n = poll(&p, 1, left > INT32_MAX ? INT32_MAX : (int)left);
	while (n < 0 && errno == EINTR);
	return n > 0;
}

/* Its first bytes; what comes behind them is read and dropped, so that it need
 * not wait. Ends with the process: a child of it may hold the pipe. */
static struct slice
hear(int from, int ended, deadline_t until, char *room)
{
	char more[4096];
	size_t len = 0;

	for (;;) {
		struct pollfd p[2] = { { from, POLLIN, 0 },
		    { ended, POLLIN, 0 } };
		int64_t left = deadline_left(until);
		ssize_t n;

		if (left == 0 || (poll(p, 2, left > INT32_MAX ? INT32_MAX :
		    (int)left) < 0 && errno != EINTR))
			break;
		if (p[0].revents == 0 && p[1].revents != 0)
			break;
		if (p[0].revents == 0)
			continue;
		n = read(from, len < ENGINE_TEXT ? room + len : more,
		    len < ENGINE_TEXT ? ENGINE_TEXT - len : sizeof more);
		if (n <= 0)
			break;
		len += len < ENGINE_TEXT ? (size_t)n : 0;
	}
	return slice_make(room, len);
}

static void
judge(int status, struct slice said, struct arena *a, struct scan *scan)
{
	struct slice line = SLICE("");

	slice_line(&said, &line);
	if (WIFSIGNALED(status)) {
		scan->text = arena_printf(a, "it died of signal %d",
		    WTERMSIG(status));
	} else if (WEXITSTATUS(status) == 0) {
		*scan = (struct scan){ .end = SCAN_CLEAN, .text = SLICE("") };
	} else if (WEXITSTATUS(status) == 1) {
		*scan = (struct scan){ .end = SCAN_INFECTED,
		    .text = line.len > 0 ? arena_copy(a, line) :
		    SLICE("unnamed") };
	} else if (WEXITSTATUS(status) == 2) {
		*scan = (struct scan){ .end = SCAN_REFUSED,
		    .text = SLICE("it cannot read that") };
	} else {
		scan->text = arena_printf(a, "it ended with status %d",
		    WEXITSTATUS(status));
	}
}

/* It and all that it started goes, whatever it did. */
static void
wait_for(pid_t pid, int from, deadline_t until, struct arena *a,
    struct scan *scan)
{
	int ended = (int)syscall(SYS_pidfd_open, pid, 0), status = 0;
	char *room = arena_alloc(a, ENGINE_TEXT);
	struct slice said = SLICE("");
	bool late = true;

	if (ended >= 0) {
		said = hear(from, ended, until, room);
		late = !readable(ended, until);
		close(ended);
	}
	kill(-pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (late)
		*scan = (struct scan){ .end = SCAN_TIMEOUT,
		    .text = SLICE("it took too long") };
	else
		judge(status, said, a, scan);
}

static void
run(const struct command *c, const struct scan_item *item, deadline_t until,
    struct arena *a, struct scan *scan)
{
	int in = reopened(item->fd, a), out[2], rc;
	pid_t pid;

	if (in < 0 || pipe2(out, O_CLOEXEC) != 0) {
		scan->text = arena_copy(a, slice_of(strerror(errno)));
		if (in >= 0)
			close(in);
		return;
	}
	rc = start(c, item, in, out[1], &pid);
	close(in);
	close(out[1]);
	if (rc == 0)
		wait_for(pid, out[0], until, a, scan);
	else
		scan->text = arena_printf(a, "%s: %s", c->conf.program,
		    strerror(rc));
	close(out[0]);
}

/* ---- the engine ---- */

/* The engine's lock and condition serve for this too. */
static bool
take_turn(struct command *c, deadline_t until)
{
	struct timespec t = { .tv_sec = (time_t)(until / 1000),
	    .tv_nsec = (long)(until % 1000) * 1000000 };
	bool mine;

	pthread_mutex_lock(&c->engine.lock);
	while (c->running >= c->conf.workers && pthread_cond_clockwait(
	    &c->engine.wake, &c->engine.lock, CLOCK_MONOTONIC, &t) !=
	    ETIMEDOUT)
		;
	mine = c->running < c->conf.workers;
	c->running += mine;
	pthread_mutex_unlock(&c->engine.lock);
	return mine;
}

static void
end_turn(struct command *c)
{
	pthread_mutex_lock(&c->engine.lock);
	c->running--;
	pthread_cond_broadcast(&c->engine.wake);
	pthread_mutex_unlock(&c->engine.lock);
}

static void
scan(struct engine *e, const struct scan_item *item, deadline_t until,
    struct arena *a, struct scan *scan_r)
{
	struct command *c = (struct command *)e;

	if (!take_turn(c, until)) {
		scan_r->text = SLICE("too many of it were running");
		return;
	}
	run(c, item, deadline_earlier(until, deadline_in(c->conf.timeout)), a,
	    scan_r);
	end_turn(c);
}

static bool
look(struct engine *e, deadline_t until, struct arena *a,
    struct engine_status *status_r, struct slice *why_r)
{
	struct command *c = (struct command *)e;

	(void)until;
	status_r->version = slice_of(c->conf.program);
	if (access(c->conf.program, X_OK) == 0)
		return true;
	*why_r = arena_printf(a, "%s: %s", c->conf.program, strerror(errno));
	return false;
}

static void
close_engine(struct engine *e)
{
	struct command *c = (struct command *)e;

	engine_fini(e);
	arena_free(c->arena);
	free(c);
}

static const struct engine_kind kind = {
	.scan = scan, .look = look, .close = close_engine, .reads_mail = true,
};

enum rc
engine_command_open(const struct engine_command_conf *conf,
    struct engine **engine_r, struct arena *a, struct slice *why_r)
{
	struct command *c;

	if (access(conf->program, X_OK) != 0) {
		*why_r = arena_printf(a, "engine %.*s: %s: %s",
		    SLICE_ARG(conf->name), conf->program, strerror(errno));
		return RC_BAD;
	}
	c = mem_alloc(sizeof *c);
	c->arena = arena_new();
	engine_init(&c->engine, &kind, conf->name);
	c->conf = *conf;
	c->conf.program = arena_str(c->arena, slice_of(conf->program));
	*engine_r = &c->engine;
	return RC_OK;
}
