/*
 * write - bytes to a descriptor, all of them
 *
 * write_all	goes on behind a signal and a short write. False with errno:
 *		some of it may be there. For files and for what waits: EAGAIN
 *		is a failure
 */
#ifndef BASE_WRITE_H
#define BASE_WRITE_H

#include "base/slice.h"

bool write_all(int fd, struct slice bytes);

#endif
