/*
 * A message in a file: its leaves, in each plausible reading, decoded. What a
 * lax reader would see counts too.
 */
#include "cells/unpack/walk.h"
#include "mime/message.h"

enum { READINGS = 8 };

static bool
leaf(struct walk *w, struct walk_entry *container, const struct part *p)
{
	struct slice content;
	unsigned flags = 0;
	struct arena *a = arena_new();
	bool more = true;

	for (unsigned n = 0; more && n < READINGS && part_reading(p, n, a,
	    (size_t)w->request.limits.member_bytes, &content, &flags); n++) {
		more = walk_member(w, container, p->filename.ptr != NULL ?
		    p->filename : SLICE(""), content);
		/* It was cut there. */
		if (flags & TRANSFER_CUT)
			walk_why(container, UNPACK_TOO_LARGE);
	}
	arena_free(a);
	return more;
}

void
mail_read_members(struct walk *w, struct walk_entry *container,
    struct slice bytes)
{
	struct arena *a = arena_new();
	struct slice head, body;
	struct message msg;
	const struct part *root;

	message_split(a, bytes, &head, &body);
	message_read(&msg, a, head, body, NULL);
	root = message_parts(&msg);
	for (const struct part *p = root; p != NULL; p = part_next(root, p))
		if (p->child == NULL && !part_is(p, "message", "rfc822") &&
		    !leaf(w, container, p))
			break;
	if (msg.flags & (MSG_LIMIT_DEPTH | MSG_LIMIT_PARTS |
	    MSG_LIMIT_READINGS | MSG_LIMIT_WORK))
		walk_why(container, UNPACK_TOO_MANY);
	arena_free(a);
}
