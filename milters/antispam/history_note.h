/*
 * history_note - what is noted of a message in the history, and what that says
 *
 * history_check	a check of checks.c: who has sent good mail for long is
 *			believed a bit more, who has sent spam less, and of whom
 *			nobody has heard a bit less too. Bounded: a good name
 *			buys nothing for a blast
 * history_of		the history, where it is switched on
 * history_note		for ask(), behind the judgement: counts the message for
 *			its proven sender, once in pass 1; mail that goes out
 *			makes correspondents of its recipients; what comes back
 *			from the quarantine was judged wrongly
 *
 * What is noted is how we judged. Whether another filter, or Postfix, refuses
 * it afterwards is not known yet, and says nothing about who sent it: the
 * message that comes again is not counted again.
 */
#ifndef ANTISPAM_HISTORY_NOTE_H
#define ANTISPAM_HISTORY_NOTE_H

#include "decide.h"

spam_check history_check;
struct history *history_of(const struct spam_look *look);
void history_note(struct spam_look *look, const struct antispam_answers *seen);

/* For filter.state. The table before is taken over when it has that size. */
enum rc history_start(unsigned entries, struct history *before,
    const char *dir, struct history **h_r, struct arena *a,
    struct slice *why_r);

#endif
