/*
 * maincf-edit - a recipe, put into the files
 *
 * All of them are pure: files as text come in, files as text go out. own is
 * the file without our changes (cf_undo); the same own and recipe give the
 * same bytes.
 *
 * cf_edit_main		a parameter that is there is changed where it stands
 *			(the last line that sets it, which is the one that
 *			counts); the rest goes into one block at the end
 * cf_edit_master	a service keeps its columns, and all arguments but the
 *			options that the recipe sets. RC_BAD with *why_r when a
 *			service that we cannot change is in our way
 * cf_map_text		the whole of a map file, with a mark as first line
 * cf_map_good		is that a map file of ours as we left it?
 *
 * cf_changes_add	what was done, for people: old NULL means it was not
 *			there
 */
#ifndef TOOLS_MAINCF_EDIT_H
#define TOOLS_MAINCF_EDIT_H

#include "tools/maincf.h"
#include "tools/recipe.h"

struct cf_change {
	const char *file, *name, *old, *new, *reason;
};

struct cf_changes {
	struct buf items;		/* of struct cf_change */
};

static inline size_t
cf_changes_count(const struct cf_changes *c)
{
	return c->items.len / sizeof(struct cf_change);
}

static inline const struct cf_change *
cf_changes_at(const struct cf_changes *c, size_t i)
{
	return (const struct cf_change *)(void *)c->items.ptr + i;
}

struct slice cf_edit_main(struct arena *a, struct slice own,
    const struct recipe *r, struct cf_changes *changes);
enum rc cf_edit_master(struct arena *a, struct slice own,
    const struct recipe *r, struct cf_changes *changes, struct slice *new_r,
    struct slice *why_r);
struct slice cf_map_text(struct arena *a, const struct recipe_entry *entry);
bool cf_map_good(struct arena *a, struct slice text);

/* One entry as it is written, with its reason as a comment. */
void cf_write_param(struct buf *out, const struct recipe_entry *entry,
    const char *newline);
void cf_write_option(struct buf *out, const struct recipe_entry *entry,
    const char *newline);
void cf_write_comment(struct buf *out, const char *text,
    const char *newline);

#endif
