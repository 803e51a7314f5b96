/*
 * clue - what one check says about a message
 *
 * Each check beside the classifier looks at one thing and adds clues to a
 * list: a name for rules and logs, a weight in log-odds (the natural logarithm
 * of how many times likelier spam is for it: 0.7 doubles, 2.3 makes ten), and
 * plain words. The sum of all and of the classifier's score is the message's
 * probability. A clue may also name a class of mail, which has its own
 * policy: phishing, fraud, graymail.
 */
#ifndef ANTISPAM_CLUE_H
#define ANTISPAM_CLUE_H

#include "base/arena.h"

enum mail_class { CLASS_SPAM = 0, CLASS_PHISHING, CLASS_FRAUD, CLASS_GRAYMAIL,
    CLASSES };

struct clue {
	struct clue *next;
	const char *name;		/* static: "link-text-differs" */
	double weight;
	enum mail_class of;
	struct slice words;		/* why, in plain words */
};

struct clues {
	struct arena *arena;
	struct clue *first, **last;
	unsigned count;
};

void clues_open(struct clues *s, struct arena *a);
void clues_add(struct clues *s, const char *name, double weight,
    enum mail_class of, struct slice words);
/* Sum of the weights, all classes. */
double clues_sum(const struct clues *s);
/* Of the signals of that class. */
double clues_of(const struct clues *s, enum mail_class of);
const char *class_name(enum mail_class of);

#endif
