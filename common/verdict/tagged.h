/*
 * tagged - "tag=value;" under an HMAC, in the body of a header field
 *
 * How the house writes to itself across Postfix (the seal, the release mark).
 * A value may be any bytes: what is not plain is %xx. Lines are folded between
 * any two characters; the MAC is over the text with all blanks taken out, so a
 * mail system on the way may fold it anew. It also covers the field's name:
 * one kind of field never passes for another.
 *
 * tagged_begin	an empty body in the arena; name is the field's
 * tagged_put	one pair more
 * tagged_end	puts " m=MAC" behind them, HMAC-SHA256 (RFC 2104). False: no
 *		HMAC could be made
 * tagged_open	is the MAC right? Then *text_r is what stands before it
 * tagged_pairs	how many pairs there are at most
 * tagged_next	the next pair of that text, decoded in the arena; false at the
 *		end. An item that is no pair has *tag_r empty
 *
 * Pure; thread-safe.
 */
#ifndef VERDICT_TAGGED_H
#define VERDICT_TAGGED_H

#include "base/buf.h"

struct tagged {
	struct buf out;
	const char *name;
	size_t line;			/* bytes of the line so far */
};

void tagged_begin(struct tagged *t, const char *name, struct arena *a);
void tagged_put(struct tagged *t, const char *tag, struct slice value);
bool tagged_end(struct tagged *t, struct slice key, struct slice *body_r);

bool tagged_open(struct slice body, const char *name, struct slice key,
    struct arena *a, struct slice *text_r);
size_t tagged_pairs(struct slice text);
bool tagged_next(struct slice *text, struct arena *a, struct slice *tag_r,
    struct slice *value_r);

#endif
