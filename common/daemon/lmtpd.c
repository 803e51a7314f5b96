#include "daemon/lmtpd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "log/log.h"

enum { IN = 64 * 1024, BACKLOG = 256, TICK_MS = 1000, WARN_MS = 60 * 1000 };

struct lmtpd_connection {
	struct lmtpd_connection *next, **link;
	struct lmtpd *server;
	int fd;
	struct lmtp lmtp;
	struct lmtpd_due *due;		/* to Postfix, or NULL */
	uint32_t watched;		/* events; 0: none */
	size_t sent;			/* of lmtp.out */
	deadline_t idle;
	size_t have;
	char in[IN];
};

static void ready(void *arg, uint32_t events);

static void
touch(struct lmtpd_connection *c)
{
	c->idle = deadline_in(c->server->idle);
}

/* All is known and, as far as anybody listened, given. */
static bool
whole(const struct lmtpd_due *due)
{
	return !due->working && (due->connection == NULL ||
	    due->given == due->mail->nrecipients);
}

/* --- the end of one ---------------------------------------------------- */

static void
end(struct lmtpd_connection *c)
{
	struct lmtpd *s = c->server;

	loop_unwatch(s->loop, c->fd);
	close(c->fd);
	/* The work goes on without it. */
	if (c->due != NULL) {
		c->due->connection = NULL;
		if (whole(c->due))
			s->release(s->arg, c->due);
	}
	*c->link = c->next;
	if (c->next != NULL)
		c->next->link = c->link;
	lmtp_free(&c->lmtp);
	free(c);
	s->nconnections--;
}

/* --- what is said ------------------------------------------------------ */

static bool
flush(struct lmtpd_connection *c)
{
	struct buf *out = &c->lmtp.out;

	while (c->sent < out->len) {
		ssize_t n = send(c->fd, out->ptr + c->sent, out->len - c->sent,
		    MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN;
		c->sent += (size_t)n;
		touch(c);
	}
	buf_clear(out);
	c->sent = 0;
	return true;
}

/* The answers that are known, in the order of the recipients. */
static void
answer(struct lmtpd_connection *c)
{
	struct lmtpd_due *due = c->due;

	while (due->given < due->mail->nrecipients &&
	    due->replies[due->given].ptr != NULL)
		lmtp_answer(&c->lmtp, due->replies[due->given++]);
	if (!whole(due))
		return;
	c->due = NULL;
	c->server->release(c->server->arg, due);
	lmtp_next(&c->lmtp);
}

/* --- what is read ------------------------------------------------------ */

static void
use(struct lmtpd_connection *c)
{
	for (;;) {
		size_t n = lmtp_feed(&c->lmtp, slice_make(c->in, c->have));

		c->have -= n;
		memmove(c->in, c->in + n, c->have);
		if (c->lmtp.state != LMTP_WHOLE || c->due != NULL)
			return;
		c->due = c->server->deliver(c->server->arg,
		    lmtp_take(&c->lmtp));
		c->due->connection = c;
		answer(c);
		if (c->due != NULL)
			return;
	}
}

static bool
fill(struct lmtpd_connection *c)
{
	ssize_t n;

	if (c->have == sizeof c->in)
		return true;
	n = recv(c->fd, c->in + c->have, sizeof c->in - c->have, MSG_DONTWAIT);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	c->have += (size_t)n;
	touch(c);
	return n > 0;
}

/* While an answer is due, or one has not gone out, nothing more is read. An
 * end that is watched for and not read would be reported for ever, so then it
 * is not even looked for. */
static bool
watch(struct lmtpd_connection *c)
{
	uint32_t want = c->sent < c->lmtp.out.len ? EPOLLOUT :
	    c->due != NULL ? 0 : EPOLLIN;

	if (want == c->watched)
		return true;
	if (c->watched != 0)
		loop_unwatch(c->server->loop, c->fd);
	c->watched = want;
	return want == 0 || loop_watch(c->server->loop, c->fd, want,
	    ready, c);
}

/* What there is to do without waiting. */
static void
go_on(struct lmtpd_connection *c)
{
	use(c);
	if (!flush(c) || (c->lmtp.state == LMTP_GONE &&
	    c->lmtp.out.len == 0) || !watch(c))
		end(c);
}

static void
ready(void *arg, uint32_t events)
{
	struct lmtpd_connection *c = arg;

	if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) &&
	    (c->watched & EPOLLIN) && !fill(c)) {
		end(c);
		return;
	}
	if ((events & (EPOLLHUP | EPOLLERR)) && (c->watched & EPOLLOUT)) {
		end(c);
		return;
	}
	go_on(c);
}

