#include "services/track/send.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/write.h"
#include "log/log.h"
#include "net/http.h"
#include "net/url.h"

enum { SEND_FILE = 0, SEND_SYSLOG, SEND_HTTP, TOKEN_MOST = 4096,
    DATAGRAM = 60000 };

struct sender {
	unsigned number;
	const struct track_conf *conf;
	struct url url;
	char *host;			/* as a C string */
	int fd;				/* of a datagram socket */
	struct stream *stream;		/* of syslog over TCP */
	struct stream_tls *tls;
	struct http *http;
	char name[256];			/* ours, for syslog */
};

struct sender *
sender_new(unsigned number, const struct track_conf *conf)
{
	struct sender *s = mem_alloc(sizeof *s);

	*s = (struct sender){ .number = number, .conf = conf, .fd = -1 };
	if (number == SEND_SYSLOG)
		syslog_parse(slice_of(conf->siem_syslog), &s->url);
	else if (number == SEND_HTTP)
		url_parse(slice_of(conf->siem_http), &s->url);
	s->host = strndup(s->url.host.len > 0 ? s->url.host.ptr : "",
	    s->url.host.len);
	if (gethostname(s->name, sizeof s->name - 1) != 0 ||
	    s->name[0] == '\0')
		snprintf(s->name, sizeof s->name, "-");
	return s;
}

static void
hang_up(struct sender *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
	stream_close(s->stream);
	s->stream = NULL;
}

void
sender_free(struct sender *s)
{
	if (s == NULL)
		return;
	hang_up(s);
	http_free(s->http);
	stream_tls_free(s->tls);
	free(s->host);
	free(s);
}

static bool
fails(struct arena *a, struct slice *why_r, const char *what)
{
	*why_r = arena_printf(a, "%s: %s", what, strerror(errno));
	return false;
}

/* --- a file -------------------------------------------------------------- */

/*
 * Opened for each bundle, so that one that was moved away is begun anew. What
 * was written by half before (a full disk) is closed by an empty line.
 */
static size_t
to_file(struct sender *s, const struct bundle *b, struct arena *a,
    struct slice *why_r)
{
	const char *path = s->conf->siem_file;
	int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC |
	    O_NOFOLLOW | O_NOCTTY | O_NONBLOCK, 0640);
	struct buf out = buf_in(a);
	struct stat st;
	char last;
	bool good;

	if (fd < 0 || fstat(fd, &st) != 0) {
		fails(a, why_r, path);
		if (fd >= 0)
			close(fd);
		return 0;
	}
	if (S_ISREG(st.st_mode) && st.st_size > 0 &&
	    pread(fd, &last, 1, st.st_size - 1) == 1 && last != '\n')
		buf_addc(&out, '\n');
	for (size_t i = 0; i < b->count; i++) {
		buf_add(&out, b->events[i].text);
		buf_addc(&out, '\n');
	}
	good = write_all(fd, buf_slice(&out)) &&
	    (!S_ISREG(st.st_mode) || fdatasync(fd) == 0);
	if (!good)
		fails(a, why_r, path);
	close(fd);
	return good ? b->count : 0;
}

/* --- syslog -------------------------------------------------------------- */

/* RFC 5424: facility mail, severity info. */
static struct slice
syslog_line(struct sender *s, const struct bundled *e, struct arena *a)
{
	time_t t = (time_t)(e->ms / 1000);
	struct tm tm = { 0 };
	char stamp[32];

	gmtime_r(&t, &tm);
	strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &tm);
	return arena_printf(a, "<22>1 %s.%03dZ %s gatehouse-track %d event - "
	    "%.*s", stamp, (int)(e->ms % 1000), s->name, (int)getpid(),
	    (int)(e->text.len < DATAGRAM ? e->text.len : DATAGRAM),
	    e->text.ptr);
}

static bool
open_unix(struct sender *s, struct arena *a, struct slice *why_r)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	const char *path = arena_str(a, s->url.path);

	snprintf(un.sun_path, sizeof un.sun_path, "%s", path);
	s->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (s->fd >= 0 && connect(s->fd, (struct sockaddr *)&un,
	    sizeof un) == 0)
		return true;
	fails(a, why_r, path);
	hang_up(s);
	return false;
}

