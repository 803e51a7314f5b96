/*
 * shim - a thread for each SMTP session, whatever libmilter was built with
 *
 * Debian's libmilter serves sessions with a pool of workers whose controller
 * hands a ready session to a worker that is busy: with callbacks that wait
 * 200 ms, 500 sessions were served in 40 s instead of 0.2 s. libmilter calls
 * its own functions through the PLT, so this program's mi_start_session,
 * mi_pool_controller_init and mi_rd_cmd stand in for the library's (and
 * accept(2), to learn the descriptor). A
 * libmilter built without the pool never calls the first two and has a thread
 * for each session anyway.
 *
 * It also is where peers are checked (SO_PEERCRED), sessions counted and
 * capped, and idle ones closed when the daemon stops.
 *
 * shim_setup	before smfi_main
 * shim_limits	the limits, at start and after a reload; open sessions stay
 * shim_works	after the first session, or when libmilter has no pool: false
 *		says that the library's own pool serves the sessions; the
 *		daemon logs it and goes on
 * shim_stop_soon	the listener looks only every five seconds whether it has been
 *		told to stop; called now and then, this wakes it when it has
 * shim_drain	closes idle sessions, waits for the others up to ms, but not for
 *		the last `hopeless` of them; returns how many were still there
 *
 * Link it as an object of the program: interposing needs default visibility
 * and a dynamic libmilter.
 */
#ifndef MILTER_SHIM_H
#define MILTER_SHIM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct shim_conf {
	const char *socket;		/* as libmilter has it; not copied */
	const uid_t *peers;		/* who may speak to us; not copied */
	size_t npeers;
	/* Is the session of this libmilter context between two messages? */
	bool (*quiet)(void *ctx);
};

void shim_setup(const struct shim_conf *conf);
/* sessions: at most; idle: ms a peer may be silent between two commands. */
void shim_limits(unsigned sessions, int64_t idle);
bool shim_works(void);
unsigned shim_sessions(void);
/* Peers and sessions that were turned away so far. */
unsigned shim_refused(void);
void shim_stop_soon(void);
unsigned shim_drain(int64_t ms, unsigned hopeless);

#endif
