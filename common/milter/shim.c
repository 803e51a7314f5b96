#include "milter/shim.h"

#include <dlfcn.h>
#include <errno.h>
#include <libmilter/mfapi.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "base/clock.h"
#include "log/log.h"

/* libmilter's own names and values (libmilter.h of sendmail 8.17, not
 * installed): what mi_engine returns while the session goes on. */
enum { ENGINE_CONTINUE = 1 };

int mi_start_session(SMFICTX *ctx);
int mi_pool_controller_init(void);
char *mi_rd_cmd(int fd, struct timeval *timeout, char *cmd, size_t *len,
    char *name);
extern int mi_engine(SMFICTX *ctx);
extern int mi_clr_ctx(SMFICTX *ctx);

/* Written by shim_setup before any session, only read afterwards. */
static struct shim_conf conf;
static char *(*library_rd_cmd)(int, struct timeval *, char *, size_t *,
    char *);

static atomic_uint sessions, refused, sessions_max;
static _Atomic int64_t idle;
static atomic_bool started, draining;

/* Of the session that this thread serves. */
static __thread int session_fd = -1;
static __thread bool checked;

enum {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	STACK = 2 * 1024 * 1024,
#else
	STACK = 256 * 1024,
#endif
	TICK = 500,			/* ms between looks at `draining` */
};

void
shim_setup(const struct shim_conf *c)
{
	conf = *c;
	*(void **)&library_rd_cmd = dlsym(RTLD_NEXT, "mi_rd_cmd");
}

void
shim_limits(unsigned most, int64_t silence)
{
	atomic_store(&sessions_max, most);
	atomic_store(&idle, silence);
}

bool
shim_works(void)
{
	return atomic_load(&started) ||
	    dlsym(RTLD_NEXT, "mi_pool_controller_init") == NULL;
}

unsigned
shim_sessions(void)
{
	return atomic_load(&sessions);
}

unsigned
shim_refused(void)
{
	return atomic_load(&refused);
}

static bool
peer_allowed(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof peer;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0)
		return false;
	/* A TCP peer has no credentials: uid -1. */
	for (size_t i = 0; i < conf.npeers; i++)
		if (conf.peers[i] == peer.uid)
			return true;
	log_warning("connection of uid %d refused: it is not one of peers",
	    (int)peer.uid);
	return false;
}

/* The library's, after a look at who speaks. */
char *
mi_rd_cmd(int fd, struct timeval *timeout, char *cmd, size_t *len, char *name)
{
	session_fd = fd;
	if (!checked) {
		checked = true;
		if (!peer_allowed(fd)) {
			atomic_fetch_add(&refused, 1);
			/* The read below sees the end of the connection. */
			shutdown(fd, SHUT_RDWR);
		}
	}
	return library_rd_cmd(fd, timeout, cmd, len, name);
}

int
mi_pool_controller_init(void)
{
	return MI_SUCCESS;
}

/* False when the session is to end: silent too long, or we are stopping. */
static bool
wait_for_peer(SMFICTX *ctx)
{
	deadline_t until = deadline_in(atomic_load(&idle));
	struct pollfd p = { .fd = session_fd, .events = POLLIN };

	for (;;) {
		int n = poll(&p, 1, TICK);

		if (n > 0 || (n < 0 && errno != EINTR))
			return true;
		if (atomic_load(&draining) && conf.quiet(ctx))
			return false;
		if (deadline_left(until) == 0)
			return false;
	}
}

static void *
serve(void *arg)
{
	SMFICTX *ctx = arg;

	while (mi_engine(ctx) == ENGINE_CONTINUE)
		/* The engine itself ends the session when it reads the end
		 * of the connection: its callbacks are called as ever. */
		if (session_fd >= 0 && !wait_for_peer(ctx))
			shutdown(session_fd, SHUT_RDWR);
	mi_clr_ctx(ctx);
	atomic_fetch_sub(&sessions, 1);
	return NULL;
}

static bool
start_thread(SMFICTX *ctx)
{
	pthread_attr_t attr;
	pthread_t thread;
	int error;

	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, STACK);
	error = pthread_create(&thread, &attr, serve, ctx);
	pthread_attr_destroy(&attr);
	return error == 0;
}

/*
 * Called by libmilter's listener. It gives up for ever after a few failures
 * in a row, so one session too many is no failure: it is closed.
 */
int
mi_start_session(SMFICTX *ctx)
{
	atomic_store(&started, true);
	if (atomic_fetch_add(&sessions, 1) < atomic_load(&sessions_max) &&
	    start_thread(ctx))
		return MI_SUCCESS;
	atomic_fetch_sub(&sessions, 1);
	if (atomic_fetch_add(&refused, 1) % 100 == 0)
		log_warning("a session was turned away: %u are open, the "
		    "limit is %u", atomic_load(&sessions),
		    atomic_load(&sessions_max));
	mi_clr_ctx(ctx);
	return MI_SUCCESS;
}

unsigned
shim_drain(int64_t ms)
{
	deadline_t until = deadline_in(ms);

	atomic_store(&draining, true);
	while (shim_sessions() > 0 && deadline_left(until) > 0)
		poll(NULL, 0, 20);
	return shim_sessions();
}
