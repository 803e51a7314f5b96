/*
 * compile - all that was set, resolved for everybody, becomes the map
 *
 * In this order, each as often as there is such a thing; what is wrong is
 * RC_BAD with *why_r = "file:line: what is wrong; what would be right", and
 * then it is over: nothing was written.
 *
 * compile_new		for this house; slices that are given later outlive it
 * compile_table	one file's options and what its scope blocks say
 * compile_sheet	settings of the settings file
 * compile_lists	allow and block lists
 * compile_directory	mailboxes, aliases, domains, profiles
 *			(policy/directory.h)
 * compile_source	a file that it was made from, and its digest
 * compile_resolve	all is there: who gets what
 * compile_write	the map at path, durable, or the old one is untouched
 * compile_free		NULL is allowed
 *
 * One thread; memory for all of it: about 700 bytes a mailbox, and 1.5 kB more for
 * whoever has a line of settings of his own.
 */
#ifndef POLICY_COMPILE_H
#define POLICY_COMPILE_H

#include "policy/policy.h"

struct compile;

struct compile_count {
	size_t addresses, domains, sets, blocks, listed;
};

struct compile *compile_new(const struct house_conf *house);
enum rc compile_table(struct compile *c, const char *name,
    const struct conf_option *options, struct scopes *scopes,
    struct slice *why_r);
enum rc compile_sheet(struct compile *c, const char *name, struct slice text,
    struct slice *why_r);
enum rc compile_lists(struct compile *c, const char *name, struct slice text,
    struct slice *why_r);
enum rc compile_directory(struct compile *c, int fd, const char *name,
    struct slice *why_r);
enum rc compile_source(struct compile *c, struct slice path,
    struct slice digest, struct slice *why_r);
enum rc compile_resolve(struct compile *c, struct slice *why_r);
enum rc compile_write(struct compile *c, const char *path,
    struct slice *why_r);
/* Of what a compile takes from gatehouse.conf; of a table's rows: other rows,
 * other values. */
uint64_t house_digest(const struct house_conf *house);
uint64_t table_digest(const struct conf_option *options);

struct compile_count compile_counted(const struct compile *c);
void compile_free(struct compile *c);

#endif
