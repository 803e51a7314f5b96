/*
 * release - what was released from the quarantine is let through
 *
 * A mark (store/mark.h) counts when its MAC is right, it has not expired, it is
 * for one of the recipients, and header block and body are the bytes that it
 * names. A filter that sees no
 * body believes a mark whose header block is right, for that is all that it
 * judges, and hands the body's digest on in the seal; the next filter with a
 * body compares. Then the message's origin and direction are those of the
 * message that was held, and hold_settle() lets through what was released.
 *
 * release_take		a field of the mark's name: keeps the first that is right
 * release_check	the message stands without these fields: does the mark
 *			name its bytes? Else it is forgotten
 * release_unread	was poison released, for all recipients? Then no filter
 *			looks: it would be held again, or take the process down
 */
#ifndef MILTER_RELEASE_H
#define MILTER_RELEASE_H

#include "milter/state.h"
#include "store/mark.h"

void release_take(struct session *s, struct slice body);
void release_check(struct session *s);
bool release_unread(const struct session *s);

#endif
