#include "net/http.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TOKEN_MOST = 4096 };

struct http {
	char *host;
	unsigned port;
	const struct stream_tls *tls;
	struct stream *stream;		/* NULL: not connected */
};

struct http *
http_new(const char *host, unsigned port, const struct stream_tls *tls)
{
	struct http *h = mem_alloc(sizeof *h);

	*h = (struct http){ .host = strdup(host), .port = port, .tls = tls };
	return h;
}

static void
hang_up(struct http *h)
{
	stream_close(h->stream);
	h->stream = NULL;
}

void
http_free(struct http *h)
{
	if (h == NULL)
		return;
	hang_up(h);
	free(h->host);
	free(h);
}

/* Who is asked by the path of a socket has no other name than localhost. */
static struct slice
host_of(const struct http *h, struct arena *a)
{
	bool literal = strchr(h->host, ':') != NULL;

	if (h->host[0] == '/')
		return SLICE("localhost");
	return arena_printf(a, "%s%s%s:%u", literal ? "[" : "", h->host,
	    literal ? "]" : "", h->port);
}

static struct slice
head_of(const struct http *h, const struct http_request *q, struct arena *a)
{
	return arena_printf(a, "%s %s HTTP/1.1\r\n"
	    "Host: %.*s\r\nUser-Agent: gatehouse/" VERSION "\r\n"
	    "Accept: */*\r\nContent-Length: %zu\r\n%s\r\n", q->method, q->path,
	    SLICE_ARG(host_of(h, a)), q->body.len, q->more);
}

/* *begun_r: a byte of an answer came. */
static enum rc
read_answer(struct http *h, deadline_t deadline, struct http_answer *r,
    bool *begun_r, struct arena *a, struct slice *why_r)
{
	enum http_got got = HTTP_MORE;
	char room[8192];
	size_t used;

	while (got == HTTP_MORE) {
		ssize_t n = stream_read(h->stream, room, sizeof room, deadline,
		    a, why_r);

		if (n < 0)
			return RC_RETRY;
		if (n == 0 && http_answer_end(r))
			return RC_OK;
		if (n == 0) {
			*why_r = SLICE("it hung up before its answer was "
			    "whole");
			return RC_RETRY;
		}
		*begun_r = true;
		got = http_answer_feed(r, slice_make(room, (size_t)n), &used);
		/* What comes unasked is no answer to anything. */
		if (got == HTTP_WHOLE && used < (size_t)n)
			r->keep = false;
	}
	if (got == HTTP_WHOLE)
		return RC_OK;
	*why_r = SLICE("its answer is no HTTP/1.1, or too long");
	return RC_RETRY;
}

static enum rc
once(struct http *h, struct slice head, const struct http_request *q,
    deadline_t deadline, struct http_answer *r, bool *begun_r, struct arena *a,
    struct slice *why_r)
{
	enum rc rc = RC_RETRY;

	http_answer_begin(r);
	if (q->most > 0)
		r->most = r->kept = q->most;
	if (stream_write(h->stream, head, deadline, a, why_r) &&
	    stream_write(h->stream, q->body, deadline, a, why_r))
		rc = read_answer(h, deadline, r, begun_r, a, why_r);
	if (rc != RC_OK)
		http_answer_free(r);
	if (rc != RC_OK || !r->keep)
		hang_up(h);
	return rc;
}

enum rc
http_ask(struct http *h, const struct http_request *q, deadline_t deadline,
    struct http_answer *answer_r, struct arena *a, struct slice *why_r)
{
	struct slice head = head_of(h, q, a);
	bool kept = h->stream != NULL && stream_idle(h->stream);
	bool begun = false;
	enum rc rc = RC_RETRY;

	if (kept)
		rc = once(h, head, q, deadline, answer_r, &begun, a, why_r);
	if (rc == RC_OK || begun || deadline_left(deadline) == 0)
		return rc;
	hang_up(h);
	h->stream = stream_open(h->host, h->port, h->tls, deadline, a, why_r);
	if (h->stream == NULL)
		return RC_RETRY;
	return once(h, head, q, deadline, answer_r, &begun, a, why_r);
}

enum rc
http_post(struct http *h, const char *path, const char *more,
    struct slice body, deadline_t deadline, struct http_answer *answer_r,
    struct arena *a, struct slice *why_r)
{
	const struct http_request q = { .method = "POST", .path = path,
	    .more = more, .body = body };

	return http_ask(h, &q, deadline, answer_r, a, why_r);
}

bool
http_token(const char *path, const char *scheme, struct buf *out,
    struct arena *a, struct slice *why_r)
{
	char room[TOKEN_MOST];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	ssize_t n = fd >= 0 ? read(fd, room, sizeof room) : -1;
	struct slice token = n > 0 ? slice_trim(slice_make(room, (size_t)n)) :
	    SLICE("");

	if (n < 0)
		*why_r = arena_printf(a, "%s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	for (size_t i = 0; i < token.len; i++)
		if (token.ptr[i] <= ' ' || token.ptr[i] > '~')
			token.len = 0;
	if (n >= 0 && token.len == 0)
		*why_r = arena_printf(a, "%s: it wants a token on one line, "
		    "without blanks", path);
	if (token.len == 0)
		return false;
	buf_addf(out, "Authorization: %s %.*s\r\n", scheme,
	    SLICE_ARG(token));
	return true;
}
