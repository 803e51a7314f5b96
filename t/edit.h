/*
 * edit - random edits of a message and what must hold of them
 *
 * edit_undone		after apply and undo the message is the same byte for
 *			byte, and each size is as announced
 * edit_at_random	a random list of edits of msg: header fields, body
 *			ranges, decoded ranges of parts. NULL, or what does not
 *			hold: size, undo, the bytes outside, the edited content.
 *			*taken counts the edits that were not refused
 */
#ifndef T_EDIT_H
#define T_EDIT_H

#include "mime/patch.h"

struct edit_random {
	uint64_t state;
};

/* 0 .. below - 1; the same each time from the same seed. */
size_t edit_below(struct edit_random *r, size_t below);
bool edit_undone(const struct patches *p);
const char *edit_at_random(struct edit_random *r, struct message *msg,
    struct arena *a, size_t *taken);

#endif
