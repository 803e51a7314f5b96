/*
 * A zygote and its workers.
 *
 * The zygote has one thread and never reads a hostile byte. For each client
 * (one connection) it makes workers on demand, kills one when told to, and
 * says how each ended. Who hangs up loses his workers. A worker has the one
 * socket to its client and nothing else of the zygote's.
 */
#include "cell/trade.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "cell/frame.h"

enum { CLIENTS = 64, WORKERS = 512, PEERS = 16, REQUESTS = 1000 };

struct worker {
	pid_t pid;			/* 0: free */
	int client;			/* index; -1: he hung up */
};

static struct zygote {
	const struct cell_trade *trade;
	int listener, signals;		/* -1: none */
	int clients[CLIENTS];		/* -1: free */
	struct worker workers[WORKERS];
	uid_t peers[PEERS];
	size_t npeers;
	const char *scratch;
	bool namespaces;
	struct slice hello;
	struct arena *arena;
	struct frame frame;
} zygote = { .listener = -1, .signals = -1 };

/* ---- the worker ---- */

bool
trade_piece(struct trade_request *r, struct slice bytes, int fd)
{
	return bytes.len <= TRADE_PIECE &&
	    frame_send(r->client, FRAME_PIECE, bytes, fd);
}

void
trade_refuse(struct trade_request *r, struct slice why)
{
	frame_send(r->client, FRAME_REFUSE, slice_sub(why, 0, 1000), -1);
}

static bool
map_bytes(struct trade_request *r)
{
	struct stat st;
	void *map;

	r->bytes = SLICE_NONE;
	if (r->fd < 0)
		return true;
	if (fstat(r->fd, &st) != 0 || st.st_size < 0)
		return false;
	r->bytes = SLICE("");
	if (st.st_size == 0)
		return true;
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, r->fd, 0);
	if (map == MAP_FAILED)
		return false;
	r->bytes = slice_make(map, (size_t)st.st_size);
	return true;
}

static void
serve_request(struct zygote *z, int client, bool last, struct arena *a)
{
	struct trade_request r = {
		.request = arena_copy(a, z->frame.bytes), .fd = z->frame.fd,
		.scratch = z->scratch, .arena = a, .client = client,
	};

	if (map_bytes(&r))
		z->trade->work(&r);
	else
		trade_refuse(&r, SLICE("the bytes cannot be mapped"));
	frame_send(client, last ? FRAME_LAST : FRAME_DONE, SLICE(""), -1);
	if (r.bytes.len > 0)
		munmap((void *)(uintptr_t)r.bytes.ptr, r.bytes.len);
	if (r.fd >= 0)
		close(r.fd);
}

/* The folder of one worker: he makes it, the zygote clears it away. */
static const char *
own_scratch(struct zygote *z, pid_t pid)
{
	return arena_printf(z->arena, "%s/%d", z->scratch, (int)pid).ptr;
}

static _Noreturn void
be_worker(struct zygote *z, int client)
{
	unsigned left = z->trade->requests != 0 ? z->trade->requests :
	    REQUESTS;
	struct arena *a = arena_new();
	struct slice why = SLICE("no folder to work in");

	/* Whatever the zygote has open is none of its business. */
	if (client != 3 && dup2(client, 3) != 3)
		_exit(EX_OSERR);
	close_range(4, ~0U, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	z->scratch = own_scratch(z, getpid());
	if (mkdir(z->scratch, 0700) != 0 || walls_raise(&z->trade->walls,
	    z->scratch, z->namespaces, a, &why) != RC_OK) {
		frame_send(3, FRAME_REFUSE, why, -1);
		_exit(EX_OSERR);
	}
	if (z->trade->settle != NULL)
		z->trade->settle();
	while (left-- > 0 && frame_receive(3, &z->frame, DEADLINE_NEVER) == 1 &&
	    z->frame.kind == FRAME_REQUEST) {
		serve_request(z, 3, left == 0, a);
		arena_reset(a);
	}
	_exit(EX_OK);
}

/* ---- the zygote ---- */

static struct worker *
worker_of(struct zygote *z, pid_t pid)
{
	for (size_t i = 0; i < WORKERS; i++)
		if (z->workers[i].pid == pid)
			return &z->workers[i];
	return NULL;
}

static void
cannot(struct zygote *z, int client, const char *what)
{
	frame_send(z->clients[client], FRAME_CANNOT, arena_printf(z->arena,
	    "%s: %s", what, strerror(errno)), -1);
	arena_reset(z->arena);
}

static void
make_worker(struct zygote *z, int client)
{
	struct worker *w = worker_of(z, 0);
	int pair[2];
	pid_t pid;

	errno = EAGAIN;
	if (w == NULL || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
	    pair) != 0) {
		cannot(z, client, "no more workers");
		return;
	}
	pid = fork();
	if (pid == 0) {
		sigset_t none;

		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		be_worker(z, pair[1]);
	}
	close(pair[1]);
	if (pid < 0) {
		cannot(z, client, "fork");
	} else {
		*w = (struct worker){ pid, client };
		frame_send_worker(z->clients[client], FRAME_WORKER, pid, 0,
		    pair[0]);
	}
	close(pair[0]);
}

