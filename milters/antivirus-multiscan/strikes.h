/*
 * strikes - what ended a reader or an engine before
 *
 * A message that crashes its scanner is put off where `crash` says tempfail,
 * comes again, and would do so for days. After LEDGER_STRIKES times it is held.
 *
 * strikes_note	counts the items of this ledger that crashed somebody;
 *		l->strikes is how often the worst of them did, now included
 *
 * Remembers the last few such items, in memory: a restart forgets them. Any
 * thread.
 */
#ifndef ANTIVIRUS_STRIKES_H
#define ANTIVIRUS_STRIKES_H

#include "ledger.h"

struct strikes;

struct strikes *strikes_new(void);
void strikes_note(struct strikes *s, struct ledger *l);
void strikes_free(struct strikes *s);

#endif
