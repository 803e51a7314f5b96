/*
 * policy-build - the house's files become the policy map
 *
 * build_load	gatehouse.conf, and the file of each table that may hold
 *		scopes. *b holds on to the arena. EX_OK, or it was told
 * build_read	the same, and nothing is told
 * build_option	"auth-check.spf_fail", or "spf_fail" where only one file has it;
 *		NULL: there is none, or there are several, and it was told
 * build_stale	is the map not what a compile would make of the files as they
 *		are? NULL: it is; else why. Where nothing asks for a map (no
 *		directory, no policy.settings, no policy.lists) there need not
 *		be one
 * build_map	compiles all of it into a file at path and reads it back: each
 *		block of settings is one that its filter takes. EX_OK, or it
 *		was told. Nothing else is touched
 * build_install the file that build_map made becomes the map
 * build_lock	one compile at a time: waits for another; makes the folder
 */
#ifndef TOOLS_POLICY_BUILD_H
#define TOOLS_POLICY_BUILD_H

#include "milter/settings.h"
#include "policy/compile.h"

enum { BUILD_TABLES = 50 };

struct build_table {
	const char *name, *path;	/* path NULL: all defaults */
	const struct conf_option *options;
	const struct filter *filter;	/* NULL: a service */
	void *conf;
	size_t size;
};

struct build {
	struct arena *arena;
	const char *dir;		/* of the configuration; or NULL */
	const char *house_file;
	struct house_conf house;
	struct build_table tables[BUILD_TABLES];
	size_t ntables;
	const char *sheet, *lists, *directory;	/* NULL: there is none */
	const char *map;
	struct compile_count count;
};

enum rc build_read(struct build *b, const char *dir, struct arena *a,
    struct slice *why_r);
int build_load(struct build *b, const char *dir, struct arena *a);
const struct build_table *build_option(const struct build *b,
    const char *name, const struct conf_option **option_r);
struct scopes *build_scopes(const struct build_table *t);
const char *build_stale(struct build *b);
int build_map(struct build *b, const char *path);
int build_install(struct build *b, const char *path);
int build_lock(struct build *b, int *lock_r);

#endif
