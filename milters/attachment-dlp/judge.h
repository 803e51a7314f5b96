/*
 * judge - the lists of attachments: what they make of a message
 *
 * attachment_judge	in ask(), when the message has been taken apart and it
 *			is known whose settings count: a verdict for each
 *			recipient, what is removed, and the note. Of recipients
 *			who differ, what goes for one of them goes for all who
 *			get it: the message has one form
 * step_attachment	from that to the plan. Rules: attachment-removed,
 *			attachment-held, attachment-discarded,
 *			attachment-refused, attachment-unremovable
 *
 * Whose lists: of a recipient who is ours, his own; of one who is not, those of
 * who sends, with _outbound. A mailbox that is somebody's copy_to gets
 * everything.
 *
 * Pure.
 */
#ifndef ATTACHMENT_JUDGE_H
#define ATTACHMENT_JUDGE_H

#include "decide.h"
#include "note.h"

/* Is there anything in these lists that is wrong? RC_BAD with *why_r. */
enum rc attachment_lists(const struct attachment_conf *conf, struct arena *a,
    struct slice *why_r);
enum rc attachment_judge(const struct job *job,
    struct attachment_answers *seen, struct slice *why_r);
/* Everybody whose settings name a mailbox for copies, once. */
size_t attachment_copies(const struct job *job,
    const struct attachment_answers *seen, struct slice *out, size_t max);
/* Whose settings count for recipient i, as said above. *inbound_r: those
 * without _outbound. */
const struct attachment_conf *attachment_settings(const struct job *job,
    const struct attachment_answers *seen, size_t i, bool *inbound_r);
step_work step_attachment;

#endif
