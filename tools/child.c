#include "tools/child.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OUT, ERR, STREAMS };

struct stream {
	int fd;
	struct buf buf;
};

static void
become(const struct child *c)
{
	if (c->uid == 0)
		return;
	if (setgroups(1, &c->gid) != 0 || setgid(c->gid) != 0 ||
	    setuid(c->uid) != 0)
		_exit(127);
}

static void
start(const struct child *c, int out, int err)
{
	static char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	static char locale[] = "LC_ALL=C";
	char *environment[] = { path, locale, NULL };
	int null = open("/dev/null", O_RDONLY);

	setpgid(0, 0);
	signal(SIGPIPE, SIG_DFL);
	if (null < 0 || dup2(null, 0) < 0 || dup2(out, 1) < 0 ||
	    dup2(err, 2) < 0)
		_exit(127);
	close_range(3, ~0U, 0);
	become(c);
	environ = environment;
	execvp(c->argv[0], (char *const *)(uintptr_t)c->argv);
	_exit(127);
}

static pid_t
spawn(const struct child *c, struct stream streams[STREAMS])
{
	int out[2], err[2];
	pid_t pid;

	if (pipe2(out, O_CLOEXEC) != 0)
		return -1;
	if (pipe2(err, O_CLOEXEC) != 0) {
		close(out[0]);
		close(out[1]);
		return -1;
	}
	pid = fork();
	if (pid == 0)
		start(c, out[1], err[1]);
	if (pid > 0)
		setpgid(pid, pid);
	close(out[1]);
	close(err[1]);
	streams[OUT].fd = out[0];
	streams[ERR].fd = err[0];
	return pid;
}

/* False: it is enough, whether for us or for it (*much_r). */
static bool
read_some(struct child *c, struct stream *s, bool is_out, bool *much_r)
{
	ssize_t n = read(s->fd, buf_room(&s->buf, 65536), 65536);

	if (n < 0 && errno == EINTR)
		return true;
	if (n <= 0) {
		close(s->fd);
		s->fd = -1;
		return true;
	}
	if (is_out && c->take != NULL)
		return c->take(slice_make(s->buf.ptr + s->buf.len, (size_t)n),
		    c->arg);
	buf_took(&s->buf, (size_t)n);
	*much_r = s->buf.len > CHILD_MAX;
	return !*much_r;
}

/* NULL when both ends were read, or enough; else what went wrong. */
static const char *
gather(struct child *c, struct stream s[STREAMS], deadline_t until,
    bool *enough_r)
{
	bool much = false;

	while (s[OUT].fd >= 0 || s[ERR].fd >= 0) {
		struct pollfd fds[STREAMS] = {
			{ .fd = s[OUT].fd, .events = POLLIN },
			{ .fd = s[ERR].fd, .events = POLLIN },
		};
		int64_t left = deadline_left(until);

		if (left <= 0)
			return "did not end in time";
		if (poll(fds, STREAMS, left > 60000 ? 60000 : (int)left) < 0 &&
		    errno != EINTR)
			return strerror(errno);
		for (int i = 0; i < STREAMS; i++) {
			if (fds[i].fd < 0 || fds[i].revents == 0 ||
			    read_some(c, &s[i], i == OUT, &much))
				continue;
			*enough_r = !much;
			return much ? "said too much" : NULL;
		}
	}
	return NULL;
}

void
child_end(pid_t pid)
{
	/* -1 would be everybody. */
	if (pid <= 1)
		return;
	kill(-pid, SIGKILL);
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

/* What has closed its output is about to end, but is not waited for longer
 * than the rest. */
static bool
ended(pid_t pid, deadline_t until, int *status_r)
{
	for (;;) {
		pid_t got = waitpid(pid, status_r, WNOHANG);

		if (got == pid)
			return true;
		if ((got < 0 && errno != EINTR) || deadline_left(until) <= 0)
			return false;
		poll(NULL, 0, 1);
	}
}

static bool
exists(const char *name, struct arena *a)
{
	static const char *const dirs[] = { "/usr/sbin", "/usr/bin", "/sbin",
	    "/bin" };

	if (strchr(name, '/') != NULL)
		return access(name, F_OK) == 0;
	for (size_t i = 0; i < sizeof dirs / sizeof dirs[0]; i++)
		if (access(arena_printf(a, "%s/%s", dirs[i], name).ptr,
		    F_OK) == 0)
			return true;
	return false;
}

static enum rc
failed(const struct child *c, struct arena *a, const char *what,
    struct slice *why_r)
{
	*why_r = arena_printf(a, "%s %s", c->argv[0], what);
	return RC_RETRY;
}

enum rc
child_run(struct child *c, deadline_t until, struct arena *a,
    struct slice *why_r)
{
	struct stream s[STREAMS] = { { -1, buf_in(a) }, { -1, buf_in(a) } };
	bool enough = false;
	const char *what;
	int status = 0;
	pid_t pid;

	if (!exists(c->argv[0], a)) {
		*why_r = arena_printf(a, "%s: there is no such program",
		    c->argv[0]);
		return RC_RETRY;
	}
	pid = spawn(c, s);
	if (pid < 0)
		return failed(c, a, strerror(errno), why_r);
	what = gather(c, s, until, &enough);
	for (int i = 0; i < STREAMS; i++)
		if (s[i].fd >= 0)
			close(s[i].fd);
	c->out = buf_slice(&s[OUT].buf);
	c->err = buf_slice(&s[ERR].buf);
	if (what != NULL || enough || !ended(pid, until, &status)) {
		child_end(pid);
		c->status = 0;
		return enough ? RC_OK : failed(c, a, what != NULL ? what :
		    "did not end in time", why_r);
	}
	/* What it left running in its group. */
	kill(-pid, SIGKILL);
	if (WIFSIGNALED(status))
		return failed(c, a, arena_printf(a, "was ended by signal %d",
		    WTERMSIG(status)).ptr, why_r);
	c->status = WEXITSTATUS(status);
	return RC_OK;
}

bool
child_lines(struct slice piece, void *arg)
{
	struct child_lines *l = arg;
	bool more = true;

	while (more && piece.len > 0) {
		size_t end = slice_find(piece, '\n');

		if (l->part.len + end > l->max)
			l->skip = true;
		if (!l->skip)
			buf_add(&l->part, slice_sub(piece, 0, end));
		if (end == piece.len)
			break;
		if (!l->skip)
			more = l->line(buf_slice(&l->part), l->arg);
		buf_clear(&l->part);
		l->skip = false;
		piece = slice_after(piece, end + 1);
	}
	return more;
}

void
child_lines_end(struct child_lines *l)
{
	if (l->part.len > 0 && !l->skip)
		l->line(buf_slice(&l->part), l->arg);
	buf_free(&l->part);
}
