/*
 * patch - edits as byte ranges, with undo
 *
 * A list of edits against one message. Header edits name a field, body edits
 * a byte range; all other bytes stay as they are. Edits do not overlap, and
 * an edit that would is refused (false, list unchanged).
 *
 * patch_insert		a new field at the very top of the header block; of
 *			several, the one added last stands first
 * patch_append		a new field at the end of the header block
 * patch_change		another body for fields[index]; name stays. The body
 *			begins with the space after the colon
 * patch_delete		fields[index] goes
 * patch_body		bytes [off, off + len) of the body become text
 *
 * Values are CRLF-folded, hold no NUL and no bare CR or LF (refused), and a
 * field stays below 60000 bytes (PITFALLS: Postfix cuts longer ones).
 *
 * patches_size		size of the message after the edits
 * patches_apply	the new head and body, in the arena; a part that no edit
 *			touches is borrowed, not copied
 * patches_undo		the list that leads from the edited message back to the
 *			original, byte for byte
 */
#ifndef MIME_PATCH_H
#define MIME_PATCH_H

#include "mime/message.h"

enum patch_kind { PATCH_INSERT, PATCH_APPEND, PATCH_CHANGE, PATCH_DELETE,
    PATCH_BODY };

struct patch {
	struct patch *next;
	enum patch_kind kind;
	size_t index;			/* CHANGE, DELETE: which of msg->fields */
	struct slice name;		/* header edits: the field's name */
	struct slice text;		/* field body (" value"), or new bytes */
	size_t off, len;		/* BODY: the range that goes */
};

struct patches {
	struct arena *arena;
	const struct message *msg;	/* what the edits are against */
	struct patch *first, **last;	/* in the order added */
	size_t count;
	bool head, body;		/* is any edit of this side in it? */
};

void patches_init(struct patches *p, struct arena *a,
    const struct message *msg);
bool patch_insert(struct patches *p, struct slice name, struct slice text);
bool patch_append(struct patches *p, struct slice name, struct slice text);
bool patch_change(struct patches *p, size_t index, struct slice text);
bool patch_delete(struct patches *p, size_t index);
bool patch_body(struct patches *p, size_t off, size_t len, struct slice text);

size_t patches_size(const struct patches *p);
void patches_apply(const struct patches *p, struct arena *a,
    struct slice *head_r, struct slice *body_r);
/* edited: message_read() of what patches_apply gave. */
void patches_undo(const struct patches *p, struct patches *undo_r,
    struct arena *a, const struct message *edited);

#endif
