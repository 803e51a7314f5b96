/*
 * fraud_part - for the files of fraud
 *
 * A step looks at one thing and adds clues by fraud_add; the words are in the
 * message's arena. They are given to the judge when their sum is at least
 * FRAUD_FLOOR: what many honest letters have is not worth a word, and would
 * make spam of them. The class begins with 4 against it and the option's 60 %
 * are 0.4: so it takes 4.4, and nothing here has that alone.
 */
#ifndef ANTISPAM_FRAUD_PART_H
#define ANTISPAM_FRAUD_PART_H

#include "decide.h"
#include "fraud.h"
#include "fraud_from.h"
#include "fraud_words.h"
#include "history.h"
#include "people.h"

#define FRAUD_FLOOR	2.0

enum {
	FRAUD_CLUES = 24,
	FRAUD_KIN = 1000,		/* of which typos are looked for */
	FRAUD_IBANS = 8,		/* of a message */
};

struct fraud_kin {
	struct slice domain;		/* registered */
	struct slice name, suffix;	/* "acme", "co.uk" */
	bool ours;			/* else a partner's */
};

struct fraud_shared {
	struct arena *arena;
	struct fraud_words *words;
	struct people *people;		/* without a policy: for tools */
	struct map *looks;		/* look_host(domain): its fraud_kin */
	struct map *domains;		/* domain: its fraud_kin */
	struct map *ours;		/* domains of the house */
	struct fraud_kin *kin;
	size_t nkin;
};

struct fraud_clue {
	const char *name;
	double weight;
	struct slice words;
};

struct fraud {
	struct spam_look *look;
	struct arena *a;
	const struct fraud_shared *shared;
	const struct people *people;
	struct history *history;	/* NULL: there is none */
	int64_t now;
	struct fraud_from from;
	struct history_view address, domain;	/* zeroed: not proven */
	bool ripe;			/* not to be there says something */
	bool first;			/* nobody knows the sender */
	bool established;		/* proven, and known for long */
	bool bulk;			/* says that it is for many */
	const struct person *taken;	/* whose name the sender has */
	bool identity;			/* something about who he is */
	struct slice texts[64];		/* what he wrote himself */
	size_t ntexts, length;
	struct fraud_clue clues[FRAUD_CLUES];
	size_t nclues;
	double sum;
};

/* A domain of the house, or below one. */
bool fraud_ours(const struct fraud_shared *s, struct slice domain);
void fraud_add(struct fraud *f, const char *name, double weight,
    struct slice words);
void fraud_who(struct fraud *f);	/* fraud_who.c: From */
void fraud_signed(struct fraud *f);	/* the name below the letter */
void fraud_domains(struct fraud *f);	/* fraud_domain.c */
/* How a domain that nobody knows resembles one that we do; NULL: it does not.
 * *weight_r. */
const char *fraud_resembles(struct fraud *f, struct slice org,
    double *weight_r, struct slice *like_r);
void fraud_reply_to(struct fraud *f);
void fraud_texts(struct fraud *f);	/* fraud_text.c: finds texts */
void fraud_wording(struct fraud *f);
void fraud_accounts(struct fraud *f);
/* Accounts of a message that was taken for good become the partner's. */
void fraud_learn_accounts(struct history *h, struct slice org,
    struct message *msg, const struct content *content, bool sure,
    int64_t now);

#endif
