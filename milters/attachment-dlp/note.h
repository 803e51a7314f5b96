/*
 * note - the text that stands in place of what was removed
 *
 * A template (notice/template.h) with these names: hostname, queue_id, from,
 * subject, and the list attachments with name, type, size and why. Where a link
 * stands in place of a large one: hostname, queue_id, name, type, size, link,
 * until and downloads.
 *
 * note_check	is there a right template at path ("" is our own)? RC_BAD
 * notes_load	all that somebody's settings name, once for each new policy;
 *		RC_BAD with *why_r "file:line: ...". Lives in the arena
 * note_text	one of a kind, by the template at path, with these values.
 *		RC_RETRY as note_write
 * note_write	for these removals, by the template at path ("" is our own).
 *		RC_RETRY with *why_r: the template is not there or makes more
 *		than a note may be
 */
#ifndef ATTACHMENT_NOTE_H
#define ATTACHMENT_NOTE_H

#include "decide.h"
#include "notice/template.h"

struct notes;

enum note_kind { NOTE_REMOVED, NOTE_LARGE };

enum rc note_check(enum note_kind kind, const char *path, struct arena *a,
    struct slice *why_r);
enum rc notes_load(const struct attachment_conf *conf,
    const struct policy *policy, struct arena *a, struct notes **notes_r,
    struct slice *why_r);
enum rc note_text(const struct notes *notes, enum note_kind kind,
    const char *path, const struct template_data *data, struct arena *a,
    struct slice *text_r, struct slice *why_r);
enum rc note_write(const struct notes *notes, const char *path,
    const struct job *job, const struct attachment_removal *removals,
    struct slice *text_r, struct slice *why_r);

#endif
