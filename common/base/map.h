/*
 * map - a hash map from bytes to a pointer
 *
 * Keys are copied, values are not owned. The hash is SipHash-1-3 under a key
 * drawn at map_new, so that nobody outside can choose names that collide.
 * Not for sharing between threads without a lock of the caller.
 *
 * map_get	the value, or NULL
 * map_put	sets it; returns the value that stood there, or NULL
 * map_remove	returns the value that stood there, or NULL
 * map_each	calls visit for each entry, in no order; visit returns false
 *		to have the entry removed. Nothing else may change the map
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include "base/slice.h"

struct map;

struct map *map_new(void);
void *map_get(const struct map *m, struct slice key);
void *map_put(struct map *m, struct slice key, void *value);
void *map_remove(struct map *m, struct slice key);
size_t map_count(const struct map *m);
void map_each(struct map *m,
    bool (*visit)(struct slice key, void *value, void *arg), void *arg);
void map_free(struct map *m);

#endif
