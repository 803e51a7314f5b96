/*
 * listed - keys of list entries in the map; for this room
 *
 * listed_key	level, name, kind and sender behind the letter: into key, of
 *		LISTED_KEY_MAX bytes. 0: too long to be one
 */
#ifndef POLICY_LISTED_H
#define POLICY_LISTED_H

#include "conf/scope.h"

enum { LISTED_KEY_MAX = 510 };

size_t listed_key(char *key, enum scope_level level, struct slice name,
    char kind, struct slice sender);

#endif