static int
remove_one(const char *path, const struct stat *st, int flag, struct FTW *at)
{
	(void)st;
	(void)flag;
	(void)at;
	remove(path);
	return 0;
}

/* At the end nobody is left, and nothing of theirs. */
static void
clear_all(struct zygote *z)
{
	for (size_t i = 0; i < WORKERS; i++)
		if (z->workers[i].pid != 0)
			kill(z->workers[i].pid, SIGKILL);
	while (waitpid(-1, NULL, 0) > 0)
		;
	nftw(z->scratch, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void
clear_scratch(struct zygote *z, pid_t pid)
{
	nftw(own_scratch(z, pid), remove_one, 16, FTW_DEPTH | FTW_PHYS);
	arena_reset(z->arena);
}

static void
bury(struct zygote *z)
{
	struct signalfd_siginfo info;
	int status;
	pid_t pid;

	/* Only a bell: one ring may stand for many. */
	if (read(z->signals, &info, sizeof info) < 0 && errno != EAGAIN)
		return;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		struct worker *w = worker_of(z, pid);

		if (w == NULL)
			continue;
		if (w->client >= 0)
			frame_send_worker(z->clients[w->client], FRAME_GONE,
			    pid, status, -1);
		*w = (struct worker){ 0, -1 };
		clear_scratch(z, pid);
	}
}

static void
drop_client(struct zygote *z, int client)
{
	close(z->clients[client]);
	z->clients[client] = -1;
	for (size_t i = 0; i < WORKERS; i++) {
		struct worker *w = &z->workers[i];

		if (w->pid == 0 || w->client != client)
			continue;
		w->client = -1;
		kill(w->pid, SIGKILL);
	}
}

static void
hear_client(struct zygote *z, int client)
{
	struct frame_worker told;
	struct worker *w;

	if (frame_receive(z->clients[client], &z->frame, 0) != 1) {
		drop_client(z, client);
		return;
	}
	if (z->frame.fd >= 0)
		close(z->frame.fd);
	if (z->frame.kind == FRAME_WANT) {
		make_worker(z, client);
	} else if (z->frame.kind == FRAME_KILL &&
	    frame_worker(&z->frame, &told)) {
		/* A pid of somebody else's worker is not for him to kill. */
		w = told.pid > 0 ? worker_of(z, told.pid) : NULL;
		if (w != NULL && w->client == client)
			kill(w->pid, SIGKILL);
	} else {
		drop_client(z, client);
	}
}

static bool
add_client(struct zygote *z, int fd)
{
	for (int i = 0; i < CLIENTS; i++) {
		if (z->clients[i] >= 0)
			continue;
		z->clients[i] = fd;
		if (!frame_send(fd, FRAME_HELLO, z->hello, -1))
			drop_client(z, i);
		return true;
	}
	return false;
}

static bool
is_peer(const struct zygote *z, int fd)
{
	struct ucred who;
	socklen_t len = sizeof who;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) != 0)
		return false;
	for (size_t i = 0; i < z->npeers; i++)
		if (z->peers[i] == who.uid)
			return true;
	return who.uid == 0 || who.uid == geteuid();
}

