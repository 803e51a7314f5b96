/*
 * notify - what the service manager is told (sd_notify(3), without libsystemd)
 *
 * notify_state	"READY=1", "RELOADING=1", "STOPPING=1", "WATCHDOG=1"; does
 *		nothing where nobody listens
 * notify_interval	how often a watchdog wants to hear of us, in ms; 0: never
 */
#ifndef DAEMON_NOTIFY_H
#define DAEMON_NOTIFY_H

#include <stdint.h>

void notify_state(const char *state);
int64_t notify_interval(void);

#endif