static bool
open_udp(struct sender *s, struct arena *a, struct slice *why_r)
{
	struct addrinfo hints = { .ai_socktype = SOCK_DGRAM }, *list;
	char port[16];
	int n;

	snprintf(port, sizeof port, "%u", s->url.port);
	n = getaddrinfo(s->host, port, &hints, &list);
	if (n != 0) {
		*why_r = arena_printf(a, "%s: %s", s->host, gai_strerror(n));
		return false;
	}
	s->fd = socket(list->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	n = s->fd < 0 ? -1 : connect(s->fd, list->ai_addr, list->ai_addrlen);
	freeaddrinfo(list);
	if (n == 0)
		return true;
	fails(a, why_r, s->conf->siem_syslog);
	hang_up(s);
	return false;
}

static size_t
to_datagrams(struct sender *s, const struct bundle *b, struct arena *a,
    struct slice *why_r)
{
	struct timeval wait = { .tv_sec = s->conf->siem_timeout / 1000,
	    .tv_usec = s->conf->siem_timeout % 1000 * 1000 };

	if (s->fd < 0 && !(slice_eq(s->url.scheme, SLICE("unix")) ?
	    open_unix(s, a, why_r) : open_udp(s, a, why_r)))
		return 0;
	setsockopt(s->fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
	for (size_t i = 0; i < b->count; i++) {
		struct slice line = syslog_line(s, &b->events[i], a);

		if (send(s->fd, line.ptr, line.len, MSG_NOSIGNAL) >= 0)
			continue;
		/* It cannot be sent in one piece, now or ever. */
		if (errno == EMSGSIZE) {
			log_warning("siem_syslog: an event of %zu bytes is "
			    "too long for a datagram", line.len);
			continue;
		}
		fails(a, why_r, s->conf->siem_syslog);
		hang_up(s);
		return i;
	}
	return b->count;
}

/* RFC 6587, 3.4.1: the length, a blank, the line. */
static size_t
to_stream(struct sender *s, const struct bundle *b, struct arena *a,
    struct slice *why_r)
{
	deadline_t deadline = deadline_in(s->conf->siem_timeout);
	struct buf out = buf_in(a);

	/* It never says anything, so what can be read is its end. */
	if (s->stream != NULL && !stream_idle(s->stream))
		hang_up(s);
	if (s->stream == NULL)
		s->stream = stream_open(s->host, s->url.port, NULL, deadline,
		    a, why_r);
	if (s->stream == NULL)
		return 0;
	for (size_t i = 0; i < b->count; i++) {
		struct slice line = syslog_line(s, &b->events[i], a);

		buf_addf(&out, "%zu ", line.len);
		buf_add(&out, line);
	}
	if (stream_write(s->stream, buf_slice(&out), deadline, a, why_r))
		return b->count;
	hang_up(s);
	return 0;
}

/* --- HTTP ---------------------------------------------------------------- */

/* "Authorization: Bearer TOKEN"; read each time, so it can be changed. */
static bool
bearer(struct sender *s, struct buf *out, struct arena *a,
    struct slice *why_r)
{
	const char *path = s->conf->siem_token;

	return path[0] == '\0' || http_token(path, "Bearer", out, a, why_r);
}

static bool
open_http(struct sender *s, struct arena *a, struct slice *why_r)
{
	if (s->http != NULL)
		return true;
	if (slice_eq(s->url.scheme, SLICE("https"))) {
		s->tls = stream_tls_new(s->conf->siem_ca, a, why_r);
		if (s->tls == NULL)
			return false;
	}
	s->http = http_new(s->host, s->url.port, s->tls);
	return true;
}

/* Events from..to-1 in one request: its status, or 0 with *why_r. */
static int
post(struct sender *s, const struct bundle *b, size_t from, size_t to,
    struct arena *a, struct slice *why_r)
{
	struct buf body = buf_in(a), more = buf_in(a);
	struct http_answer answer;
	int status;

	for (size_t i = from; i < to; i++) {
		buf_add(&body, b->events[i].text);
		buf_addc(&body, '\n');
	}
	buf_addf(&more, "Content-Type: %s\r\n", s->conf->format == SIEM_CEF ?
	    "text/plain; charset=utf-8" : "application/x-ndjson");
	if (!bearer(s, &more, a, why_r))
		return 0;
	buf_addc(&more, '\0');
	if (http_post(s->http, arena_str(a, s->url.path), more.ptr,
	    buf_slice(&body), deadline_in(s->conf->siem_timeout), &answer, a,
	    why_r) != RC_OK) {
		*why_r = arena_printf(a, "%s: %.*s", s->conf->siem_http,
		    SLICE_ARG(*why_r));
		return 0;
	}
	status = answer.status;
	if (status < 200 || status > 299)
		*why_r = arena_printf(a, "%s answered %d: %.*s",
		    s->conf->siem_http, status, SLICE_ARG(slice_sub(
		    buf_slice(&answer.body), 0, 200)));
	http_answer_free(&answer);
	return status;
}

/* Will the same bytes never be taken? */
static bool
hopeless(int status)
{
	return status == 400 || status == 413 || status == 422;
}

static size_t
to_http(struct sender *s, const struct bundle *b, struct arena *a,
    struct slice *why_r)
{
	size_t from = 0, step = b->count;

	if (!open_http(s, a, why_r))
		return 0;
	while (from < b->count) {
		size_t to = from + step < b->count ? from + step : b->count;
		int status = post(s, b, from, to, a, why_r);

		if (status >= 200 && status <= 299) {
			from = to;
			continue;
		}
		if (!hopeless(status))
			return from;
		/* One of them is the cause: halves, down to the one. */
		if (to - from > 1) {
			step = (to - from) / 2;
			continue;
		}
		log_warning("siem_http: an event is refused for good and "
		    "dropped: %.*s", SLICE_ARG(log_safe(a, *why_r, 500)));
		from = to;
	}
	return from;
}

size_t
sender_send(struct sender *s, const struct bundle *b, struct arena *a,
    struct slice *why_r)
{
	switch (s->number) {
	case SEND_FILE:
		return to_file(s, b, a, why_r);
	case SEND_HTTP:
		return to_http(s, b, a, why_r);
	default:
		return slice_eq(s->url.scheme, SLICE("tcp")) ?
		    to_stream(s, b, a, why_r) :
		    to_datagrams(s, b, a, why_r);
	}
}