static void
accept_client(struct zygote *z)
{
	int fd = accept4(z->listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		return;
	if (!is_peer(z, fd) || !add_client(z, fd))
		close(fd);
}

static bool
has_clients(const struct zygote *z)
{
	for (int i = 0; i < CLIENTS; i++)
		if (z->clients[i] >= 0)
			return true;
	return false;
}

static int
serve(struct zygote *z)
{
	struct pollfd p[CLIENTS + 2];

	while (z->listener >= 0 || has_clients(z)) {
		p[0] = (struct pollfd){ z->signals, POLLIN, 0 };
		p[1] = (struct pollfd){ z->listener, POLLIN, 0 };
		for (int i = 0; i < CLIENTS; i++)
			p[i + 2] = (struct pollfd){ z->clients[i], POLLIN, 0 };
		if (poll(p, CLIENTS + 2, -1) < 0 && errno != EINTR)
			return EX_OSERR;
		if (p[0].revents != 0)
			bury(z);
		if (p[1].revents != 0)
			accept_client(z);
		for (int i = 0; i < CLIENTS; i++)
			if (p[i + 2].revents != 0 && z->clients[i] >= 0)
				hear_client(z, i);
	}
	return EX_OK;
}

/* ---- start ---- */

static int
listen_at(const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	const char *passed = getenv("LISTEN_FDS");
	int fd;

	if (strcmp(path, "systemd") == 0)
		return passed != NULL && strcmp(passed, "1") == 0 ? 3 : -1;
	if (strlen(path) >= sizeof at.sun_path)
		return -1;
	memcpy(at.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	unlink(path);
	if (bind(fd, (struct sockaddr *)&at, sizeof at) == 0 &&
	    chmod(path, 0660) == 0 && listen(fd, 64) == 0)
		return fd;
	close(fd);
	return -1;
}

static bool
read_peers(struct zygote *z, const char *list)
{
	struct slice rest = slice_of(list);

	while (rest.ptr != NULL) {
		struct slice name = slice_cut(rest, ',', &rest);
		const struct passwd *pw = getpwnam(arena_str(z->arena, name));

		if (pw == NULL || z->npeers == PEERS)
			return false;
		z->peers[z->npeers++] = pw->pw_uid;
	}
	return true;
}

static int
complain(const char *trade, struct slice why)
{
	fprintf(stderr, "cell %s: %.*s\n", trade, SLICE_ARG(why));
	return EX_TEMPFAIL;
}

/* How clients reach it. They are one socket each, or a listener's. */
static bool
open_door(struct zygote *z, int argc, char **argv, int *fd_r)
{
	*fd_r = -1;
	for (int i = 1; i + 1 < argc; i++) {
		uint64_t n;

		if (strcmp(argv[i], "--fd") == 0 &&
		    slice_number(slice_of(argv[i + 1]), 1023, &n))
			*fd_r = (int)n;
		if (strcmp(argv[i], "--socket") == 0)
			z->listener = listen_at(argv[i + 1]);
		if (strcmp(argv[i], "--peers") == 0 &&
		    !read_peers(z, argv[i + 1]))
			return false;
	}
	return *fd_r >= 0 || z->listener >= 0;
}

static bool
catch_signals(struct zygote *z)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
		return false;
	z->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return z->signals >= 0;
}

static const char *
make_scratch(struct zygote *z)
{
	const char *top = getenv("TMPDIR");
	char *path = arena_str(z->arena, arena_printf(z->arena,
	    "%s/gatehouse-cell-XXXXXX", top != NULL ? top : "/tmp"));

	return mkdtemp(path);
}

int
cell_main(int argc, char **argv, const struct cell_trade *trade)
{
	struct zygote *z = &zygote;
	struct arena *long_lived = arena_new();
	struct slice told = SLICE(""), walls, why = SLICE("cannot load");
	int fd, status;

	z->trade = trade;
	z->arena = long_lived;
	memset(z->clients, -1, sizeof z->clients);
	if (!open_door(z, argc, argv, &fd))
		return complain(trade->name, SLICE("it wants --fd N or "
		    "--socket PATH; gatehouse daemons start it by "
		    "themselves"));
	z->scratch = make_scratch(z);
	if (z->scratch == NULL || !catch_signals(z))
		return complain(trade->name, slice_of(strerror(errno)));
	if (trade->prepare != NULL && !trade->prepare(argc, argv, long_lived,
	    &told, &why)) {
		rmdir(z->scratch);
		return complain(trade->name, why);
	}
	z->namespaces = walls_prepare(z->scratch, &walls, long_lived);
	z->hello = arena_printf(long_lived, "%.*s\n%.*s", SLICE_ARG(walls),
	    SLICE_ARG(told));
	z->arena = arena_new();		/* reset after each use from here on */
	if (fd >= 0)
		add_client(z, fd);
	status = serve(z);
	clear_all(z);
	arena_free(z->arena);
	arena_free(long_lived);
	return status;
}