void
lmtpd_told(struct lmtpd *s, struct lmtpd_due *due)
{
	struct lmtpd_connection *c = due->connection;

	if (c == NULL) {
		if (whole(due))
			s->release(s->arg, due);
		return;
	}
	answer(c);
	go_on(c);
}

/* --- new ones ---------------------------------------------------------- */

static bool
allowed(const struct lmtpd *s, int fd)
{
	struct ucred peer;
	socklen_t len = sizeof peer;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0)
		return false;
	for (size_t i = 0; i < s->npeers; i++)
		if (s->peers[i] == peer.uid)
			return true;
	log_warning("connection of uid %d refused: it is not one of peers",
	    (int)peer.uid);
	return false;
}

static void
begin(struct lmtpd *s, int fd)
{
	struct lmtpd_connection *c = mem_alloc(sizeof *c);

	memset(c, 0, offsetof(struct lmtpd_connection, in));
	c->server = s;
	c->fd = fd;
	c->next = s->connections;
	c->link = &s->connections;
	if (c->next != NULL)
		c->next->link = &c->next;
	s->connections = c;
	s->nconnections++;
	lmtp_init(&c->lmtp, s->hostname, s->budget);
	touch(c);
	go_on(c);
}

static void
turn_away(struct lmtpd *s, int fd)
{
	static const char text[] = "421 4.3.2 too many connections\r\n";
	ssize_t n = send(fd, text, sizeof text - 1, MSG_NOSIGNAL |
	    MSG_DONTWAIT);

	(void)n;
	close(fd);
	if (deadline_left(s->warned) > 0)
		return;
	s->warned = deadline_in(WARN_MS);
	log_warning("too many connections (option connections); Postfix tries "
	    "again");
}

static void
accept_one(void *arg, uint32_t events)
{
	struct lmtpd *s = arg;
	int fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)events;
	if (fd < 0)
		return;
	if (!allowed(s, fd))
		close(fd);
	else if (s->nconnections >= s->most)
		turn_away(s, fd);
	else
		begin(s, fd);
}

static void
tick(void *arg)
{
	struct lmtpd *s = arg;
	struct lmtpd_connection *next;

	for (struct lmtpd_connection *c = s->connections; c != NULL; c = next) {
		next = c->next;
		/* Who waits for us is not idle, unless he does not read. */
		if (deadline_left(c->idle) == 0 && (c->due == NULL ||
		    c->lmtp.out.len > 0))
			end(c);
	}
}

enum rc
lmtpd_open(struct lmtpd *s, struct arena *a, struct slice *why_r)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };

	*why_r = arena_printf(a, "%s: the path is too long", s->path);
	if (strlen(s->path) >= sizeof to.sun_path)
		return RC_BAD;
	memcpy(to.sun_path, s->path, strlen(s->path) + 1);
	s->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC |
	    SOCK_NONBLOCK, 0);
	unlink(s->path);
	if (s->listener >= 0 && bind(s->listener, (struct sockaddr *)&to,
	    sizeof to) == 0 && chmod(s->path, 0660) == 0 &&
	    listen(s->listener, BACKLOG) == 0 &&
	    loop_watch(s->loop, s->listener, EPOLLIN, accept_one, s)) {
		loop_every(s->loop, TICK_MS, tick, s);
		return RC_OK;
	}
	*why_r = arena_printf(a, "%s: %s", s->path, strerror(errno));
	return RC_RETRY;
}

void
lmtpd_close(struct lmtpd *s)
{
	struct lmtpd_connection *next;

	loop_unwatch(s->loop, s->listener);
	close(s->listener);
	unlink(s->path);
	for (struct lmtpd_connection *c = s->connections; c != NULL; c = next) {
		next = c->next;
		if (c->due == NULL)
			end(c);
	}
}

void
lmtpd_end(struct lmtpd *s)
{
	struct lmtpd_connection *next;

	for (struct lmtpd_connection *c = s->connections; c != NULL; c = next) {
		next = c->next;
		end(c);
	}
}
