#include "services/track/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "log/log.h"

enum { ROOM = 2 * EXPORT_ENTRY, PAUSE_MS = 1000, SHORT_MS = 5000 };

struct child {
	char *journalctl;
	char since[40], cursor[600];
	int64_t seen;			/* ms of the newest entry */
	pid_t pid;			/* 0: does not run */
	int fd;
	int64_t started;
	bool gave;			/* an entry, since it was started */
	char *room;
	size_t from, len;
};

struct child *
child_new(const char *journalctl, int64_t since)
{
	struct child *c = mem_alloc(sizeof *c);

	*c = (struct child){ .fd = -1, .started = -PAUSE_MS };
	c->journalctl = strdup(journalctl);
	c->room = mem_alloc(ROOM);
	c->seen = since * 1000;
	return c;
}

static void
end(struct child *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	if (c->pid > 0) {
		kill(c->pid, SIGKILL);
		waitpid(c->pid, NULL, 0);
	}
	c->pid = 0;
	c->from = c->len = 0;
}

void
child_free(struct child *c)
{
	if (c == NULL)
		return;
	end(c);
	free(c->journalctl);
	free(c->room);
	free(c);
}

void
child_stop(struct child *c, struct slice cursor)
{
	end(c);
	c->started = -PAUSE_MS;
	c->cursor[0] = '\0';
	if (cursor.len > 0 && cursor.len < sizeof c->cursor - 20)
		snprintf(c->cursor, sizeof c->cursor, "--after-cursor=%.*s",
		    (int)cursor.len, cursor.ptr);
}

static _Noreturn void
run(const struct child *c, int out)
{
	const char *argv[] = { c->journalctl, "--output=export", "--follow",
	    "--no-tail", "--quiet", "SYSLOG_FACILITY=2", c->cursor[0] != '\0' ?
	    c->cursor : c->since, NULL };
	sigset_t none;
	int null = open("/dev/null", O_RDWR);

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	dup2(null, 0);
	dup2(out, 1);
	dup2(null, 2);
	execv(c->journalctl, (char *const *)(uintptr_t)argv);
	_exit(127);
}

static void
start(struct child *c)
{
	int fds[2];

	c->started = clock_mono();
	c->gave = false;
	snprintf(c->since, sizeof c->since, "--since=@%lld",
	    (long long)(c->seen / 1000));
	if (pipe2(fds, O_CLOEXEC) != 0)
		return;
	c->pid = fork();
	if (c->pid == 0)
		run(c, fds[1]);
	close(fds[1]);
	if (c->pid < 0) {
		c->pid = 0;
		close(fds[0]);
		return;
	}
	c->fd = fds[0];
	fcntl(c->fd, F_SETFL, O_NONBLOCK);
}

static void
ended(struct child *c)
{
	bool soon = clock_mono() - c->started < SHORT_MS;

	end(c);
	if (!soon || c->gave) {
		log_warning("%s ended; it is started again", c->journalctl);
	} else if (c->cursor[0] != '\0') {
		/* The journal was vacuumed: the place is not there any more. */
		log_warning("%s does not know where we were; lines may be "
		    "missing", c->journalctl);
		c->cursor[0] = '\0';
	} else {
		log_warning("%s gives nothing; is it installed, and may we "
		    "read the journal?", c->journalctl);
	}
}

static bool
fill(struct child *c)
{
	ssize_t n;

	memmove(c->room, c->room + c->from, c->len);
	c->from = 0;
	n = c->len < ROOM ? read(c->fd, c->room + c->len, ROOM - c->len) : -1;
	if (n > 0) {
		c->len += (size_t)n;
		return true;
	}
	if (n == 0 || (errno != EAGAIN && errno != EINTR))
		ended(c);
	return false;
}

bool
child_next(struct child *c, struct export_entry *e)
{
	if (c->pid == 0) {
		if (clock_mono() - c->started < PAUSE_MS)
			return false;
		start(c);
	}
	while (c->fd >= 0) {
		struct slice rest = slice_make(c->room + c->from, c->len);
		enum export_got got = export_next(&rest, e);

		if (got == EXPORT_BAD) {
			log_warning("%s gave nonsense; it is started again",
			    c->journalctl);
			end(c);
			return false;
		}
		if (got == EXPORT_ONE) {
			c->from = (size_t)(rest.ptr - c->room);
			c->len = rest.len;
			c->gave = true;
			if (e->cursor.len > 0 &&
			    e->cursor.len < sizeof c->cursor - 20)
				snprintf(c->cursor, sizeof c->cursor,
				    "--after-cursor=%.*s", (int)e->cursor.len,
				    e->cursor.ptr);
			if (e->ms > c->seen)
				c->seen = e->ms;
			return true;
		}
		if (!fill(c))
			return false;
	}
	return false;
}
