#include "services/track/control.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "journal/event.h"
#include "log/log.h"
#include "services/track/forget.h"
#include "text/json.h"

enum { REQUEST = 4096, WAIT_S = 2 };

struct control {
	int fd, client;			/* client -1: none */
	int64_t uid;			/* of the client */
	const char *folder, *path;
	struct loop *loop;
	struct feed *feed;
	struct forget *job;
	struct arena *arena;		/* of the request */
};

static void
answer(struct control *c, const struct buf *out)
{
	/* Who does not listen any more misses it; the work is done. */
	if (send(c->client, out->ptr, out->len, MSG_NOSIGNAL) !=
	    (ssize_t)out->len)
		log_warning("control: an answer could not be given");
	close(c->client);
	c->client = -1;
	forget_close(c->job);
	c->job = NULL;
	arena_reset(c->arena);
}

static void
refuse(struct control *c, bool held, struct slice why)
{
	struct buf out = buf_in(c->arena);
	struct json w;

	json_init(&w, &out);
	json_begin_object(&w);
	json_put_bool(&w, "ok", false);
	json_put_bool(&w, "held", held);
	json_put(&w, "why", why);
	json_end(&w);
	buf_addc(&out, '\n');
	answer(c, &out);
}

static void
finish(struct control *c)
{
	struct buf out = buf_in(c->arena);
	struct forget *f = c->job;
	struct slice why;
	struct json w;

	if (forget_proof(f, c->uid, &why) != RC_OK) {
		refuse(c, false, arena_copy(c->arena, why));
		return;
	}
	log_info("an address was erased: messages=%lld, recipients=%lld, "
	    "events=%lld", (long long)f->messages, (long long)f->recipients,
	    (long long)f->findings);
	json_init(&w, &out);
	json_begin_object(&w);
	json_put_bool(&w, "ok", true);
	json_put_int(&w, "messages", f->messages);
	json_put_int(&w, "recipients", f->recipients);
	json_put_int(&w, "events", f->findings);
	json_put_int(&w, "steps", f->steps);
	json_put_int(&w, "waiting", f->waiting);
	json_end(&w);
	buf_addc(&out, '\n');
	answer(c, &out);
}

bool
control_step(struct control *c)
{
	struct slice why;
	bool more = false;

	if (c->job == NULL)
		return false;
	if (forget_step(c->job, &more) != RC_OK) {
		db_trouble(feed_db(c->feed), c->arena, &why);
		refuse(c, false, why);
		return false;
	}
	if (!more)
		finish(c);
	return more;
}

static void
begin(struct control *c, struct slice line)
{
	struct buf yes = buf_in(c->arena);
	json_t *request = event_read(line);
	struct slice why = SLICE("this is no request");
	bool held = false;
	bool ask = slice_eq(event_text(request, "verb"), SLICE("may-forget"));
	bool hello = slice_eq(event_text(request, "verb"), SLICE("hello"));

	if (ask || slice_eq(event_text(request, "verb"), SLICE("forget")))
		c->job = forget_open(c->folder, feed_db(c->feed),
		    event_text(request, "address"), &held, c->arena, &why);
	json_decref(request);
	if (c->job == NULL && !hello) {
		refuse(c, held, why);
	} else if (ask || hello) {
		buf_adds(&yes, "{\"ok\":true}\n");
		answer(c, &yes);
	}
}

/* Peers are root or ourselves, so a short wait does no harm. */
static void
read_request(struct control *c)
{
	struct timeval wait = { .tv_sec = WAIT_S };
	char room[REQUEST];
	size_t len = 0;

	setsockopt(c->client, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
	setsockopt(c->client, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
	while (len < sizeof room) {
		ssize_t n = recv(c->client, room + len, sizeof room - len, 0);

		if (n <= 0)
			break;
		len += (size_t)n;
		if (memchr(room, '\n', len) != NULL)
			break;
	}
	begin(c, slice_sub(slice_make(room, len), 0,
	    slice_find(slice_make(room, len), '\n')));
}

static void
ready(void *arg, uint32_t events)
{
	struct control *c = arg;
	struct ucred who;
	socklen_t len = sizeof who;
	int fd;

	(void)events;
	if (c->client >= 0)
		return;
	fd = accept4(c->fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd < 0)
		return;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) != 0 ||
	    (who.uid != 0 && who.uid != geteuid())) {
		log_warning("control: user %d may not speak to us",
		    len == sizeof who ? (int)who.uid : -1);
		close(fd);
		return;
	}
	c->client = fd;
	c->uid = who.uid;
	read_request(c);
}

enum rc
track_control_open(struct control **control_r, const char *folder,
    struct loop *loop, struct feed *feed, struct arena *a,
    struct slice *why_r)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct control *c = arena_alloc(a, sizeof *c);

	*c = (struct control){ .client = -1, .folder = folder, .loop = loop,
	    .feed = feed, .arena = arena_new() };
	c->path = arena_printf(a, "%s/control", folder).ptr;
	snprintf(un.sun_path, sizeof un.sun_path, "%s", c->path);
	unlink(c->path);
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (strlen(c->path) >= sizeof un.sun_path)
		errno = ENAMETOOLONG;
	else if (c->fd >= 0 && bind(c->fd, (struct sockaddr *)&un,
	    sizeof un) == 0 && chmod(c->path, 0600) == 0 &&
	    listen(c->fd, 8) == 0 && loop_watch(loop, c->fd, EPOLLIN, ready,
	    c)) {
		*control_r = c;
		return RC_OK;
	}
	*why_r = arena_printf(a, "%s: %s", c->path, strerror(errno));
	if (c->fd >= 0)
		close(c->fd);
	arena_free(c->arena);
	return RC_RETRY;
}

void
track_control_close(struct control *c)
{
	if (c == NULL)
		return;
	loop_unwatch(c->loop, c->fd);
	close(c->fd);
	if (c->client >= 0)
		close(c->client);
	forget_close(c->job);
	unlink(c->path);
	arena_free(c->arena);
}
