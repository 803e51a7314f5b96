/*
 * serve - sessions carried by libmilter
 *
 * serve_run opens the socket and serves until SIGTERM, SIGINT or SIGHUP, then
 * waits for the messages under way (settings: drain). `ready` is called when
 * the socket accepts. serve_limits takes over `sessions` and `idle` of the
 * current settings after a reload; `drain` is looked up when it is needed. One
 * call a process: libmilter has one set of callbacks,
 * so the host is the process's.
 */
#ifndef MILTER_SERVE_H
#define MILTER_SERVE_H

#include <sys/types.h>

#include "milter/session.h"

enum rc serve_run(struct host *host, const char *socket, const uid_t *peers,
    size_t npeers, void (*ready)(void *arg), void *arg, struct arena *a,
    struct slice *why_r);
void serve_limits(struct host *host);

#endif
