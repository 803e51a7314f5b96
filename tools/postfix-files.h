/*
 * postfix-files - files that are never seen half
 *
 * file_read	all of it; *there_r false and RC_OK when there is none. RC_RETRY
 *		with *why_r for trouble
 * file_replace	written beside it, synced, renamed, folder synced. Owner, group
 *		and mode are those of the file that was there, or root's 0644.
 *		RC_RETRY when what is there is not `before` any more
 * file_remove	gone, and the folder synced; it being gone is no trouble
 * file_tidy	removes what a killed file_replace left beside it
 * folder_make	0755; it being there is no trouble
 */
#ifndef TOOLS_POSTFIX_FILES_H
#define TOOLS_POSTFIX_FILES_H

#include "base/arena.h"
#include "base/rc.h"

enum rc file_read(struct arena *a, const char *path, struct slice *text_r,
    bool *there_r, struct slice *why_r);
enum rc file_replace(struct arena *a, const char *path, struct slice before,
    bool was_there, struct slice after, struct slice *why_r);
enum rc file_remove(struct arena *a, const char *path, struct slice *why_r);
void file_tidy(struct arena *a, const char *path);
enum rc folder_make(struct arena *a, const char *path, struct slice *why_r);

#endif
