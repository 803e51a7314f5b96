/*
 * sink - where events go: a file, syslog, HTTP; a thread each
 *
 * sinks_start	opens the database to read and starts a thread for each sink
 *		that is configured, each at its own place (table sink)
 * sinks_look	there is something new in the outbox
 * sinks_at	how far sink i has sent: everything up to this seq may be
 *		forgotten by it
 * sinks_skip	what is not after seq is gone: it goes on behind that
 * sinks_stop	ends the threads; waits for one that is sending, at most
 *		siem_timeout
 *
 * What fails is tried again after a second, then two, four ... up to a minute;
 * it is logged once a minute, and when it is over.
 */
#ifndef TRACK_SINK_H
#define TRACK_SINK_H

#include "services/track/options.h"

enum { SINKS = 3 };

struct sinks;

struct sinks *sinks_start(const char *state, const struct track_conf *conf,
    const int64_t at[SINKS]);
const char *sinks_name(unsigned i);
/* Is it configured? */
bool sinks_wanted(const struct track_conf *conf, unsigned i);
void sinks_look(struct sinks *s);
int64_t sinks_at(struct sinks *s, unsigned i);
void sinks_skip(struct sinks *s, unsigned i, int64_t seq);
void sinks_stop(struct sinks *s);

#endif
