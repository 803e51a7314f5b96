/*
 * rules_do - what rules want becomes a plan
 *
 * rules_whose	sets and direction of each recipient; RC_RETRY: trouble of ours
 * rules_ask	looks at all rules, for each recipient; RC_RETRY when the
 *		message's time is over before that
 * rules_step	the step of decide.c
 *
 * Each recipient has his own verdict. A message has one form: what a rule does
 * to header, subject or sender, and where it routes, holds for all who get it.
 * Where recipients would go different ways (route, sender), option rules_mixed
 * says what becomes of those whom a rule sends another way.
 *
 * What changes the envelope is done once for a message: not again when it comes
 * back (trace.h). Recipients are added in the first pass (milter/split.h), all
 * else that differs by form in the second.
 */
#ifndef PREDELIVERY_RULES_DO_H
#define PREDELIVERY_RULES_DO_H

#include "decide.h"

enum rc rules_whose(const struct job *job, struct rules_for *of,
    struct slice *why_r);
enum rc rules_ask(struct job *job, struct predelivery_answers *seen,
    struct slice *why_r);

step_work rules_step;
/* Marks of the subject that any step has asked for. */
step_work subject_step;

#endif
