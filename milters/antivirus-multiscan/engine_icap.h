/*
 * engine_icap - any scanner that speaks ICAP (RFC 3507)
 *
 * Each item is a response (RESPMOD; REQMOD where the service knows no other)
 * of an imagined web server. No preview: all of it is sent. One connection an
 * item; with `tls` from its first byte (icaps).
 *
 * A server whose limit is below engine.limit may pass what it did not look at
 * (c-icap: virus_scan.MaxObjectSize), and types it was told not to scan; it
 * says so to nobody. ISTag tells its signatures apart, not how old they are.
 */
#ifndef ANTIVIRUS_ENGINE_ICAP_H
#define ANTIVIRUS_ENGINE_ICAP_H

#include "engine.h"
#include "net/stream.h"

struct engine_icap_conf {
	struct slice name;
	const char *host;
	unsigned port;
	const char *service;		/* "virus_scan" */
	struct stream_tls *tls;		/* NULL: none; the engine's from now */
	int64_t timeout;		/* ms, of one item */
};

struct engine *engine_icap_open(const struct engine_icap_conf *conf);

#endif
