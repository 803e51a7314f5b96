#include "store/ask.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"

enum { PIECE = 64 * 1024 };

struct ask {
	int fd;
	int64_t ms;
	struct buf in;
	size_t used;			/* of in, given out */
	char why[200];
};

static enum rc
fails(struct ask *k, const char *what, struct slice *why_r)
{
	snprintf(k->why, sizeof k->why, "gatehouse-store: %s", what);
	*why_r = slice_of(k->why);
	return RC_RETRY;
}

enum rc
ask_open(const char *path, int64_t ms, struct ask **ask_r, struct arena *a,
    struct slice *why_r)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	struct ask *k;
	int fd;

	if (strlen(path) >= sizeof to.sun_path) {
		*why_r = arena_printf(a, "%s: the path is too long", path);
		return RC_RETRY;
	}
	memcpy(to.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) != 0) {
		*why_r = arena_printf(a, "%s: %s; does gatehouse-store run?",
		    path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return RC_RETRY;
	}
	k = mem_alloc(sizeof *k);
	*k = (struct ask){ .fd = fd, .ms = ms };
	*ask_r = k;
	return RC_OK;
}

static bool
ready(struct ask *k, short events, deadline_t until)
{
	struct pollfd p = { .fd = k->fd, .events = events };
	int n;

	do
		n = poll(&p, 1, (int)deadline_left(until));
	while (n < 0 && errno == EINTR);
	return n > 0;
}

static enum rc
put(struct ask *k, struct slice s, deadline_t until, struct slice *why_r)
{
	while (s.len > 0) {
		ssize_t n = send(k->fd, s.ptr, s.len, MSG_NOSIGNAL |
		    MSG_DONTWAIT);

		if (n > 0)
			s = slice_after(s, (size_t)n);
		else if (errno != EAGAIN && errno != EINTR)
			return fails(k, strerror(errno), why_r);
		else if (!ready(k, POLLOUT, until))
			return fails(k, "no answer in time", why_r);
	}
	return RC_OK;
}

/* More into k->in; RC_BAD at the end of the stream. */
static enum rc
get(struct ask *k, deadline_t until, struct slice *why_r)
{
	ssize_t n;

	if (k->used > 0) {
		k->in.len -= k->used;
		memmove(k->in.ptr, k->in.ptr + k->used, k->in.len);
		k->used = 0;
	}
	if (!ready(k, POLLIN, until))
		return fails(k, "no answer in time", why_r);
	n = recv(k->fd, buf_room(&k->in, PIECE), PIECE, 0);
	if (n < 0)
		return fails(k, strerror(errno), why_r);
	buf_took(&k->in, (size_t)n);
	return n > 0 ? RC_OK : RC_BAD;
}

enum rc
ask_line(struct ask *k, struct slice request, struct slice *answer_r,
    struct slice *why_r)
{
	deadline_t until = deadline_in(k->ms);
	enum rc rc = put(k, request, until, why_r);
	struct slice rest;
	size_t at;

	if (rc == RC_OK)
		rc = put(k, SLICE("\n"), until, why_r);
	while (rc == RC_OK) {
		rest = slice_after(buf_slice(&k->in), k->used);
		at = slice_find(rest, '\n');
		if (at < rest.len) {
			*answer_r = slice_sub(rest, 0, at);
			k->used += at + 1;
			return RC_OK;
		}
		if (rest.len > ASK_ANSWER)
			return fails(k, "an answer without an end", why_r);
		rc = get(k, until, why_r);
		if (rc == RC_BAD)
			return fails(k, "hung up; may this user ask?", why_r);
	}
	return rc;
}

enum rc
ask_bytes(struct ask *k, uint64_t most, struct slice *bytes_r,
    struct slice *why_r)
{
	enum rc rc = RC_OK;

	if (k->used == k->in.len)
		rc = get(k, deadline_in(k->ms), why_r);
	*bytes_r = slice_sub(slice_after(buf_slice(&k->in), k->used), 0,
	    (size_t)most);
	k->used += bytes_r->len;
	return rc == RC_RETRY ? rc : RC_OK;
}

void
ask_close(struct ask *k)
{
	if (k == NULL)
		return;
	close(k->fd);
	buf_free(&k->in);
	free(k);
}
