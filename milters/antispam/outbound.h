/*
 * outbound - what is different for mail of our own users
 *
 * outbound_score	the classifier's score, with half the say of the header
 *			family: mail of a program that has just made it lacks
 *			what an hour of relays adds, and the classifier has seen
 *			only mail with that
 * outbound_look	for ask(), behind antispam_judge: counts a message for
 *			its account, and leaves in seen->account how that stands.
 *			Warns in the log once a block. Mail that is released, in
 *			its second pass, of nobody, for nobody outside, or of a
 *			newsletter that is allowed is not counted
 * outbound_held	what decide() makes of it: false, or the verdict
 */
#ifndef ANTISPAM_OUTBOUND_H
#define ANTISPAM_OUTBOUND_H

#include "decide.h"

double outbound_score(const struct model *model, const struct features *f);
void outbound_look(const struct spam_look *look, struct antispam_answers *seen);
bool outbound_held(const struct job *job, const struct antispam_own *own,
    struct verdict *v);

#endif
