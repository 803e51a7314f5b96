/*
 * Who asks.
 *
 * There is one connection to the zygote (control) and one to each worker. A
 * thread that asks takes an idle worker, or has the zygote make one while
 * there are fewer than conf->workers, or waits. It alone reads that worker's
 * socket until the answer is whole. Whoever reads the control connection
 * (under `reading`) files what it says where the one who waits for it looks.
 *
 * Invariants:
 * 1. cell->lock guards lists and counts and is never held while waiting for
 *    a socket; cell->reading is, and is taken first.
 * 2. A worker is in the idle list, or in the hands of one thread.
 * 3. cell->workers counts both, so there are never more than conf->workers.
 * 4. A zygote's generation goes up with each start. What an old one left (a
 *    worker, a death) is not taken for the new one's.
 */
#include "cell/cell.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cell/frame.h"
#include "log/log.h"

enum {
	AGAIN_MS = 1000,		/* between two starts of a zygote */
	DEATH_MS = 2000,		/* that a death is waited to be told */
	END_MS = 1000,			/* that a zygote may take to clear up */
	DEATHS = 1024,			/* told before anybody asked */
};

extern char **environ;

struct worker {
	struct worker *next;
	int fd;
	pid_t pid;
	unsigned generation;
};

struct death {
	pid_t pid;
	int status;
};

struct cell {
	struct cell_conf conf;
	struct arena *arena;		/* conf's text */
	pthread_mutex_t lock, reading;
	pthread_cond_t freed;
	struct worker *idle;
	unsigned workers;
	uint64_t counts[CELL_ENDS];

	/* Of the zygote; changed only with both locks held. */
	int control;			/* -1: none */
	pid_t pid;			/* ours; 0: a unit of its own */
	unsigned generation;
	unsigned owed;			/* workers that nobody waits for now */
	int64_t tried;			/* when it was last started */
	struct buf told;
	bool ready;
	struct death deaths[DEATHS];
	size_t ndeaths;
	struct frame frame;		/* reading */
};

const char *
cell_end_name(enum cell_end end)
{
	static const char *const names[CELL_ENDS] = { "down", "answered",
	    "refused", "crashed", "forbidden", "timeout", "too-much" };

	return end < CELL_ENDS ? names[end] : "unknown";
}

int
cell_memfd(struct slice bytes)
{
	int fd = memfd_create("gatehouse", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return -1;
	while (bytes.len > 0) {
		ssize_t n = write(fd, bytes.ptr, bytes.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		bytes = slice_after(bytes, (size_t)n);
	}
	if (bytes.len == 0 && fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE |
	    F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0)
		return fd;
	close(fd);
	return -1;
}

/* ---- the zygote ---- */

static int
connect_to(const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	memcpy(at.sun_path, path, strlen(path) + 1);
	if (connect(fd, (struct sockaddr *)&at, sizeof at) == 0)
		return fd;
	close(fd);
	return -1;
}

/* argv with --fd 3 behind the program's name. */
static const char **
with_descriptor(const char *const *argv)
{
	size_t n = 0;
	const char **all;

	while (argv[n] != NULL)
		n++;
	all = mem_alloc((n + 3) * sizeof *all);
	all[0] = argv[0];
	all[1] = "--fd";
	all[2] = "3";
	memcpy(all + 3, argv + 1, n * sizeof *all);
	return all;
}

/* It begins with no signal blocked and none ignored, as from a shell. */
static void
plain_signals(posix_spawnattr_t *attr)
{
	sigset_t none, all;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_setsigmask(attr, &none);
	posix_spawnattr_setsigdefault(attr, &all);
	posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGMASK |
	    POSIX_SPAWN_SETSIGDEF);
}

static int
spawn(const char *const *argv, int fd, pid_t *pid_r)
{
	const char **all = with_descriptor(argv);
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	int rc;

	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attr);
	plain_signals(&attr);
	/* Not to be 3 already: then dup2 would leave it close-on-exec. */
	posix_spawn_file_actions_adddup2(&actions, fd, 3);
	rc = posix_spawn(pid_r, argv[0], &actions, &attr,
	    (char *const *)(uintptr_t)all, environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&actions);
	free(all);
	return rc;
}

