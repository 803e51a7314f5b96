#include "services/store/files.h"
#include "services/store/notices.h"
#include "services/store/waiting.h"

#include <errno.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "log/log.h"

enum { DRAIN_MS = 20 * 1000, BACKLOG = 64 };

struct connection {
	struct store *store;
	int fd;
	bool admin, user, sandbox;
	char name[64];			/* of the peer's user */
	char in[REQUEST_LINE + 1];
	size_t have;
};

/* --- answers ------------------------------------------------------------- */

void
asked_ok(struct asked *q)
{
	json_put_bool(q->answer, "ok", true);
}

void
asked_fails(struct asked *q, const char *error, struct slice why)
{
	json_put_bool(q->answer, "ok", false);
	json_put(q->answer, "error", slice_of(error));
	json_put(q->answer, "why", why);
}

static bool
ready(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };
	int n;

	do
		n = poll(&p, 1, CONTROL_IDLE_MS);
	while (n < 0 && errno == EINTR);
	return n > 0;
}

static bool
put(struct connection *c, struct slice s)
{
	while (s.len > 0) {
		ssize_t n = send(c->fd, s.ptr, s.len, MSG_NOSIGNAL |
		    MSG_DONTWAIT);

		if (n > 0)
			s = slice_after(s, (size_t)n);
		else if (errno != EINTR && (errno != EAGAIN ||
		    !ready(c->fd, POLLOUT)))
			return false;
	}
	return true;
}

static bool
put_object(struct connection *c, struct object *object)
{
	struct slice piece;

	for (;;) {
		if (object_next(object, &piece) != RC_OK) {
			log_error("%s: the stored message cannot be read to "
			    "its end", object_meta(object)->id);
			return false;
		}
		if (piece.len == 0)
			return true;
		if (!put(c, piece))
			return false;
	}
}

static const struct operation *
find(struct slice name)
{
	static const struct operation *const tables[] = { store_operations,
	    notices_operations, waiting_operations, files_operations };

	for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
		for (const struct operation *o = tables[i]; o->name != NULL;
		    o++)
			if (slice_eq(name, slice_of(o->name)))
				return o;
	return NULL;
}

/* Who speaks for others says for whom: both are written down. */
static struct slice
actor_of(const struct connection *c, const struct request *r,
    struct arena *a)
{
	struct slice said = log_safe(a, r->actor, 200);

	return said.len == 0 ? arena_printf(a, "%s", c->name) :
	    arena_printf(a, "%s:%.*s", c->name, SLICE_ARG(said));
}

static void
answer(struct connection *c, struct slice line, struct asked *q)
{
	struct request *r = arena_alloc(q->arena, sizeof *r);
	const struct operation *o;
	struct slice why;

	if (request_read(line, q->arena, r, &why) != RC_OK) {
		asked_fails(q, "bad-request", why);
		return;
	}
	q->request = r;
	q->admin = c->admin && !r->user;
	q->actor = actor_of(c, r, q->arena);
	o = find(r->op);
	if (o == NULL)
		asked_fails(q, "bad-request", SLICE("no such operation"));
	else if (o->asker == ASKER_SANDBOX ? !q->admin && !c->sandbox :
	    !c->admin && !c->user)
		asked_fails(q, "forbidden", SLICE("not for this user"));
	else if (o->asker == ASKER_SANDBOX)
		o->answer(q);
	else if (o->asker == ASKER_ADMIN && !q->admin)
		asked_fails(q, "forbidden", SLICE("only an administrator"));
	else if (o->asker == ASKER_ANYBODY)
		o->answer(q);
	else if (!q->admin && r->recipient.len == 0)
		asked_fails(q, "forbidden", SLICE("recipient is missing"));
	else if (!q->admin && slice_starts(r->recipient, SLICE("@")))
		asked_fails(q, "forbidden", SLICE("one recipient at a time"));
	else
		o->answer(q);
}

static bool
serve_line(struct connection *c, struct slice line)
{
	struct arena *a = arena_new();
	struct buf out = { 0 };
	struct json w;
	struct asked q = { .store = c->store, .arena = a, .answer = &w };
	bool good;

	json_init(&w, &out);
	json_begin_object(&w);
	answer(c, line, &q);
	json_end(&w);
	buf_addc(&out, '\n');
	good = put(c, buf_slice(&out));
	if (q.object != NULL) {
		good = good && put_object(c, q.object);
		object_close(q.object);
	}
	buf_free(&out);
	arena_free(a);
	return good;
}

/* --- connections --------------------------------------------------------- */

static bool
serve_lines(struct connection *c)
{
	char *lf;

	while ((lf = memchr(c->in, '\n', c->have)) != NULL) {
		size_t used = (size_t)(lf - c->in) + 1;

		if (!serve_line(c, slice_make(c->in, used - 1)))
			return false;
		c->have -= used;
		memmove(c->in, c->in + used, c->have);
	}
	return c->have < sizeof c->in;
}

static bool
going_down(struct store *s)
{
	bool yes;

	pthread_mutex_lock(&s->lock);
	yes = s->stopping;
	pthread_mutex_unlock(&s->lock);
	return yes;
}

