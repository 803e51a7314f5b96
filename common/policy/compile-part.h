/*
 * compile-part - what the files of a compile share: compile.c (sources),
 * resolve.c (sets, blocks, origins), compile-write.c (records)
 */
#ifndef POLICY_COMPILE_PART_H
#define POLICY_COMPILE_PART_H

#include "base/map.h"
#include "policy/compile.h"
#include "policy/file.h"

struct compile_table {
	const char *name;
	const struct conf_option *options;
	struct scopes *scopes;
	uint64_t digest;		/* of the file's scopes alone */
};

/* Of a domain or an address; the directory's, or named by a scope. */
struct compile_who {
	struct slice key;
	struct file_record record;
	struct slice profile;		/* as the directory says */
};

struct compile_block {
	uint32_t table, uses, rank;
	struct slice bytes;
	uint64_t form;
};

struct compile_set {
	uint32_t *blocks;
	size_t n;
};

struct compile_listed {
	enum listed verdict;
	struct slice where;
};

/* Prefixes that a level and name lists, of IPv4 and IPv6. */
struct compile_lengths {
	bool used[2][129];
};

struct compile {
	struct arena *arena, *scratch;
	const struct house_conf *house;
	struct scope_match match;
	struct compile_table tables[MAP_TABLES_MAX];
	size_t ntables;
	struct file_source sources[MAP_SOURCES_MAX];
	size_t nsources;

	struct map *domains;		/* name -> struct compile_who */
	struct map *clients;		/* their names */
	struct map *profiles;		/* name -> its client, a slice */
	struct compile_who *whos;	/* addresses, as they come */
	size_t nwhos, whos_room;
	struct map *named;		/* address -> spelling in scopes */
	struct map *extra;		/* named, not in the directory */
	struct map *names;		/* text -> the same text, once */
	struct map *logins;		/* login -> address */
	struct map *listed;		/* key -> struct compile_listed */
	struct map *listed_users;	/* who has lists of his own */
	struct map *lengths;		/* level, name -> compile_lengths */

	struct file_entry *entries;
	size_t nentries, entries_room;
	size_t nlisted;

	/* resolve.c */
	struct map *memo;		/* levels of all tables -> answer */
	struct map *set_ids, *block_ids, *origin_ids;
	struct compile_block *blocks;
	size_t nblocks, blocks_room;
	struct compile_set *sets;
	size_t nsets, sets_room;
	size_t norigins;
	struct slice why;		/* of a visit that found a fault */
};

/* What is set for him; set and origin are numbers of it. */
void resolve_subject(struct compile *c, const struct scope_subject *who,
    uint32_t *set_r, uint32_t *origin_r);
/* Blocks by how many they are for, most first; sets and blocks as entries. */
void resolve_write(struct compile *c);

struct compile_who *compile_domain(struct compile *c, struct slice name);
void *compile_grown(void *items, size_t n, size_t *room, size_t size);
void compile_entry(struct compile *c, char letter, struct slice key,
    struct slice value);
#endif
