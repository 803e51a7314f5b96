#include "tools/run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"

static const char *
find_program(struct arena *a, const char *name)
{
	static const char *const dirs[] = { "/usr/sbin", "/usr/bin", "/sbin",
	    "/bin" };

	if (strchr(name, '/') != NULL)
		return name;
	for (size_t i = 0; i < sizeof dirs / sizeof dirs[0]; i++) {
		const char *path = arena_printf(a, "%s/%s", dirs[i], name).ptr;

		if (access(path, X_OK) == 0)
			return path;
	}
	return NULL;
}

/* Only calls that are safe behind fork(2). The environment is made before. */
static void
become(const char *path, char **argv, int out, int err)
{
	static char where[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	static char lang[] = "LC_ALL=C";
	char *env[] = { where, lang, NULL };
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (null >= 0 && dup2(null, STDIN_FILENO) >= 0 &&
	    dup2(out, STDOUT_FILENO) >= 0 && dup2(err, STDERR_FILENO) >= 0)
		execve(path, argv, env);
	_exit(127);
}

/* One read; false at the end. */
static bool
take(int fd, struct buf *into)
{
	char piece[65536];
	ssize_t n = read(fd, piece, sizeof piece);

	if (n < 0)
		return errno == EINTR;
	if (n > 0 && into->len < RUN_SAID)
		buf_add(into, slice_make(piece, (size_t)n));
	return n > 0;
}

/* Until both ends are closed; false when that takes too long. */
static bool
listen_to(int out, int err, struct buf *said, struct buf *wrong)
{
	deadline_t until = deadline_in(RUN_MS);
	struct pollfd p[2] = { { .fd = out, .events = POLLIN },
	    { .fd = err, .events = POLLIN } };

	while (p[0].fd >= 0 || p[1].fd >= 0) {
		int n = poll(p, 2, (int)deadline_left(until));

		if (n == 0 && deadline_left(until) == 0)
			return false;
		for (int i = 0; i < 2; i++)
			if (p[i].fd >= 0 && p[i].revents != 0 &&
			    !take(p[i].fd, i == 0 ? said : wrong))
				p[i].fd = -1;
	}
	return true;
}

static char **
copy_args(struct arena *a, const char *const argv[])
{
	size_t n = 0;
	char **copy;

	while (argv[n] != NULL)
		n++;
	copy = arena_array(a, n + 1, sizeof *copy);
	for (size_t i = 0; i < n; i++)
		copy[i] = arena_str(a, slice_of(argv[i]));
	return copy;
}

static enum rc
ended(struct arena *a, const char *name, pid_t pid, bool late,
    struct run_result *r, struct slice *why_r)
{
	int status = 0;

	if (late)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (!late && WIFEXITED(status)) {
		r->status = WEXITSTATUS(status);
		return RC_OK;
	}
	*why_r = late ? arena_printf(a, "%s did not end for %d seconds", name,
	    RUN_MS / 1000) : arena_printf(a, "%s was ended by signal %d",
	    name, WTERMSIG(status));
	return RC_RETRY;
}

enum rc
run_program(struct arena *a, const char *const argv[], struct run_result *r,
    struct slice *why_r)
{
	const char *path = find_program(a, argv[0]);
	char **args = copy_args(a, argv);
	struct buf out = buf_in(a), err = buf_in(a);
	int o[2], e[2];
	pid_t pid;
	bool late;

	if (path == NULL || pipe2(o, O_CLOEXEC) != 0) {
		*why_r = arena_printf(a, "%s: %s", argv[0], path == NULL ?
		    "there is no such program" : strerror(errno));
		return RC_RETRY;
	}
	if (pipe2(e, O_CLOEXEC) != 0) {
		*why_r = arena_printf(a, "%s: %s", argv[0], strerror(errno));
		close(o[0]);
		close(o[1]);
		return RC_RETRY;
	}
	fflush(NULL);
	pid = fork();
	if (pid == 0)
		become(path, args, o[1], e[1]);
	close(o[1]);
	close(e[1]);
	late = pid > 0 && !listen_to(o[0], e[0], &out, &err);
	close(o[0]);
	close(e[0]);
	if (pid < 0) {
		*why_r = arena_printf(a, "%s: %s", argv[0], strerror(errno));
		return RC_RETRY;
	}
	r->out = buf_slice(&out);
	r->err = buf_slice(&err);
	return ended(a, argv[0], pid, late, r, why_r);
}
