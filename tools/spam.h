/*
 * spam - what the verbs of "gatehouse spam" share (spam.c, spam-feeds.c,
 * spam-history.c, spam-lists.c, spam-train.c)
 */
#ifndef TOOLS_SPAM_H
#define TOOLS_SPAM_H

#include "conf/house.h"
#include "milters/antispam/decide.h"
#include "milters/antispam/learned.h"
#include "milter/settings.h"
#include "tools/verb.h"

/* Examples of each label that are wanted. */
enum { SPAM_LEAST = 100 };

struct spam_options {
	struct arena *a;
	const char *config, *state, *model, *output;
	const char *site_rules, *test;
	const char *by, *base;		/* who votes; instead of the package's */
	bool quarantine, if_needed;
	const char *scores;		/* of --evaluate; NULL: none */
	const char *spam, *ham;		/* files or folders to learn from */
	unsigned bits;
	bool json, forget, evaluate, check, force, all;
	struct house_conf house;
	struct milter_conf milter;
	struct antispam_conf own;
	struct spam_rules *rules;	/* ours and the site's */
	struct buf out;
};

/* One message as it came: read, split, its features. In the arena. */
struct spam_mail {
	struct message *msg;
	struct content content;
	struct features features;
	struct spam_hits *hits;
	struct learned_record record;	/* id and group; given is now */
};

/* With our rules, or those of the site too. */
void spam_read(struct arena *a, struct slice bytes, struct spam_rules *rules,
    struct spam_mail *mail_r);
/* Options and rules of the site, into own and rules. */
int spam_load(struct spam_options *o);
/* STATE/antispam/learned */
const char *spam_learned(const struct spam_options *o);

/* The site's options of antispam, or the defaults. An exit status. */
int spam_own(struct spam_options *o, struct antispam_conf *conf);
int spam_feeds(struct spam_options *o);
int spam_lists(struct spam_options *o);
int spam_learn(struct spam_options *o);
int spam_rules_show(struct spam_options *o);
/* What was learned, trimmed; where the model goes; what it begins with, or
 * NULL; writes it. */
int spam_examples(struct spam_options *o, struct learned *l_r);
const char *spam_output(const struct spam_options *o);
struct model *spam_base(const struct spam_options *o);
int spam_write(struct spam_options *o, struct model_head *head,
    const int8_t *weights);

int spam_vote(struct spam_options *o);
int spam_learn_quarantine(struct spam_options *o);
/* From root to who owns the trainer's files. */
int spam_become_owner(const struct spam_options *o);
int spam_train_again(struct spam_options *o);
int spam_train(struct spam_options *o);
int spam_history(struct spam_options *o, const char *name);
/* For gatehouse forget: how many entries went, in the histories of all daemons
 * below that folder. */
int spam_history_forget(const char *state, const char *address,
    struct arena *a, unsigned *n_r);
/* argv: what stands behind "accounts" (spam-accounts.c). */
int spam_accounts(struct spam_options *o, int argc, char **argv);

#endif
