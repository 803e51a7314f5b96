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

struct spam_options {
	struct arena *a;
	const char *config, *state, *model, *output;
	const char *spam, *ham;		/* files or folders to learn from */
	unsigned bits;
	bool json, forget, evaluate, check, force, all;
	struct house_conf house;
	struct milter_conf milter;
	struct buf out;
};

/* One message as it came: read, split, its features. In the arena. */
struct spam_mail {
	struct message *msg;
	struct content content;
	struct features features;
	struct learned_record record;	/* id and group; given is now */
};

void spam_read(struct arena *a, struct slice bytes, struct spam_mail *mail_r);
/* STATE/antispam/learned */
const char *spam_learned(const struct spam_options *o);

/* The site's options of antispam, or the defaults. An exit status. */
int spam_own(struct spam_options *o, struct antispam_conf *conf);
int spam_feeds(struct spam_options *o);
int spam_lists(struct spam_options *o);
int spam_learn(struct spam_options *o);
int spam_train(struct spam_options *o);
int spam_history(struct spam_options *o, const char *name);
/* For gatehouse forget: how many entries went, in the histories of all daemons
 * below that folder. */
int spam_history_forget(const char *state, const char *address,
    struct arena *a, unsigned *n_r);
/* argv: what stands behind "accounts" (spam-accounts.c). */
int spam_accounts(struct spam_options *o, int argc, char **argv);

#endif
