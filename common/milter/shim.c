#include "milter/shim.h"

#include <dlfcn.h>
#include <errno.h>
#include <libmilter/mfapi.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "log/log.h"

/* libmilter's own names and values (libmilter.h of sendmail 8.17, not
 * installed): what mi_engine returns while the session goes on, and mi_stop
 * while nobody has asked for a stop. */
enum { ENGINE_CONTINUE = 1, STOP_CONTINUE = 0 };

int mi_start_session(SMFICTX *ctx);
int mi_pool_controller_init(void);
char *mi_rd_cmd(int fd, struct timeval *timeout, char *cmd, size_t *len,
    char *name);
extern int mi_stop(void);
extern int mi_engine(SMFICTX *ctx);
extern int mi_clr_ctx(SMFICTX *ctx);

/* Written by shim_setup before any session, only read afterwards. */
static struct shim_conf conf;
static char *(*library_rd_cmd)(int, struct timeval *, char *, size_t *,
    char *);
static int (*library_accept)(int, __SOCKADDR_ARG, socklen_t *restrict);
static pthread_once_t found_accept = PTHREAD_ONCE_INIT;

static atomic_uint sessions, refused, sessions_max;
static _Atomic int64_t idle;
static atomic_bool started, draining, stopping;

/* A session. */
struct peer {
	struct peer *next, **link;
	SMFICTX *ctx;
	int fd;				/* -1: not known before a command */
	atomic_bool idle;		/* waits for the peer, between messages */
};

static pthread_mutex_t list_lock = PTHREAD_MUTEX_INITIALIZER;
static struct peer *peers;		/* guarded by it */
static __thread struct peer *mine;
static __thread int accepted = -1;	/* by the listener, last */

enum {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	STACK = 2 * 1024 * 1024,
#else
	STACK = 256 * 1024,
#endif
};

void
shim_setup(const struct shim_conf *c)
{
	conf = *c;
	*(void **)&library_rd_cmd = dlsym(RTLD_NEXT, "mi_rd_cmd");
}

/* A connection of our own, which nobody serves: poll(2) in the listener comes
 * back, and it sees that it is to stop. Without one it does so later. */
static void
wake_listener(void)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	struct slice path = slice_of(conf.socket);
	int fd;

	if (slice_starts(path, SLICE("unix:")))
		path = slice_after(path, 5);
	else if (slice_starts(path, SLICE("local:")))
		path = slice_after(path, 6);
	if (path.len >= sizeof to.sun_path)
		return;
	memcpy(to.sun_path, path.ptr, path.len);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return;
	if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0)
		log_debug("the listener was not woken");
	close(fd);
}

void
shim_stop_soon(void)
{
	if (mi_stop() == STOP_CONTINUE || atomic_exchange(&stopping, true))
		return;
	wake_listener();
}

void
shim_limits(unsigned most, int64_t silence)
{
	atomic_store(&sessions_max, most);
	atomic_store(&idle, silence);
}

