#include "net/stream.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct stream {
	int fd;
	SSL *ssl;			/* NULL: plain */
};

struct stream_tls {
	SSL_CTX *ctx;
};

/* --- TLS ----------------------------------------------------------------- */

static struct slice
tls_error(struct arena *a)
{
	unsigned long code = ERR_get_error();
	const char *reason = code != 0 ? ERR_reason_error_string(code) : NULL;

	ERR_clear_error();
	return arena_copy(a, slice_of(reason != NULL ? reason :
	    "it was closed"));
}

struct stream_tls *
stream_tls_new(const char *ca, struct arena *a, struct slice *why_r)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	struct stream_tls *tls;
	bool good;

	if (ctx == NULL) {
		*why_r = tls_error(a);
		return NULL;
	}
	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE |
	    SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	good = ca != NULL && ca[0] != '\0' ?
	    SSL_CTX_load_verify_file(ctx, ca) == 1 :
	    SSL_CTX_set_default_verify_paths(ctx) == 1;
	if (!good) {
		*why_r = arena_printf(a, "%s: %.*s", ca != NULL ? ca : "",
		    SLICE_ARG(tls_error(a)));
		SSL_CTX_free(ctx);
		return NULL;
	}
	tls = mem_alloc(sizeof *tls);
	tls->ctx = ctx;
	return tls;
}

void
stream_tls_free(struct stream_tls *tls)
{
	if (tls == NULL)
		return;
	SSL_CTX_free(tls->ctx);
	free(tls);
}

/* Waits for the descriptor. False: time is up. */
static bool
wait_for(int fd, short events, deadline_t deadline)
{
	struct pollfd p = { .fd = fd, .events = events };
	int64_t left;
	int n;

	do {
		left = deadline_left(deadline);
		n = left > 0 ? poll(&p, 1, left > INT32_MAX ? INT32_MAX :
		    (int)left) : 0;
	} while (n < 0 && errno == EINTR);
	return n > 0;
}

/* What TLS waits for after a result; false when it is no waiting. */
static bool
tls_wait(struct stream *s, int result, deadline_t deadline, bool *late_r)
{
	int what = SSL_get_error(s->ssl, result);

	*late_r = false;
	if (what != SSL_ERROR_WANT_READ && what != SSL_ERROR_WANT_WRITE)
		return false;
	*late_r = !wait_for(s->fd, what == SSL_ERROR_WANT_READ ? POLLIN :
	    POLLOUT, deadline);
	return !*late_r;
}

static bool
set_name(SSL *ssl, const char *host)
{
	unsigned char bytes[16];
	bool literal = inet_pton(AF_INET, host, bytes) == 1 ||
	    inet_pton(AF_INET6, host, bytes) == 1;

	if (literal)
		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl),
		    host) == 1;
	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	/* SSL_set_tlsext_host_name(), whose macro casts const away. */
	return SSL_set1_host(ssl, host) == 1 && SSL_ctrl(ssl,
	    SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
	    (void *)(uintptr_t)host) == 1;
}

static bool
hand_shake(struct stream *s, const struct stream_tls *tls, const char *host,
    deadline_t deadline, struct arena *a, struct slice *why_r)
{
	bool late = false;
	long verified;
	int n;

	ERR_clear_error();
	s->ssl = SSL_new(tls->ctx);
	if (s->ssl == NULL || SSL_set_fd(s->ssl, s->fd) != 1 ||
	    !set_name(s->ssl, host)) {
		*why_r = tls_error(a);
		return false;
	}
	do
		n = SSL_connect(s->ssl);
	while (n != 1 && tls_wait(s, n, deadline, &late));
	if (n == 1)
		return true;
	verified = SSL_get_verify_result(s->ssl);
	if (late)
		*why_r = SLICE("TLS: time is up");
	else if (verified != X509_V_OK)
		*why_r = arena_printf(a, "TLS: its certificate: %s",
		    X509_verify_cert_error_string(verified));
	else
		*why_r = arena_printf(a, "TLS: %.*s", SLICE_ARG(tls_error(a)));
	return false;
}

