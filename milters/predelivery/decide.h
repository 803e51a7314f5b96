/*
 * decide - what predelivery does with a message: one step after the other
 *
 * A step is a pure function of its own file. It reads the work (the job, and
 * what earlier steps left for it), adds its part to work->plan by the plan_*
 * functions, and returns whether there is anything left to do:
 *
 *	STEP_ON		the next step looks
 *	STEP_DONE	nobody gets this message now (refused, put off, held for
 *			all): edits of later steps would be for nobody
 *
 * The steps, and so the order in which a message is changed, stand in one list
 * in decide.c. A step that has nothing to say adds nothing; the plan begins as
 * "accept". What is slow or waits is done in ask() (filter.c) and found in
 * work->seen.
 *
 * Of several recipients whose settings differ each step makes of it what it
 * can: verdicts by plan_recipient(), for the message has one form only.
 */
#ifndef PREDELIVERY_DECIDE_H
#define PREDELIVERY_DECIDE_H

#include "milter/filter.h"
#include "milter/seal.h"
#include "options.h"
#include "rules.h"
#include "texts.h"

/* What ask() found: job->answers. */
struct predelivery_answers {
	struct rules_outcome rules;
	struct texts texts;
	struct outbound_seen *outbound;	/* outbound_run.h; NULL: mail that
					   comes in */
	const struct seal_key *bounce_key;	/* NULL: there is none */
};

enum step { STEP_ON, STEP_DONE };

enum { SUBJECT_TAGS = 20 };		/* of one message */

/* Something by name that a later step does: a rule wants a disclaimer, say. */
struct wish {
	struct wish *next;
	struct slice name;
};

struct work {
	const struct job *job;
	const struct predelivery_conf *conf;
	const struct predelivery_answers *seen;
	struct plan *plan;
	struct wish *disclaimers;	/* in the order of the rules */
	struct wish *tags;		/* marks of the subject, which can be
					   changed once: subject_step does it */
};

typedef enum step step_work(struct work *w);

struct plan *predelivery_decide(const struct job *job);

#endif
