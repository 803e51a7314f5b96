/*
 * dlp_rules - what must not go out: the file of rules (gatehouse-dlp(5))
 *
 * dlp_load	reads and checks the file that dlp_rules names, and maps the
 *		sets of fingerprints that its rules name. RC_BAD with *why_r:
 *		"file:line: what is wrong; what would be right". An empty path
 *		gives rules that are none
 * dlp_parse	the same from memory; name stands for the file
 *
 * Rules are read-only and shared by all threads; dlp_free gives them back.
 */
#ifndef ATTACHMENT_DLP_RULES_H
#define ATTACHMENT_DLP_RULES_H

#include "conf/conf.h"
#include "detect/find.h"
#include "detect/prints.h"
#include "detect/regex.h"
#include "detect/words.h"

enum {
	DLP_RULES = 200, DLP_WORDS = 20000, DLP_REGEXES = 100,
	DLP_SETS = 20,			/* of fingerprints */
	DLP_TOLD = 20,			/* addresses of one rule */
};

/* What a rule looks for beside FIND_*. */
enum { DLP_WORD = 1 << 8, DLP_REGEX = 1 << 9, DLP_LABEL = 1 << 10,
    DLP_DOCUMENT = 1 << 11 };

/* Whose mail: bits by enum direction. */
enum { DLP_IN = 1 << 0, DLP_OUT = 1 << 1, DLP_INTERNAL = 1 << 2 };

enum dlp_action { DLP_NOTHING = 0, DLP_BLOCK, DLP_HOLD };

/* Words of one kind of one rule, by their number in the one set of all. */
struct dlp_words {
	unsigned *numbers;
	size_t n;
};

struct dlp_regex {
	struct regex *regex;
	struct slice text;
};

struct dlp_rule {
	unsigned id;			/* in the order of the file */
	struct slice name, set, where;
	const char *verdict;		/* "dlp-cards" */
	unsigned find;			/* FIND_* and DLP_* */
	struct conf_list national;	/* kinds; none: any */
	struct dlp_words words, labels, context;
	struct dlp_regex *regexes;
	size_t nregexes;
	const struct prints *prints;
	size_t prints_number;		/* of dlp_rules.prints */
	unsigned share;			/* percent of a document */
	unsigned within;		/* bytes from a hit to its context */
	unsigned at_least;		/* distinct values */
	struct conf_list except;	/* values, no separators, in order */
	unsigned directions;
	bool enforce;
	enum dlp_action action;
	bool notify, notify_sender, tag, encrypt;
	struct conf_list notify_to;	/* addresses */
};

struct dlp_rules {
	struct arena *arena;
	struct dlp_rule *all;
	unsigned n;
	unsigned find;			/* of all rules together */
	struct words *words;		/* NULL: no rule has any */
	struct slice *word_texts;	/* by number */
	unsigned nwords;
	const struct prints *prints[DLP_SETS];
	struct slice prints_paths[DLP_SETS];
	size_t nprints;
};

enum rc dlp_load(const char *path, bool trusted, struct dlp_rules **rules_r,
    struct arena *a, struct slice *why_r);
enum rc dlp_parse(const char *name, struct slice text,
    struct dlp_rules **rules_r, struct arena *a, struct slice *why_r);
void dlp_free(struct dlp_rules *r);
bool dlp_has_set(const struct dlp_rules *r, struct slice set);
/* "block", for people. Static. */
const char *dlp_action_name(enum dlp_action action);

#endif