static void
find_accept(void)
{
	*(void **)&library_accept = dlsym(RTLD_NEXT, "accept");
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

static void
check_peer(int fd)
{
	if (peer_allowed(fd))
		return;
	atomic_fetch_add(&refused, 1);
	/* The read that follows sees the end of the connection. */
	shutdown(fd, SHUT_RDWR);
}

/*
 * From here to peer_came a stop may end the session. Either it finds `idle`
 * set, or we find `draining` set: each side writes before it reads.
 */
static void
wait_begins(struct peer *p)
{
	if (p == NULL || p->fd < 0 || !conf.quiet(p->ctx))
		return;
	atomic_store(&p->idle, true);
	if (atomic_load(&draining))
		shutdown(p->fd, SHUT_RDWR);
}

static void
peer_came(struct peer *p)
{
	if (p != NULL)
		atomic_store(&p->idle, false);
}

/* The library's, after a look at who speaks, and with our patience: a peer
 * that stops in the middle of a command is silent too. */
char *
mi_rd_cmd(int fd, struct timeval *timeout, char *cmd, size_t *len, char *name)
{
	int64_t ms = atomic_load(&idle);
	char *got;

	if (mine == NULL) {
		/* A libmilter without a pool: its own thread, each session. */
		static __thread int last = -1;

		if (last != fd)
			check_peer(last = fd);
		return library_rd_cmd(fd, timeout, cmd, len, name);
	}
	if (mine->fd < 0)
		check_peer(mine->fd = fd);
	wait_begins(mine);
	timeout->tv_sec = ms / 1000;
	timeout->tv_usec = ms % 1000 * 1000;
	got = library_rd_cmd(fd, timeout, cmd, len, name);
	peer_came(mine);
	return got;
}

/* How the listener's descriptor becomes known: the context is opaque. Other
 * callers of accept(2) find that it does what it always did. */
int
accept(int fd, __SOCKADDR_ARG address, socklen_t *restrict len)
{
	pthread_once(&found_accept, find_accept);
	return accepted = library_accept(fd, address, len);
}

int
mi_pool_controller_init(void)
{
	return MI_SUCCESS;
}

/* False when the peer was silent too long. */
static bool
wait_for_peer(struct peer *p)
{
	deadline_t until = deadline_in(atomic_load(&idle));
	struct pollfd poll_fd = { .fd = p->fd, .events = POLLIN };
	int n;

	wait_begins(p);
	do {
		n = poll(&poll_fd, 1, (int)deadline_left(until));
	} while (n < 0 && errno == EINTR);
	peer_came(p);
	return n != 0;
}

static void
enlist(struct peer *p)
{
	pthread_mutex_lock(&list_lock);
	p->next = peers;
	p->link = &peers;
	if (peers != NULL)
		peers->link = &p->next;
	peers = p;
	pthread_mutex_unlock(&list_lock);
}

static void
delist(struct peer *p)
{
	pthread_mutex_lock(&list_lock);
	*p->link = p->next;
	if (p->next != NULL)
		p->next->link = p->link;
	pthread_mutex_unlock(&list_lock);
}

static void *
serve(void *arg)
{
	struct peer *p = mine = arg;

	enlist(p);
	/* The engine polls for a millisecond and comes back; it ends the
	 * session itself when it reads the end of the connection, so that
	 * its callbacks are called as ever. */
	do {
		if (p->fd >= 0 && !wait_for_peer(p))
			shutdown(p->fd, SHUT_RDWR);
	} while (mi_engine(p->ctx) == ENGINE_CONTINUE);
	/* Before the descriptor is closed, and may be another's. */
	delist(p);
	mine = NULL;
	mi_clr_ctx(p->ctx);
	free(p);
	atomic_fetch_sub(&sessions, 1);
	return NULL;
}

static bool
start_thread(SMFICTX *ctx, int fd)
{
	struct peer *p = mem_alloc(sizeof *p);
	pthread_attr_t attr;
	pthread_t thread;
	int error;

	p->ctx = ctx;
	p->fd = fd;
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, STACK);
	error = pthread_create(&thread, &attr, serve, p);
	pthread_attr_destroy(&attr);
	if (error != 0)
		free(p);
	return error == 0;
}

/*
 * Called by libmilter's listener. It gives up for ever after a few failures
 * in a row, so one session too many is no failure: it is closed.
 */
int
mi_start_session(SMFICTX *ctx)
{
	int fd = accepted;

	accepted = -1;
	atomic_store(&started, true);
	if (atomic_load(&stopping)) {
		mi_clr_ctx(ctx);
		return MI_SUCCESS;
	}
	if (fd >= 0 && !peer_allowed(fd)) {
		atomic_fetch_add(&refused, 1);
		mi_clr_ctx(ctx);
		return MI_SUCCESS;
	}
	if (atomic_fetch_add(&sessions, 1) < atomic_load(&sessions_max) &&
	    start_thread(ctx, fd))
		return MI_SUCCESS;
	atomic_fetch_sub(&sessions, 1);
	if (atomic_fetch_add(&refused, 1) % 100 == 0)
		log_warning("a session was turned away: %u are open, the "
		    "limit is %u", atomic_load(&sessions),
		    atomic_load(&sessions_max));
	mi_clr_ctx(ctx);
	return MI_SUCCESS;
}

static void
end_idle_sessions(void)
{
	pthread_mutex_lock(&list_lock);
	for (struct peer *p = peers; p != NULL; p = p->next)
		if (atomic_load(&p->idle))
			shutdown(p->fd, SHUT_RDWR);
	pthread_mutex_unlock(&list_lock);
}

unsigned
shim_drain(int64_t ms, unsigned hopeless)
{
	deadline_t until = deadline_in(ms);

	atomic_store(&draining, true);
	end_idle_sessions();
	while (shim_sessions() > hopeless && deadline_left(until) > 0)
		poll(NULL, 0, 20);
	return shim_sessions();
}