/* Waits for more of a request, but not for one when we are to stop. */
static bool
more_comes(struct connection *c)
{
	deadline_t until = deadline_in(CONTROL_IDLE_MS);
	struct pollfd p = { .fd = c->fd, .events = POLLIN };

	while (!going_down(c->store) && deadline_left(until) > 0)
		if (poll(&p, 1, 500) > 0)
			return true;
	return false;
}

static void *
converse(void *arg)
{
	struct connection *c = arg;
	struct store *s = c->store;
	ssize_t n = 1;

	while (n > 0 && serve_lines(c) && more_comes(c)) {
		n = recv(c->fd, c->in + c->have, sizeof c->in - c->have, 0);
		if (n > 0)
			c->have += (size_t)n;
	}
	close(c->fd);
	free(c);
	pthread_mutex_lock(&s->lock);
	s->connections--;
	pthread_cond_broadcast(&s->wake);
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

static void
name_of(uid_t uid, char *name, size_t size)
{
	struct passwd pw, *found = NULL;
	char buf[4096];

	if (getpwuid_r(uid, &pw, buf, sizeof buf, &found) == 0 &&
	    found != NULL && strlen(pw.pw_name) < size)
		memcpy(name, pw.pw_name, strlen(pw.pw_name) + 1);
	else
		snprintf(name, size, "uid-%u", (unsigned)uid);
}

/* Is he one of us? Then what he may. */
static bool
judge_peer(struct store *s, int fd, struct connection *c)
{
	struct service_set *set = service_set(s->run);
	const struct store_conf *conf = set->conf;
	struct ucred peer;
	socklen_t len = sizeof peer;
	bool known = false;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0) {
		name_of(peer.uid, c->name, sizeof c->name);
		c->admin = peer.uid == 0 || peer.uid == geteuid() ||
		    conf_list_has(&conf->admins, slice_of(c->name));
		c->user = conf_list_has(&conf->users, slice_of(c->name));
		c->sandbox = conf_list_has(&conf->sandbox_users,
		    slice_of(c->name));
		known = c->admin || c->user || c->sandbox;
		if (!known)
			log_warning("user %s may not ask the quarantine "
			    "(users, admins and sandbox_users name those who "
			    "may)", c->name);
	}
	service_set_drop(set);
	return known;
}

static bool
take_place(struct store *s)
{
	struct service_set *set = service_set(s->run);
	unsigned most = ((const struct store_conf *)set->conf)->connections;
	bool taken;

	pthread_mutex_lock(&s->lock);
	taken = !s->stopping && s->connections < most;
	s->connections += taken;
	pthread_mutex_unlock(&s->lock);
	service_set_drop(set);
	return taken;
}

static void
give_place(struct store *s)
{
	pthread_mutex_lock(&s->lock);
	s->connections--;
	pthread_mutex_unlock(&s->lock);
}

static bool
start_thread(struct connection *c)
{
	pthread_attr_t attr;
	pthread_t thread;
	bool good;

	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	good = pthread_create(&thread, &attr, converse, c) == 0;
	pthread_attr_destroy(&attr);
	return good;
}

static void
accept_one(void *arg, uint32_t events)
{
	struct store *s = arg;
	int fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC);
	struct connection *c;

	(void)events;
	if (fd < 0)
		return;
	c = mem_alloc(sizeof *c);
	memset(c, 0, offsetof(struct connection, in));
	c->have = 0;
	c->store = s;
	c->fd = fd;
	if (judge_peer(s, fd, c)) {
		if (take_place(s)) {
			if (start_thread(c))
				return;
			give_place(s);
		}
		log_warning("too many connections to the control socket; one "
		    "was turned away");
	}
	close(fd);
	free(c);
}

enum rc
control_open(struct store *s, struct slice *why_r)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	const char *path = arena_printf(s->run->arena, "%s/sock",
	    s->run->folder).ptr;

	*why_r = arena_printf(s->run->arena, "%s: the path is too long",
	    path);
	if (strlen(path) >= sizeof to.sun_path)
		return RC_BAD;
	memcpy(to.sun_path, path, strlen(path) + 1);
	s->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC |
	    SOCK_NONBLOCK, 0);
	/* We hold the lock of the folder: who listened here is gone. */
	unlink(path);
	if (s->listener >= 0 && bind(s->listener, (struct sockaddr *)&to,
	    sizeof to) == 0 && chmod(path, 0666) == 0 &&
	    listen(s->listener, BACKLOG) == 0 &&
	    loop_watch(s->run->loop, s->listener, EPOLLIN, accept_one, s))
		return RC_OK;
	*why_r = arena_printf(s->run->arena, "%s: %s", path, strerror(errno));
	return RC_RETRY;
}

void
control_close(struct store *s)
{
	deadline_t until = deadline_in(DRAIN_MS);

	loop_unwatch(s->run->loop, s->listener);
	close(s->listener);
	pthread_mutex_lock(&s->lock);
	while (s->connections > 0 && deadline_left(until) > 0) {
		struct timespec t;

		clock_gettime(CLOCK_REALTIME, &t);
		t.tv_sec += 1;
		pthread_cond_timedwait(&s->wake, &s->lock, &t);
	}
	pthread_mutex_unlock(&s->lock);
}
