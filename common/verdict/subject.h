/*
 * subject - a mark in front of the subject
 *
 * subject_tag	puts the tag and a blank in front of the first Subject field's
 *		value, and leaves all other bytes of it as they are; a tag that
 *		is not ASCII becomes an encoded word (RFC 2047). A message
 *		without a subject gets one. False: nothing to do, because the
 *		subject has the tag already (decoded, in front, behind "Re:" and
 *		the like too), or because the field cannot be changed any more
 *
 * Twice is once: with its own tag a subject is left alone.
 */
#ifndef VERDICT_SUBJECT_H
#define VERDICT_SUBJECT_H

#include "verdict/plan.h"

bool subject_tag(struct plan *p, const struct message *msg, struct slice tag);
/* Several tags at once, the first one in front: a field can be changed once. */
bool subject_tags(struct plan *p, const struct message *msg,
    const struct slice *tags, size_t n);

#endif