static int
spawn_cell(const char *const *argv, pid_t *pid_r)
{
	int pair[2], far, rc;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return -1;
	far = fcntl(pair[1], F_DUPFD_CLOEXEC, 10);
	close(pair[1]);
	rc = far >= 0 ? spawn(argv, far, pid_r) : errno;
	if (far >= 0)
		close(far);
	if (rc == 0)
		return pair[0];
	close(pair[0]);
	errno = rc;
	return -1;
}

/* It hears that its socket is closed, clears up and ends; or it has to. */
static void
see_off(pid_t pid)
{
	for (deadline_t until = deadline_in(END_MS);
	    deadline_left(until) > 0; ) {
		if (waitpid(pid, NULL, WNOHANG) != 0)
			return;
		poll(NULL, 0, 2);
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* Both locks are held. */
static void
take_down(struct cell *c)
{
	if (c->control >= 0)
		close(c->control);
	c->control = -1;
	c->ready = false;
	c->ndeaths = 0;
	c->generation++;
	while (c->idle != NULL) {
		struct worker *w = c->idle;

		c->idle = w->next;
		c->workers--;
		close(w->fd);
		free(w);
	}
	if (c->pid > 0)
		see_off(c->pid);
	c->pid = 0;
	c->owed = 0;
	pthread_cond_broadcast(&c->freed);
}

/* Both locks are held. */
static bool
bring_up(struct cell *c)
{
	if (c->control >= 0)
		return true;
	if (c->tried != 0 && clock_mono() - c->tried < AGAIN_MS)
		return false;
	c->tried = clock_mono();
	c->control = c->conf.socket != NULL ? connect_to(c->conf.socket) :
	    spawn_cell(c->conf.argv, &c->pid);
	return c->control >= 0;
}

static void
file_death(struct cell *c, const struct frame_worker *gone)
{
	/* Of workers that ended well nobody asks; the oldest make room. */
	if (c->ndeaths == DEATHS) {
		memmove(c->deaths, c->deaths + DEATHS / 2,
		    DEATHS / 2 * sizeof c->deaths[0]);
		c->ndeaths = DEATHS / 2;
	}
	c->deaths[c->ndeaths++] = (struct death){ gone->pid, gone->status };
}

static bool
find_death(struct cell *c, pid_t pid, int *status_r)
{
	for (size_t i = 0; i < c->ndeaths; i++) {
		if (c->deaths[i].pid != pid)
			continue;
		*status_r = c->deaths[i].status;
		c->deaths[i] = c->deaths[--c->ndeaths];
		return true;
	}
	return false;
}

static void
hear_hello(struct cell *c, struct slice text)
{
	struct slice told, walls = slice_cut(text, '\n', &told);

	log_info("cell %s: ready behind %.*s; %.*s", c->conf.name,
	    SLICE_ARG(walls), SLICE_ARG(told));
	pthread_mutex_lock(&c->lock);
	buf_clear(&c->told);
	buf_add(&c->told, told);
	c->ready = true;
	pthread_mutex_unlock(&c->lock);
}

/* `reading` is held. */
static void
zygote_ended(struct cell *c)
{
	log_warning("cell %s: its zygote ended%s", c->conf.name,
	    c->ready ? "" : " before it was ready");
	pthread_mutex_lock(&c->lock);
	take_down(c);
	pthread_mutex_unlock(&c->lock);
}

/*
 * The next frame of the zygote; `reading` is held. What it says of deaths and
 * of itself is filed; a worker that came too late for who wanted it is let
 * go (and counts as DONE: orders are filled in their order). False: not by the
 * deadline, or it is gone; then it has been taken down.
 */
static bool
hear(struct cell *c, deadline_t until)
{
	struct frame_worker gone;
	int got = frame_receive(c->control, &c->frame, until);

	if (got < 0)
		return false;
	if (got == 0) {
		zygote_ended(c);
		return false;
	}
	if ((c->frame.kind == FRAME_WORKER || c->frame.kind == FRAME_CANNOT) &&
	    c->owed > 0) {
		c->owed--;
		c->frame.kind = FRAME_DONE;
	}
	if (c->frame.fd >= 0 && c->frame.kind != FRAME_WORKER)
		close(c->frame.fd);
	if (c->frame.kind == FRAME_HELLO)
		hear_hello(c, c->frame.bytes);
	if (c->frame.kind == FRAME_GONE && frame_worker(&c->frame, &gone))
		file_death(c, &gone);
	return true;
}

/* `reading` is held: there is a zygote, and it has loaded. One that ends while
 * it loads is started again, unless `once`. */
static bool
be_ready(struct cell *c, deadline_t until, bool once)
{
	bool up;

	for (;;) {
		pthread_mutex_lock(&c->lock);
		up = bring_up(c);
		pthread_mutex_unlock(&c->lock);
		if (up && c->ready)
			return true;
		if (deadline_left(until) == 0)
			return false;
		if (up && !hear(c, until) && once)
			return false;
		if (!up)
			poll(NULL, 0, 20);
	}
}

/* ---- workers ---- */

static struct worker *
new_worker(struct cell *c, pid_t pid, int fd)
{
	struct worker *w = mem_alloc(sizeof *w);

	w->fd = fd;
	w->pid = pid;
	w->generation = c->generation;
	return w;
}

/* `reading` is held. */
static struct worker *
order_worker(struct cell *c, deadline_t until)
{
	struct frame_worker made;
	int status;

	if (!be_ready(c, until, false))
		return NULL;
	if (!frame_send(c->control, FRAME_WANT, SLICE(""), -1)) {
		zygote_ended(c);
		return NULL;
	}
	while (c->control >= 0 && hear(c, until)) {
		if (c->frame.kind == FRAME_CANNOT) {
			log_warning("cell %s: %.*s", c->conf.name,
			    SLICE_ARG(c->frame.bytes));
			return NULL;
		}
		if (c->frame.kind != FRAME_WORKER)
			continue;
		if (c->frame.fd < 0 || !frame_worker(&c->frame, &made))
			return NULL;
		/* An earlier one of that number is long gone. */
		find_death(c, made.pid, &status);
		return new_worker(c, made.pid, c->frame.fd);
	}
	if (c->control >= 0)
		c->owed++;
	return NULL;
}

static void
until_time(deadline_t until, struct timespec *t)
{
	int64_t ms = until == DEADLINE_NEVER ? INT64_MAX / 4000 : until;

	t->tv_sec = (time_t)(ms / 1000);
	t->tv_nsec = (long)(ms % 1000) * 1000000;
}

/* While a zygote loads, somebody else may be waiting for it. */
static struct worker *
ordered(struct cell *c, deadline_t until)
{
	struct worker *w;

	while (pthread_mutex_trylock(&c->reading) != 0) {
		if (deadline_left(until) == 0)
			return NULL;
		poll(NULL, 0, 1);
	}
	w = order_worker(c, until);
	pthread_mutex_unlock(&c->reading);
	return w;
}

/* An idle one, or the right to have one made (NULL); false: neither came. */
static bool
reserve(struct cell *c, deadline_t until, struct worker **w_r)
{
	struct timespec t;
	bool mine = false;

	until_time(until, &t);
	*w_r = NULL;
	pthread_mutex_lock(&c->lock);
	while (!mine) {
		if (c->idle != NULL) {
			*w_r = c->idle;
			c->idle = (*w_r)->next;
			mine = true;
		} else if (c->workers < c->conf.workers) {
			c->workers++;
			mine = true;
		} else if (pthread_cond_clockwait(&c->freed, &c->lock,
		    CLOCK_MONOTONIC, &t) == ETIMEDOUT) {
			break;
		}
	}
	pthread_mutex_unlock(&c->lock);
	return mine;
}

static void
lose(struct cell *c, struct worker *w)
{
	if (w != NULL) {
		close(w->fd);
		free(w);
	}
	pthread_mutex_lock(&c->lock);
	c->workers--;
	pthread_cond_signal(&c->freed);
	pthread_mutex_unlock(&c->lock);
}

static void
give_back(struct cell *c, struct worker *w)
{
	bool old;

	pthread_mutex_lock(&c->lock);
	old = w->generation != c->generation;
	if (!old) {
		w->next = c->idle;
		c->idle = w;
		pthread_cond_signal(&c->freed);
	}
	pthread_mutex_unlock(&c->lock);
	if (old)
		lose(c, w);
}

/* It may have ended while it was idle: that is nobody's fault. */
static bool
alive(const struct worker *w)
{
	struct pollfd p = { w->fd, POLLIN, 0 };

	return poll(&p, 1, 0) == 0;
}

static struct worker *
take_worker(struct cell *c, deadline_t until)
{
	struct worker *w;

	for (;;) {
		if (!reserve(c, until, &w))
			return NULL;
		if (w != NULL && alive(w))
			return w;
		if (w != NULL) {
			lose(c, w);
			continue;
		}
		w = ordered(c, until);
		if (w == NULL)
			lose(c, NULL);
		return w;
	}
}

/* One after the other, since nobody gives one back meanwhile. */
void
cell_warm(struct cell *c, deadline_t until)
{
	struct worker *all = NULL, *w;

	for (unsigned n = 0; n < c->conf.workers; n++) {
		w = take_worker(c, until);
		if (w == NULL)
			break;
		w->next = all;
		all = w;
	}
	while ((w = all) != NULL) {
		all = w->next;
		give_back(c, w);
	}
}

static void
kill_worker(struct cell *c, const struct worker *w)
{
	pthread_mutex_lock(&c->reading);
	if (c->control >= 0 && c->generation == w->generation)
		frame_send_worker(c->control, FRAME_KILL, w->pid, 0, -1);
	pthread_mutex_unlock(&c->reading);
}

/* How it ended, as its zygote saw it. */
static bool
death_of(struct cell *c, const struct worker *w, int *status_r)
{
	deadline_t until = deadline_in(DEATH_MS);
	bool found;

	pthread_mutex_lock(&c->reading);
	found = find_death(c, w->pid, status_r);
	while (!found && c->control >= 0 && c->generation == w->generation &&
	    hear(c, until))
		found = find_death(c, w->pid, status_r);
	pthread_mutex_unlock(&c->reading);
	return found;
}

/* ---- asking ---- */

static void
ends(struct cell_answer *answer, enum cell_end end, struct slice why)
{
	answer->end = end;
	answer->why = why;
}

static void
close_piece(void *arg)
{
	close(((struct cell_piece *)arg)->fd);
}

static void
keep_piece(const struct frame *f, struct arena *a, struct cell_answer *answer,
    struct cell_piece ***last)
{
	struct cell_piece *p = arena_alloc(a, sizeof *p);

	p->bytes = arena_copy(a, f->bytes);
	p->fd = f->fd;
	if (p->fd >= 0)
		arena_defer(a, close_piece, p);
	**last = p;
	*last = &p->next;
	answer->npieces++;
}

static void
explain_death(struct cell *c, const struct worker *w, struct arena *a,
    struct cell_answer *answer)
{
	int status;

	if (!death_of(c, w, &status))
		ends(answer, CELL_DOWN, SLICE("the cell went away"));
	else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
		ends(answer, CELL_FORBIDDEN, SLICE("it called what is "
		    "forbidden"));
	else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)
		ends(answer, CELL_TIMEOUT, SLICE("its processor time ran "
		    "out"));
	else if (WIFSIGNALED(status))
		ends(answer, CELL_CRASHED, arena_printf(a, "it died of "
		    "signal %d", WTERMSIG(status)));
	else
		ends(answer, CELL_CRASHED, arena_printf(a, "it ended with "
		    "status %d", WEXITSTATUS(status)));
}

enum after { AFTER_MORE, AFTER_NONE, AFTER_KILL };

/* What becomes of the worker: it waits for the next request, it leaves by
 * itself, or it has to. */
static enum after
collect(struct cell *c, struct worker *w, deadline_t until, struct arena *a,
    struct cell_answer *answer)
{
	struct frame *f = mem_alloc(sizeof *f);
	struct cell_piece **last = &answer->pieces;
	size_t bytes = 0;
	enum after after = AFTER_KILL;
	int got;

	ends(answer, CELL_ANSWERED, SLICE(""));
	while ((got = frame_receive(w->fd, f, until)) == 1 &&
	    f->kind != FRAME_DONE && f->kind != FRAME_LAST) {
		bytes += f->bytes.len;
		if (f->kind == FRAME_REFUSE)
			ends(answer, CELL_REFUSED, arena_copy(a, f->bytes));
		else if (f->kind == FRAME_PIECE)
			keep_piece(f, a, answer, &last);
		if (f->fd >= 0 && f->kind != FRAME_PIECE)
			close(f->fd);
		if (bytes > c->conf.answer_max ||
		    answer->npieces > c->conf.pieces_max)
			break;
	}
	if (got == 1 && (f->kind == FRAME_DONE || f->kind == FRAME_LAST)) {
		if (f->fd >= 0)
			close(f->fd);
		after = f->kind == FRAME_DONE ? AFTER_MORE : AFTER_NONE;
	} else if (got == 1) {
		ends(answer, CELL_TOO_MUCH, SLICE("its answer is too large"));
	} else if (got < 0) {
		ends(answer, CELL_TIMEOUT, SLICE("no answer in time"));
	} else {
		explain_death(c, w, a, answer);
	}
	free(f);
	return after;
}

static void
ask_worker(struct cell *c, struct worker *w, struct slice request, int fd,
    deadline_t until, struct arena *a, struct cell_answer *answer)
{
	enum after after = AFTER_NONE;

	if (frame_send(w->fd, FRAME_REQUEST, request, fd))
		after = collect(c, w, until, a, answer);
	else
		ends(answer, CELL_DOWN, SLICE("the worker was gone"));
	if (after == AFTER_KILL)
		kill_worker(c, w);
	if (after == AFTER_MORE)
		give_back(c, w);
	else
		lose(c, w);
}

void
cell_ask(struct cell *c, struct slice request, int fd, deadline_t until,
    struct arena *a, struct cell_answer *answer)
{
	int64_t began = clock_mono_us();
	struct worker *w = NULL;

	*answer = (struct cell_answer){ .end = CELL_DOWN,
	    .why = SLICE("the request is too long") };
	if (request.len <= CELL_REQUEST) {
		w = take_worker(c, until);
		if (w == NULL)
			answer->why = SLICE("no worker was free in time");
	}
	if (w != NULL)
		ask_worker(c, w, request, fd, until, a, answer);
	answer->us = clock_mono_us() - began;
	pthread_mutex_lock(&c->lock);
	c->counts[answer->end]++;
	pthread_mutex_unlock(&c->lock);
}

/* ---- opening ---- */

const char *
cell_program(struct arena *a, const char *name)
{
	static const char *const trees[] = { "..", "../.." };
	char exe[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof exe);
	struct slice dir = slice_make(exe, n > 0 ? (size_t)n : 0);

	dir = slice_sub(dir, 0, slice_find_last(dir, '/'));
	for (size_t i = 0; i < 2; i++) {
		const char *path = arena_printf(a, "%.*s/%s/cells/%s/"
		    "gatehouse-cell-%s", SLICE_ARG(dir), trees[i], name,
		    name).ptr;

		if (access(path, X_OK) == 0)
			return path;
	}
	return arena_printf(a, "%s/gatehouse-cell-%s", CELL_DIR, name).ptr;
}

static void
copy_conf(struct cell *c, const struct cell_conf *conf)
{
	const char **argv;
	size_t n = 0;

	c->conf = *conf;
	c->conf.name = arena_str(c->arena, slice_of(conf->name));
	if (conf->socket != NULL)
		c->conf.socket = arena_str(c->arena, slice_of(conf->socket));
	if (conf->argv == NULL)
		return;
	while (conf->argv[n] != NULL)
		n++;
	argv = arena_array(c->arena, n + 1, sizeof *argv);
	for (size_t i = 0; i < n; i++)
		argv[i] = arena_str(c->arena, slice_of(conf->argv[i]));
	c->conf.argv = argv;
}

static const char *
wrong(const struct cell_conf *conf)
{
	struct sockaddr_un at;

	if (conf->workers < 1 || conf->workers > CELL_WORKERS)
		return "the number of workers is out of range";
	if (conf->socket != NULL)
		return strlen(conf->socket) < sizeof at.sun_path ? NULL :
		    "the path of its socket is too long";
	return conf->argv != NULL && access(conf->argv[0], X_OK) == 0 ? NULL :
	    "its program cannot be run";
}

enum rc
cell_open(const struct cell_conf *conf, struct cell **cell_r, struct arena *a,
    struct slice *why_r)
{
	const char *what = wrong(conf);
	struct cell *c;

	*cell_r = NULL;
	if (what != NULL) {
		*why_r = arena_printf(a, "cell %s (%s): %s", conf->name,
		    conf->socket != NULL ? conf->socket : conf->argv != NULL ?
		    conf->argv[0] : "no program", what);
		return RC_BAD;
	}
	c = mem_alloc(sizeof *c);
	c->arena = arena_new();
	copy_conf(c, conf);
	c->control = -1;
	pthread_mutex_init(&c->lock, NULL);
	pthread_mutex_init(&c->reading, NULL);
	pthread_cond_init(&c->freed, NULL);
	/* A cell that is a unit of its own may come later. */
	bring_up(c);
	*cell_r = c;
	return RC_OK;
}

enum rc
cell_ready(struct cell *c, deadline_t until, struct arena *a,
    struct slice *why_r)
{
	bool ready;

	pthread_mutex_lock(&c->reading);
	ready = be_ready(c, until, true);
	pthread_mutex_unlock(&c->reading);
	if (ready)
		return RC_OK;
	*why_r = arena_printf(a, "cell %s did not become ready", c->conf.name);
	return RC_RETRY;
}

struct slice
cell_told(struct cell *c, struct arena *a)
{
	struct slice told;

	pthread_mutex_lock(&c->lock);
	told = arena_copy(a, buf_slice(&c->told));
	pthread_mutex_unlock(&c->lock);
	return told;
}

void
cell_counts(struct cell *c, uint64_t counts_r[CELL_ENDS])
{
	pthread_mutex_lock(&c->lock);
	memcpy(counts_r, c->counts, sizeof c->counts);
	pthread_mutex_unlock(&c->lock);
}

void
cell_close(struct cell *c)
{
	if (c == NULL)
		return;
	take_down(c);
	buf_free(&c->told);
	pthread_cond_destroy(&c->freed);
	pthread_mutex_destroy(&c->reading);
	pthread_mutex_destroy(&c->lock);
	arena_free(c->arena);
	free(c);
}
