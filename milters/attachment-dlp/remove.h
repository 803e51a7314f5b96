/*
 * remove - a part goes, and a note stands in its place; all else stays
 *
 * remove_target	which part has to go for this one to be gone: itself, or
 *			the strict part that it is another reading of. NULL with
 *			*why_r where it cannot be done without breaking the
 *			rest: below multipart/signed or multipart/encrypted, a
 *			signed or encrypted part itself (S/MIME), within a part
 *			that is encoded as a whole, behind a closing boundary
 * remove_part		the patches: the part's header block and content become
 *			those of a text/plain part with the note. Of a message
 *			(the root, or one that is attached) just its fields
 *			Content-* change. A uuencoded file becomes lines of
 *			text. False: a patch was refused
 *
 * All other bytes stay; boundaries are not touched, and nothing in the note can
 * look like one. For parts none of which is in another one.
 */
#ifndef ATTACHMENT_REMOVE_H
#define ATTACHMENT_REMOVE_H

#include "mime/patch.h"

const struct part *remove_target(const struct message *msg,
    const struct part *p, const char **why_r);
bool remove_part(struct patches *edits, const struct message *msg,
    const struct part *p, struct slice note);

#endif
