/* Connections of lmtp(8), in the loop. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "log/log.h"
#include "services/splitter/splitter.h"

enum { IN = 64 * 1024, BACKLOG = 256, TICK_MS = 1000, WARN_MS = 60 * 1000 };

struct connection {
	struct connection *next, **link;
	struct splitter *splitter;
	int fd;
	struct lmtp lmtp;
	struct answers *answers;	/* due to Postfix, or NULL */
	uint32_t watched;		/* events; 0: none */
	size_t sent;			/* of lmtp.out */
	deadline_t idle;
	size_t have;
	char in[IN];
};

static void ready(void *arg, uint32_t events);

static void
touch(struct connection *c)
{
	struct service_set *set = service_set(c->splitter->run);

	c->idle = deadline_in(((const struct splitter_conf *)set->conf)->idle);
	service_set_drop(set);
}

/* --- the end of one ---------------------------------------------------- */

static void
end(struct connection *c)
{
	struct splitter *s = c->splitter;

	loop_unwatch(s->run->loop, c->fd);
	close(c->fd);
	/* The copies go on without it. */
	if (c->answers != NULL) {
		c->answers->connection = NULL;
		if (answers_whole(c->answers))
			answers_free(c->answers);
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
flush(struct connection *c)
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
answer(struct connection *c)
{
	struct answers *a = c->answers;

	while (a->given < a->delivery.letter->nrecipients &&
	    a->replies[a->given].ptr != NULL)
		lmtp_answer(&c->lmtp, a->replies[a->given++]);
	if (!answers_whole(a))
		return;
	c->answers = NULL;
	answers_free(a);
	lmtp_next(&c->lmtp);
}

/* --- what is read ------------------------------------------------------ */

static void
use(struct connection *c)
{
	for (;;) {
		size_t n = lmtp_feed(&c->lmtp, slice_make(c->in, c->have));

		c->have -= n;
		memmove(c->in, c->in + n, c->have);
		if (c->lmtp.state != LMTP_WHOLE || c->answers != NULL)
			return;
		c->answers = deliver(c->splitter, lmtp_take(&c->lmtp), c);
		answer(c);
		if (c->answers != NULL)
			return;
	}
}

static bool
fill(struct connection *c)
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
watch(struct connection *c)
{
	uint32_t want = c->sent < c->lmtp.out.len ? EPOLLOUT :
	    c->answers != NULL ? 0 : EPOLLIN;

	if (want == c->watched)
		return true;
	if (c->watched != 0)
		loop_unwatch(c->splitter->run->loop, c->fd);
	c->watched = want;
	return want == 0 || loop_watch(c->splitter->run->loop, c->fd, want,
	    ready, c);
}

/* What there is to do without waiting. */
static void
go_on(struct connection *c)
{
	use(c);
	if (!flush(c) || (c->lmtp.state == LMTP_GONE &&
	    c->lmtp.out.len == 0) || !watch(c))
		end(c);
}

static void
ready(void *arg, uint32_t events)
{
	struct connection *c = arg;

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
server_told(struct answers *a)
{
	struct connection *c = a->connection;

	if (c == NULL) {
		if (answers_whole(a))
			answers_free(a);
		return;
	}
	answer(c);
	go_on(c);
}

/* --- new ones ---------------------------------------------------------- */

static bool
allowed(const struct splitter *s, int fd)
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
begin(struct splitter *s, int fd, const char *hostname)
{
	struct connection *c = mem_alloc(sizeof *c);

	memset(c, 0, offsetof(struct connection, in));
	c->splitter = s;
	c->fd = fd;
	c->next = s->connections;
	c->link = &s->connections;
	if (c->next != NULL)
		c->next->link = &c->next;
	s->connections = c;
	s->nconnections++;
	/* It outlives a reload. */
	lmtp_init(&c->lmtp, hostname, &s->budget);
	touch(c);
	go_on(c);
}

static void
turn_away(struct splitter *s, int fd)
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
	struct splitter *s = arg;
	int fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct service_set *set;
	const struct splitter_conf *conf;

	(void)events;
	if (fd < 0)
		return;
	set = service_set(s->run);
	conf = set->conf;
	if (!allowed(s, fd))
		close(fd);
	else if (s->nconnections >= conf->connections)
		turn_away(s, fd);
	else
		begin(s, fd, s->hostname);
	service_set_drop(set);
}

static void
tick(void *arg)
{
	struct splitter *s = arg;
	struct connection *next;

	for (struct connection *c = s->connections; c != NULL; c = next) {
		next = c->next;
		/* Who waits for us is not idle, unless he does not read. */
		if (deadline_left(c->idle) == 0 && (c->answers == NULL ||
		    c->lmtp.out.len > 0))
			end(c);
	}
	journal_tick(s->journal);
}

enum rc
server_open(struct splitter *s, const char *path, struct slice *why_r)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };

	*why_r = arena_printf(s->run->arena, "%s: the path is too long", path);
	if (strlen(path) >= sizeof to.sun_path)
		return RC_BAD;
	memcpy(to.sun_path, path, strlen(path) + 1);
	s->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC |
	    SOCK_NONBLOCK, 0);
	unlink(path);
	if (s->listener >= 0 && bind(s->listener, (struct sockaddr *)&to,
	    sizeof to) == 0 && chmod(path, 0660) == 0 &&
	    listen(s->listener, BACKLOG) == 0 &&
	    loop_watch(s->run->loop, s->listener, EPOLLIN, accept_one, s)) {
		loop_every(s->run->loop, TICK_MS, tick, s);
		return RC_OK;
	}
	*why_r = arena_printf(s->run->arena, "%s: %s", path, strerror(errno));
	return RC_RETRY;
}

void
server_close(struct splitter *s)
{
	struct service_set *set = service_set(s->run);
	deadline_t until = deadline_in(((const struct splitter_conf *)
	    set->conf)->drain);
	struct connection *next;

	service_set_drop(set);
	loop_unwatch(s->run->loop, s->listener);
	close(s->listener);
	unlink(s->socket);
	for (struct connection *c = s->connections; c != NULL; c = next) {
		next = c->next;
		if (c->answers == NULL)
			end(c);
	}
	if (!inject_stop(s->injector, until))
		log_info("stopped, with copies under way; Postfix brings them "
		    "again");
	while (s->connections != NULL)
		end(s->connections);
}
