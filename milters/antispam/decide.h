/*
 * decide - what antispam does with a message of some probability
 *
 * antispam_look	what ask() does: texts, features, score, clues, and what
 *			is set for each recipient. RC_RETRY is trouble of ours
 * antispam_decide	pure: thresholds and actions, for each recipient
 *
 * The probability of spam is that of the classifier's score with the weights
 * of spam's and phishing's clues added; of each other class that of its own
 * clues alone. percent is
 * the whole part. What is most is the message's class (antispam_class).
 */
#ifndef ANTISPAM_DECIDE_H
#define ANTISPAM_DECIDE_H

#include "accounts.h"
#include "clue.h"
#include "fraud_from.h"
#include "listed.h"
#include "look.h"
#include "model.h"
#include "phish_files.h"
#include "rules.h"
#include "watch.h"

enum { REASONS = 5 };

struct nets;
struct dnslist_ask;
struct backends_asked;

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
	unsigned percent[CLASSES];
	struct slice missed;		/* sources that did not answer */
	struct graymail gray;
	struct accounts_seen account;	/* outbound */
	struct spam_reason reasons[REASONS];	/* the strongest ones */
	size_t nreasons;
	struct fraud_from from;
	unsigned straight;		/* percent of fraud without Reply-To */
	struct antispam_own *own;	/* of each recipient; outbound: one */
	struct dnslist_ask *lists;	/* nets.h; NULL: nothing is asked */
	struct backends_asked *backends;
};

/* What the process shares: job->shared. */
struct antispam_shared {
	struct fraud_shared *fraud;
	struct history *history;	/* NULL: none, or no daemon */
	struct model_watch *watch;
	struct spam_rules *rules;
	struct graymail_words *gray;	/* NULL: nobody looks for it */
	struct campaigns *campaigns;	/* NULL: not in a daemon */
	struct marks *marks;
	struct accounts *accounts;	/* NULL: not in a daemon */
	struct suffixes *suffixes;
	struct nets *nets;
	struct phish_known *known;	/* names that phishing is done with */
	struct phish_feeds *feeds;	/* links that others have seen */
	struct phish_cells cells;	/* who opens attachments */
};

enum rc antispam_look(struct job *job, struct slice *why_r);
struct plan *antispam_decide(const struct job *job);

/*
 * Percent, score and reasons of look->msg, with the checks of checks.c. The
 * caller sets job, msg, shared and conf of the look; shared has all that open
 * makes.
 * RC_RETRY with *why_r: trouble of ours.
 */
enum rc antispam_judge(struct spam_look *look,
    struct antispam_answers *answers_r, struct slice *why_r);

/*
 * The class of a message: the worst of phishing, fraud, spam and graymail, in
 * this order, that is likelier than not; CLASSES: none, ordinary mail.
 */
enum mail_class antispam_class(const struct antispam_answers *seen);

#endif
