/*
 * decide - what antispam does with a message of some probability
 *
 * antispam_look	what ask() does: texts, features, score, clues, and what
 *			is set for each recipient. RC_RETRY is trouble of ours
 * antispam_decide	pure: thresholds and actions, for each recipient
 *
 * The probability is that of the classifier's score with the clues' weights
 * added; percent is its whole part.
 */
#ifndef ANTISPAM_DECIDE_H
#define ANTISPAM_DECIDE_H

#include "clue.h"
#include "listed.h"
#include "milter/filter.h"
#include "model.h"
#include "options.h"

enum { REASONS = 5 };

/* Why, in plain words; weight in log-odds, spam is above 0. */
struct spam_reason {
	struct slice words;
	double weight;
};

struct antispam_own {
	struct antispam_conf conf;
	struct policy_who who;
	struct spam_listed listed;
};

struct antispam_answers {
	double score;			/* the classifier's */
	struct clues clues;
	unsigned percent;
	struct spam_reason reasons[REASONS];	/* the strongest ones */
	size_t nreasons;
	struct antispam_own *own;	/* of each recipient; outbound: one */
};

/* What the process shares: job->shared. */
struct antispam_shared {
	struct model *model;
};

enum rc antispam_look(struct job *job, struct slice *why_r);
struct plan *antispam_decide(const struct job *job);

/* The message alone, for tools: percent, score and reasons. */
void antispam_judge(struct message *msg, const struct model *model,
    struct antispam_answers *answers_r);

#endif
