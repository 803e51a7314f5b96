/*
 * decide - what attachment-dlp does with a message: one step after the other
 *
 * A step is a pure function of its own file. It reads the work (the job, and
 * what earlier steps left for it), adds its part to work->plan by the plan_*
 * functions, and returns whether there is anything left to do:
 *
 *	STEP_ON		the next step looks
 *	STEP_DONE	nobody gets this message now (refused, put off, held for
 *			all): edits of later steps would be for nobody
 *
 * The steps stand in one list in decide.c. A step that has nothing to say adds
 * nothing; the plan begins as "accept". What is slow or waits is done in ask()
 * (filter.c) and found in work->seen: the message is taken apart once
 * (items.h), for all steps.
 *
 * Of several recipients whose settings differ each step makes of it what it
 * can: verdicts by plan_recipient(), for the message has one form only.
 */
#ifndef ATTACHMENT_DECIDE_H
#define ATTACHMENT_DECIDE_H

#include "items.h"
#include "milter/filter.h"
#include "options.h"

/* In the order of strength: of several, the strongest is done. */
enum attachment_action { ATTACHMENT_PASS, ATTACHMENT_REMOVE,
    ATTACHMENT_QUARANTINE, ATTACHMENT_DISCARD, ATTACHMENT_REJECT };

/* What the lists make of the message for one recipient. */
struct attachment_verdict {
	enum attachment_action action;
	const struct item *item;	/* that decided */
	struct slice term;		/* and why */
	const char *rule;		/* static; NULL: nothing matched */
	const char *option;		/* that holds the term */
	struct slice reason;
};

/* A part that goes, and the first item in it that is why. */
struct attachment_removal {
	struct attachment_removal *next;
	const struct part *part;
	const struct item *item;
	struct slice term;
};

/* Whose settings count, and what they are. */
struct attachment_whose {
	struct policy_who who;
	struct attachment_conf conf;
	enum direction direction;	/* of this recipient's mail */
	bool external;			/* a recipient who is none of ours */
	struct attachment_verdict verdict;
};

struct dlp_answers;
struct large_answers;

/* What ask() found: job->answers. */
struct attachment_answers {
	struct items items;		/* the message, taken apart */
	struct dlp_answers *dlp;	/* dlp_step.h; NULL: there are no rules */
	struct attachment_whose sender;	/* outbound: whose settings count */
	struct attachment_whose *of;	/* by recipient of the envelope */
	struct attachment_removal *removals;	/* for all who get it */
	struct slice note;		/* in place of these, UTF-8 */
	struct large_answers *large;	/* large.h; NULL: it is not too large */
};

enum step { STEP_ON, STEP_DONE };

struct work {
	const struct job *job;
	const struct attachment_conf *conf;
	const struct attachment_answers *seen;
	struct plan *plan;
};

typedef enum step step_work(struct work *w);

struct plan *attachment_decide(const struct job *job);

#endif
