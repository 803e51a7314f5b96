/*
 * room - how struct policy looks inside; only this room includes it
 *
 * block_apply	the values of that block, of this filter's table, into conf.
 *		Parsed once a generation while there is room (BLOCKS_KEPT,
 *		BYTES_KEPT), else into the arena each time
 * who_names	the name that a level has for him; SLICE_NONE: none
 */
#ifndef POLICY_ROOM_H
#define POLICY_ROOM_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/map.h"
#include "policy/file.h"
#include "policy/policy.h"

enum {
	BLOCKS_KEPT = 16384,
	BYTES_KEPT = 16 << 20,
	ALIAS_DEPTH = 10,
	MEMBERS_MAX = 1000,
};

struct block;

struct policy {
	_Atomic unsigned references;
	struct arena *arena;
	struct scope_match match;
	struct map *domains;		/* ours, without a map: a slice, the
					   client whose it is */
	struct policy_file *file;		/* NULL: no map */

	pthread_mutex_t lock;		/* of what blocks are parsed into */
	struct arena *values;
	size_t nblocks;
	_Atomic(struct block *) *blocks;
};

enum rc block_apply(struct policy *p, struct arena *a, uint32_t number,
    const struct conf_option *options, void *conf, struct slice *why_r);
/* The table of that file in the map; NULL: it is not there. */
const struct file_table *table_named(const struct policy *p,
    const char *filter, uint32_t *number_r);
bool has_scopes(const struct conf_option *options);
struct slice who_names(const struct policy_who *who, enum scope_level level);

#endif
