#include "bench/loop.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/slice.h"

enum { BACKLOG = 1024, EVENTS = 64 };

union address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_un un;
};

void
bench_die(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fputs("bench: ", stderr);
	vfprintf(stderr, fmt, args);
	fputc('\n', stderr);
	va_end(args);
	exit(2);
}

struct loop
loop_new(void)
{
	struct loop l = { epoll_create1(EPOLL_CLOEXEC) };

	if (l.epoll < 0)
		bench_die("epoll: %s", strerror(errno));
	return l;
}

static void
loop_control(struct loop *l, struct watch *w, int op)
{
	struct epoll_event ev = {
		.events = EPOLLIN | (w->writes ? (uint32_t)EPOLLOUT : 0),
		.data.ptr = w,
	};

	if (epoll_ctl(l->epoll, op, w->fd, &ev) != 0)
		bench_die("epoll_ctl: %s", strerror(errno));
}

void
loop_add(struct loop *l, struct watch *w, int fd)
{
	if (fcntl(fd, F_SETFL, O_NONBLOCK) != 0)
		bench_die("fcntl: %s", strerror(errno));
	w->fd = fd;
	w->writes = false;
	loop_control(l, w, EPOLL_CTL_ADD);
}

void
loop_writes(struct loop *l, struct watch *w, bool on)
{
	if (w->writes == on)
		return;
	w->writes = on;
	loop_control(l, w, EPOLL_CTL_MOD);
}

void
loop_close(struct loop *l, struct watch *w)
{
	(void)l;			/* close() ends the watching */
	close(w->fd);
	w->fd = -1;
}

bool
loop_run(struct loop *l, int wait_ms)
{
	struct epoll_event events[EVENTS];
	int n = epoll_wait(l->epoll, events, EVENTS, wait_ms);

	if (n < 0 && errno != EINTR)
		bench_die("epoll_wait: %s", strerror(errno));
	for (int i = 0; i < n; i++) {
		struct watch *w = events[i].data.ptr;

		if (w->fd >= 0)		/* an earlier one may have closed it */
			w->ready(w, events[i].events);
	}
	return n != 0;
}

static socklen_t
parse_unix(union address *a, const char *path)
{
	size_t len = strlen(path);

	a->un.sun_family = AF_UNIX;
	if (len >= sizeof a->un.sun_path)
		bench_die("%s: too long for a socket", path);
	memcpy(a->un.sun_path, path, len + 1);
	return sizeof a->un;
}

static socklen_t
parse(union address *a, const char *where)
{
	struct slice port, host = slice_cut(slice_of(where), ':', &port);
	char text[64];
	uint64_t number;

	memset(a, 0, sizeof *a);
	if (slice_eq(host, SLICE("unix")))
		return parse_unix(a, where + sizeof "unix:" - 1);
	snprintf(text, sizeof text, "%.*s", SLICE_ARG(host));
	a->in.sin_family = AF_INET;
	if (inet_pton(AF_INET, text, &a->in.sin_addr) != 1 ||
	    !slice_number(port, 65535, &number))
		bench_die("%s: not ADDRESS:PORT nor unix:PATH", where);
	a->in.sin_port = htons((uint16_t)number);
	return sizeof a->in;
}

static int
new_socket(const union address *a, int how)
{
	int fd = socket(a->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | how, 0);
	int on = 1;

	if (fd < 0)
		bench_die("socket: %s", strerror(errno));
	if (a->any.sa_family == AF_INET) {
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	}
	return fd;
}

int
net_listen(const char *where)
{
	union address a;
	socklen_t len = parse(&a, where);
	int fd = new_socket(&a, 0);

	if (bind(fd, &a.any, len) != 0 || listen(fd, BACKLOG) != 0)
		bench_die("%s: %s", where, strerror(errno));
	return fd;
}

/* Over TCP without waiting, so that a full backlog holds up no other session;
 * a unix socket cannot do that and waits for its place. */
int
net_connect(const char *where)
{
	union address a;
	socklen_t len = parse(&a, where);
	int how = a.any.sa_family == AF_UNIX ? 0 : SOCK_NONBLOCK;
	int fd = new_socket(&a, how);

	if (connect(fd, &a.any, len) != 0 && errno != EINPROGRESS)
		bench_die("%s: %s", where, strerror(errno));
	return fd;
}
