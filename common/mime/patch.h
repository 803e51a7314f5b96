/*
 * patch - edits as byte ranges, with undo
 *
 * A list of edits against one message. Header edits name a field, body edits
 * a byte range; all other bytes stay as they are. Edits may come in any order
 * and do not overlap: one that would is refused (false, list unchanged).
 *
 * patch_insert		a new field at the very top of the header block; of
 *			several, the one added last stands first
 * patch_append		a new field at the end of the header block
 * patch_change		another body for fields[index]; name stays. The body
 *			begins with the space after the colon
 * patch_delete		fields[index] goes
 * patch_body		bytes [off, off + len) of the body become text; of
 *			several insertions at one place, the first one added
 *			stands first
 * patch_part		bytes [off, off + len) of a part's decoded content
 *			become text, at the smallest unit that its transfer
 *			encoding allows
 *
 * Values are CRLF-folded, hold no NUL and no bare CR or LF, no fold of blanks
 * only (refused), and a field stays below 60000 bytes (PITFALLS: Postfix cuts
 * longer ones). A line of the block that is no field cannot be edited.
 *
 * What patch_part does, and where:
 *
 * 7bit, 8bit, binary	patch_body on the same bytes. Refused when the encoding
 *		cannot hold the text (8-bit bytes or NUL in 7bit, a bare CR or
 *		LF outside binary), when the range would cut a CRLF in two, or
 *		when a boundary of the message would stand in the result
 * quoted-printable	just the units that stand for the range. The line gets
 *		soft breaks where it would grow over 76; a blank that comes to
 *		stand at a line's end is escaped
 * base64	the quanta that the range touches. Where the text's length
 *		differs from the range's by no multiple of three, all quanta
 *		behind it shift: they are written anew up to the next edit that
 *		brings the count right again, or else to the end of the part.
 *		Line breaks outside stay; a line that would grow over 76 is
 *		broken once
 * others	refused, and so are multiparts and parts of a decoded copy
 *
 * A part with edits of the last two kinds holds its whole range of the body:
 * patch_body there is refused.
 *
 * patches_size		size of the message after the edits
 * patches_apply	the new head and body, in the arena; a side that no edit
 *			touches is borrowed, not copied
 * patches_body_size	of the body after the edits
 * patches_apply_into	the same with a place of patches_body_size() bytes for
 *			the new body; not looked at when no edit touches it
 * patches_undo		the list that leads from the edited message back to the
 *			original, byte for byte. It holds PATCH_HEAD and
 *			PATCH_BODY ranges and borrows from the original message
 *
 * Adding is cheap in ascending or descending order, and otherwise takes a
 * walk along the list. The text is borrowed and has to live as long as the
 * list. Not for sharing between threads.
 */
#ifndef MIME_PATCH_H
#define MIME_PATCH_H

#include "mime/message.h"

enum patch_kind { PATCH_INSERT, PATCH_APPEND, PATCH_CHANGE, PATCH_DELETE,
    PATCH_BODY,
    PATCH_PART,			/* all edits of one encoded part */
    PATCH_HEAD };		/* a byte range of the head; only in an undo */

struct part_edits;

struct patch {
	struct patch *next;
	enum patch_kind kind;
	size_t index;			/* CHANGE, DELETE: of msg->fields */
	struct slice name;		/* header edits: the field's name */
	struct slice text;		/* field body (" value"), or new bytes */
	size_t off, len;		/* BODY, HEAD: the range that goes;
					   PART: the part's body */
	struct patch *above;		/* next range, by offset */
	struct part_edits *edits;	/* PART */
};

struct patch_ranges {
	struct patch *first, *finger;	/* by offset; the last one added */
};

struct patches {
	struct arena *arena;
	const struct message *msg;	/* what the edits are against */
	struct patch *first, **last;	/* in the order added */
	size_t count;
	bool head, body;		/* is any edit of this side in it? */
	struct patch **fields;		/* the edit of each field */
	struct patch_ranges ranges;	/* BODY and PART */
};

void patches_init(struct patches *p, struct arena *a,
    const struct message *msg);
bool patch_insert(struct patches *p, struct slice name, struct slice text);
bool patch_append(struct patches *p, struct slice name, struct slice text);
bool patch_change(struct patches *p, size_t index, struct slice text);
bool patch_delete(struct patches *p, size_t index);
bool patch_body(struct patches *p, size_t off, size_t len, struct slice text);
bool patch_part(struct patches *p, const struct part *part, size_t off,
    size_t len, struct slice text);

size_t patches_size(const struct patches *p);
void patches_apply(const struct patches *p, struct arena *a,
    struct slice *head_r, struct slice *body_r);
size_t patches_body_size(const struct patches *p);
void patches_apply_into(const struct patches *p, struct arena *a,
    char *place, struct slice *head_r, struct slice *body_r);
/* edited: message_read() of what patches_apply gave. */
void patches_undo(const struct patches *p, struct patches *undo_r,
    struct arena *a, const struct message *edited);

#endif
