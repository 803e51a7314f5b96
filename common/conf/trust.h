/*
 * trust - who else may change this file?
 *
 * trust_file	RC_OK when the open file belongs to root or to our effective
 *		user, and nobody else may write to it or to a folder above it;
 *		else RC_BAD, and *why_r names the file or folder at fault and
 *		the command that mends it. A folder's owner is not asked: what
 *		he puts in the file's place belongs to him, and is refused then
 */
#ifndef CONF_TRUST_H
#define CONF_TRUST_H

#include "base/arena.h"
#include "base/rc.h"

enum rc trust_file(struct arena *a, int fd, const char *path,
    struct slice *why_r);

#endif
