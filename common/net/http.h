/*
 * http - a small strict HTTP/1.1 client (RFC 9110, RFC 9112)
 *
 * For servers that somebody has configured: no redirects, no proxies, no
 * cookies, no compression. Its answer is bounded, and so is its time.
 *
 * http_new	host, port, tls as in stream_open (NULL: no TLS). Connects at
 *		the first request, and keeps the connection while the server
 *		allows it
 * http_ask	a request; `more` are header lines of the caller, each with
 *		its CRLF. RC_OK: *answer_r says what the server said, whatever
 *		that is. RC_RETRY: no whole answer came by the deadline, *why_r.
 *		A kept connection that turns out to be closed before a byte of
 *		an answer came is opened once more; the server may then have
 *		had the body twice
 * http_post	POST, with the usual limits
 * http_free	NULL is allowed
 *
 * http_token	appends "Authorization: SCHEME TOKEN\r\n" with the token that
 *		stands on one line of that file; false with *why_r
 *
 * http_answer_feed
 *		the reader of answers, alone: takes bytes as they come. Pure but
 *		for the arena. HTTP_MORE: go on; HTTP_WHOLE: it is all there,
 *		*used_r bytes of the last feed belong to it; HTTP_BROKEN: no
 *		answer of HTTP/1, or over a limit. 1xx answers are passed over.
 *		http_answer_end: the connection is closed: was that its end?
 */
#ifndef NET_HTTP_H
#define NET_HTTP_H

#include "base/buf.h"
#include "base/rc.h"
#include "net/stream.h"

enum {
	HTTP_HEAD = 65536,		/* bytes of status line and fields */
	HTTP_BODY = 1 << 20,		/* of a body, unless asked for more; */
	HTTP_KEPT = 2000,		/* kept of it, the same */
};

enum http_got { HTTP_MORE, HTTP_WHOLE, HTTP_BROKEN };

struct http_answer {
	int status;			/* 200 */
	int64_t retry_after;		/* seconds; -1: not said */
	bool keep;			/* the connection may be used again */
	struct buf body;		/* its first bytes */
	size_t most, kept;		/* HTTP_BODY, HTTP_KEPT; to be changed
					   behind http_answer_begin */

	/* The reader's own. */
	enum { HTTP_STATUS, HTTP_FIELDS, HTTP_LENGTH, HTTP_CHUNK_SIZE,
	    HTTP_CHUNK, HTTP_CHUNK_END, HTTP_TRAILER, HTTP_TO_END } at;
	struct buf line;
	size_t head, got;
	uint64_t left;
	bool length_said, chunked, minor0;
};

void http_answer_begin(struct http_answer *r);
enum http_got http_answer_feed(struct http_answer *r, struct slice bytes,
    size_t *used_r);
bool http_answer_end(const struct http_answer *r);
void http_answer_free(struct http_answer *r);

struct http;

struct http_request {
	const char *method;		/* "GET" */
	const char *path, *more;
	struct slice body;
	/* Bytes of an answer's body; all of it is kept. 0: the usual limits. */
	size_t most;
};

struct http *http_new(const char *host, unsigned port,
    const struct stream_tls *tls);
enum rc http_ask(struct http *h, const struct http_request *request,
    deadline_t deadline, struct http_answer *answer_r, struct arena *a,
    struct slice *why_r);
enum rc http_post(struct http *h, const char *path, const char *more,
    struct slice body, deadline_t deadline, struct http_answer *answer_r,
    struct arena *a, struct slice *why_r);
void http_free(struct http *h);
bool http_token(const char *path, const char *scheme, struct buf *out,
    struct arena *a, struct slice *why_r);

#endif