/* --- connecting ---------------------------------------------------------- */

/* A descriptor that is connected, or -1 with errno. */
static int
connect_to(int family, const struct sockaddr *at, socklen_t size,
    deadline_t deadline)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int on = 1, error = 0;
	socklen_t len = sizeof error;

	if (fd < 0)
		return -1;
	if (family != AF_UNIX)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (connect(fd, at, size) == 0)
		return fd;
	error = errno;
	if (error == EINPROGRESS) {
		if (!wait_for(fd, POLLOUT, deadline))
			error = ETIMEDOUT;
		else
			getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
		if (error == 0)
			return fd;
	}
	close(fd);
	errno = error;
	return -1;
}

static int
connect_path(const char *path, deadline_t deadline, struct arena *a,
    struct slice *why_r)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof at.sun_path) {
		*why_r = arena_printf(a, "%s: too long for a socket", path);
		return -1;
	}
	memcpy(at.sun_path, path, strlen(path) + 1);
	/* A full queue of a Unix socket is EAGAIN, with nothing to poll for. */
	while ((fd = connect_to(AF_UNIX, (struct sockaddr *)&at, sizeof at,
	    deadline)) < 0 && errno == EAGAIN && deadline_left(deadline) > 0)
		poll(NULL, 0, 5);
	if (fd < 0)
		*why_r = arena_printf(a, "%s: %s", path, strerror(errno));
	return fd;
}

static int
connect_host(const char *host, unsigned port, deadline_t deadline,
    struct arena *a, struct slice *why_r)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
	    .ai_flags = AI_ADDRCONFIG }, *list, *ai;
	char service[16];
	int fd = -1, n;

	snprintf(service, sizeof service, "%u", port);
	n = getaddrinfo(host, service, &hints, &list);
	if (n != 0) {
		*why_r = arena_printf(a, "%s: %s", host, gai_strerror(n));
		return -1;
	}
	for (ai = list; ai != NULL && fd < 0; ai = ai->ai_next)
		fd = connect_to(ai->ai_family, ai->ai_addr, ai->ai_addrlen,
		    deadline);
	freeaddrinfo(list);
	if (fd < 0)
		*why_r = arena_printf(a, "%s:%u: %s", host, port,
		    strerror(errno));
	return fd;
}

struct stream *
stream_open(const char *host, unsigned port, const struct stream_tls *tls,
    deadline_t deadline, struct arena *a, struct slice *why_r)
{
	struct stream *s;
	int fd = host[0] == '/' ? connect_path(host, deadline, a, why_r) :
	    connect_host(host, port, deadline, a, why_r);

	if (fd < 0)
		return NULL;
	s = mem_alloc(sizeof *s);
	*s = (struct stream){ .fd = fd };
	if (tls == NULL || hand_shake(s, tls, host, deadline, a, why_r))
		return s;
	*why_r = arena_printf(a, "%s:%u: %.*s", host, port,
	    SLICE_ARG(*why_r));
	stream_close(s);
	return NULL;
}

void
stream_close(struct stream *s)
{
	if (s == NULL)
		return;
	if (s->ssl != NULL) {
		/* Says goodbye once; who does not listen misses nothing. */
		SSL_shutdown(s->ssl);
		SSL_free(s->ssl);
		ERR_clear_error();
	}
	close(s->fd);
	free(s);
}

/* --- bytes --------------------------------------------------------------- */

static bool
late(struct slice *why_r)
{
	*why_r = SLICE("time is up");
	return false;
}

static ssize_t
write_some(struct stream *s, struct slice bytes, deadline_t deadline,
    struct arena *a, struct slice *why_r)
{
	bool is_late = false;
	ssize_t n;

