/*
 * send - a bundle of events to a file, to syslog, to an HTTP server
 *
 * sender_new	number: which of sinks_name. Opens nothing yet
 * sender_send	how many of the bundle, from its first on, need not be sent
 *		again; *why_r when these are not all. A file has them when they
 *		are on the disk, an HTTP server when it has answered 2xx, syslog
 *		when the kernel has taken them (it has no other answer). An
 *		event that the server will never take (400, 413, 422, alone in
 *		its request) is dropped, and said
 *
 * One thread each.
 */
#ifndef TRACK_SEND_H
#define TRACK_SEND_H

#include "services/track/options.h"

struct bundle {
	struct bundled {
		int64_t seq, ms;
		struct slice text;
	} *events;
	size_t count;
};

struct sender;

struct sender *sender_new(unsigned number, const struct track_conf *conf);
size_t sender_send(struct sender *s, const struct bundle *b, struct arena *a,
    struct slice *why_r);
void sender_free(struct sender *s);

#endif
