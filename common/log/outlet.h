/*
 * outlet - where log lines go; used by log.c alone
 *
 * One for the process, behind a lock that is held for one send or write. None
 * of them waits: sockets are non-blocking, and what does not go out at once is
 * counted as lost. It is tried again at the next line, which costs two calls
 * of the kernel when nobody is there.
 */
#ifndef LOG_OUTLET_H
#define LOG_OUTLET_H

#include "base/slice.h"

void outlet_open(const char *program, const char *path);
/* severity: as in syslog(3), LOG_INFO and its like. */
void outlet_line(int severity, struct slice text);
uint64_t outlet_lost(void);

#endif