	for (;;) {
		if (s->ssl != NULL) {
			n = SSL_write(s->ssl, bytes.ptr, (int)(bytes.len <
			    1 << 20 ? bytes.len : 1 << 20));
			if (n > 0 || !tls_wait(s, (int)n, deadline, &is_late))
				break;
			continue;
		}
		n = send(s->fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
		if (n >= 0 || (errno != EAGAIN && errno != EINTR))
			break;
		if (!wait_for(s->fd, POLLOUT, deadline)) {
			is_late = true;
			break;
		}
	}
	if (n <= 0)
		*why_r = is_late ? SLICE("time is up") : s->ssl != NULL ?
		    tls_error(a) : arena_copy(a, slice_of(strerror(errno)));
	return n;
}

bool
stream_write(struct stream *s, struct slice bytes, deadline_t deadline,
    struct arena *a, struct slice *why_r)
{
	while (bytes.len > 0) {
		ssize_t n;

		if (deadline_left(deadline) == 0)
			return late(why_r);
		n = write_some(s, bytes, deadline, a, why_r);
		if (n <= 0)
			return false;
		bytes = slice_after(bytes, (size_t)n);
	}
	return true;
}

bool
stream_pass(struct stream *s, int fd, deadline_t deadline, struct arena *a,
    struct slice *why_r)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof (int))];
	} control = { .room = "" };
	char byte = 0;
	struct iovec iov = { &byte, 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1,
	    .msg_control = control.room, .msg_controllen = sizeof control };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	ssize_t n;

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(c), &fd, sizeof fd);
	while ((n = sendmsg(s->fd, &m, MSG_NOSIGNAL)) < 0 &&
	    (errno == EAGAIN || errno == EINTR))
		if (!wait_for(s->fd, POLLOUT, deadline))
			return late(why_r);
	if (n == 1)
		return true;
	*why_r = arena_copy(a, slice_of(strerror(errno)));
	return false;
}

static ssize_t
tls_read(struct stream *s, char *room, size_t size, deadline_t deadline,
    struct arena *a, struct slice *why_r)
{
	bool is_late = false;
	int n;

	ERR_clear_error();
	do
		n = SSL_read(s->ssl, room, (int)(size < 1 << 20 ? size :
		    1 << 20));
	while (n <= 0 && tls_wait(s, n, deadline, &is_late));
	if (n > 0)
		return n;
	if (!is_late && SSL_get_error(s->ssl, n) == SSL_ERROR_ZERO_RETURN)
		return 0;
	*why_r = is_late ? SLICE("time is up") : tls_error(a);
	return -1;
}

ssize_t
stream_read(struct stream *s, char *room, size_t size, deadline_t deadline,
    struct arena *a, struct slice *why_r)
{
	ssize_t n;

	if (deadline_left(deadline) == 0) {
		late(why_r);
		return -1;
	}
	if (s->ssl != NULL)
		return tls_read(s, room, size, deadline, a, why_r);
	for (;;) {
		n = recv(s->fd, room, size, 0);
		if (n >= 0)
			return n;
		if (errno != EAGAIN && errno != EINTR) {
			*why_r = arena_copy(a, slice_of(strerror(errno)));
			return -1;
		}
		if (!wait_for(s->fd, POLLIN, deadline)) {
			late(why_r);
			return -1;
		}
	}
}

bool
stream_idle(struct stream *s)
{
	struct pollfd p = { .fd = s->fd, .events = POLLIN };

	/* TLS may bring a ticket at any time; what else comes unasked is the
	 * end. A peek through the library tells them apart. */
	if (s->ssl != NULL && poll(&p, 1, 0) > 0) {
		char c;
		int n = SSL_peek(s->ssl, &c, 1), what;

		what = SSL_get_error(s->ssl, n);
		ERR_clear_error();
		return n <= 0 && what == SSL_ERROR_WANT_READ;
	}
	return poll(&p, 1, 0) == 0;
}
