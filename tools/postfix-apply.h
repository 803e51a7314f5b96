/*
 * postfix-apply - a plan of what becomes of Postfix's files, and its doing
 *
 *	plan_apply(&plan, &site, &in, a, &why)	or plan_revert
 *	plan_check(&plan, &said, &why)		on a copy; nothing has changed
 *	plan_do(&plan, &why)			now it has
 *
 * Invariants:
 *  1. At any moment each file is whole: it is written beside the old one,
 *     synced, renamed over it, and the folder is synced.
 *  2. No service of master.cf ever names a chain of milters that main.cf does
 *     not define, or smtpd would read that as "no milters". So main.cf goes
 *     first when we come and last when we go; and where one chain gives way to
 *     the other, both are there in between.
 *  3. No file names a map of ours that is not there: maps come first and go
 *     last.
 *  4. Each file can be undone by itself (maincf.h). So whoever is killed
 *     between two files leaves something that works, and that --apply or
 *     --revert finish.
 *  5. A file that changed since it was read is not overwritten.
 *
 * Below DIR/gatehouse: the maps; backup/, the files as they were before each
 * change (the last PLAN_BACKUPS); applied/, as we left them; manifest, what
 * was begun and whether it was ended.
 */
#ifndef TOOLS_POSTFIX_APPLY_H
#define TOOLS_POSTFIX_APPLY_H

#include "tools/maincf-edit.h"
#include "tools/postfix-site.h"

enum { PLAN_BACKUPS = 10, PLAN_FILES_MAX = 50 };

struct plan_file {
	const char *name;		/* "main.cf", "gatehouse/strip" */
	const char *path;
	struct slice before, after;
	bool is_map;
	bool was_there, stays;		/* does it exist before and after? */
};

struct postfix_plan {
	struct arena *arena;
	const struct postfix_site *site;
	struct recipe recipe;		/* empty for a revert */
	struct cf_changes changes;
	struct plan_file files[PLAN_FILES_MAX];
	size_t nfiles;
	struct plan_file *main, *master;
	struct slice main_between;	/* ptr NULL: not needed */
	bool reverting;
	bool interrupted;		/* the last run did not end */
};

enum rc plan_apply(struct postfix_plan *plan, const struct postfix_site *site,
    struct recipe_input *in, struct arena *a, struct slice *why_r);
enum rc plan_revert(struct postfix_plan *plan,
    const struct postfix_site *site, struct arena *a, struct slice *why_r);
/* Does anything change? */
bool plan_changes(const struct postfix_plan *plan);
/* What Postfix says of the result, on a copy. RC_BAD when it does not like
 * it, or reads it otherwise than it was meant; *said_r gets its warnings. */
enum rc plan_check(const struct postfix_plan *plan, struct slice *said_r,
    struct slice *why_r);
enum rc plan_do(struct postfix_plan *plan, struct slice *why_r);

#endif
