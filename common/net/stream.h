/*
 * stream - a connection to a server, perhaps with TLS, under a deadline
 *
 * stream_open	connects to a name or address and a port; with `tls` it also
 *		checks that the certificate is one for this name (or address)
 *		and signed by what stream_tls was told to trust. All addresses
 *		of the name are tried. NULL with *why_r. The name is looked up
 *		by the system, which has time-outs of its own (resolv.conf). A
 *		name that begins with a slash is the path of a Unix socket
 * stream_write	all of it, or false with *why_r
 * stream_pass	one byte with a descriptor beside it, over a Unix socket
 * stream_read	what is there, at least a byte; 0: the other side is done; -1
 *		with *why_r
 * stream_idle	nothing to be read and not closed: may it be used once more?
 * stream_close	NULL is allowed
 *
 * stream_tls	what TLS needs, for any number of streams: `ca` is a file of
 *		certificates to trust, NULL or empty for the system's. TLS 1.2
 *		and later. NULL with *why_r
 *
 * Nothing waits beyond the deadline it is given. Reasons are cut and in plain
 * ASCII; they live in the arena. One thread at a time.
 */
#ifndef NET_STREAM_H
#define NET_STREAM_H

#include <sys/types.h>

#include "base/arena.h"
#include "base/clock.h"

struct stream;
struct stream_tls;

struct stream_tls *stream_tls_new(const char *ca, struct arena *a,
    struct slice *why_r);
void stream_tls_free(struct stream_tls *tls);

struct stream *stream_open(const char *host, unsigned port,
    const struct stream_tls *tls, deadline_t deadline, struct arena *a,
    struct slice *why_r);
bool stream_write(struct stream *s, struct slice bytes, deadline_t deadline,
    struct arena *a, struct slice *why_r);
bool stream_pass(struct stream *s, int fd, deadline_t deadline,
    struct arena *a, struct slice *why_r);
ssize_t stream_read(struct stream *s, char *room, size_t size,
    deadline_t deadline, struct arena *a, struct slice *why_r);
bool stream_idle(struct stream *s);
void stream_close(struct stream *s);

#endif
