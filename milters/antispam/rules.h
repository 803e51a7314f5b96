/*
 * rules - what an expert would look for, in a file that he can read
 *
 * A line is a rule:
 *	NAME WHERE[:FIELD] [weight=N] [class=CLASS] /REGEX/ why, in plain words
 *	NAME fact:WHICH [weight=N] [class=CLASS] why, in plain words
 * WHERE is subject, from, field:NAME, head, text, hidden, html, link, file or
 * body; a fact is one that we know how to see (rules_fact.c). The regex is
 * PCRE2's, letter case does not count, a slash in it is written \/; behind it
 * m and s may stand, as in Perl.
 *
 * A rule without a weight is a feature of the classifier (feature.h): its
 * weight is learned, together with all else, so rules that always come together
 * are not counted twice. One with a weight is a clue (clue.h) of so much in
 * log-odds, for what the site knows and has no examples of.
 *
 * spam_rules_load	ours (antispam.rules, which is built in, since the model
 *			of the package knows these), then those of the site's
 *			file (empty: none). A name stands once. RC_BAD with
 *			*why_r: "file:line: what is wrong; what would be right"
 * spam_rules_parse	the same of a text; `name` stands for the file
 * spam_rules_look	which rules a message meets; in its arena
 * spam_rules_clues	adds those with a weight to the clues, and logs once an
 *			hour which ones met a limit
 * spam_rules_learn	adds those without a weight to its features
 * spam_rules_words	what the rule of that feature is for people
 * spam_rules_free	NULL is allowed
 *
 * Of each place the first RULES_TEXT bytes are looked at, over all texts: what
 * says what it wants says it soon. Of texts RULES_TEXTS, of links RULES_LINKS. A rule whose regex runs into a limit (detect/regex.h)
 * counts as not met, and its bit in `limited` is set.
 *
 * But for the time of a warning rules are read-only: any thread.
 */
#ifndef ANTISPAM_RULES_H
#define ANTISPAM_RULES_H

#include "clue.h"
#include "content/content.h"
#include "detect/regex.h"
#include "feature.h"
#include "rules_need.h"

enum { RULES_MAX = 500, RULES_FILE = 1 << 20, RULES_TEXT = 4096,
    RULES_TEXTS = 20, RULES_LINKS = 60 };

enum rule_where { RULE_SUBJECT, RULE_FROM, RULE_FIELD, RULE_HEAD, RULE_TEXT,
    RULE_HIDDEN, RULE_HTML, RULE_LINK, RULE_FILE, RULE_BODY, RULE_FACT,
    RULE_WHERES };

struct spam_rule {
	const char *name;
	enum rule_where where;
	struct slice field;		/* of RULE_FIELD */
	unsigned fact;			/* of RULE_FACT */
	struct regex *regex;
	bool weighted;
	double weight;
	enum mail_class of;
	struct slice words, place;	/* why; "file:line" */
	_Atomic int64_t warned;		/* clock_mono of the last line */
};

struct spam_rules {
	struct arena *arena;
	struct spam_rule rule[RULES_MAX];
	unsigned n;
	struct needs needs;		/* of the regexes, by their number */
};

struct spam_hits {
	struct spam_rules *rules;
	bool met[RULES_MAX], limited[RULES_MAX];
};

enum rc spam_rules_load(const char *site, struct spam_rules **rules_r,
    struct arena *a, struct slice *why_r);
enum rc spam_rules_parse(struct spam_rules *rules, const char *name,
    struct slice text, struct arena *a, struct slice *why_r);
struct spam_rules *spam_rules_new(void);
void spam_rules_free(struct spam_rules *rules);
struct spam_hits *spam_rules_look(struct spam_rules *rules,
    struct message *msg, const struct content *content);
void spam_rules_clues(const struct spam_hits *hits, struct clues *clues);
void spam_rules_learn(const struct spam_hits *hits, struct arena *a,
    struct features *f);
struct slice spam_rules_words(const struct spam_hits *hits, uint32_t feature);

/* Plain words of each place. */
const char *rule_where_name(enum rule_where where);

/* ---- rules_fact.c ---- */

/* Number of a fact, or -1; its name, or NULL behind the last. */
int rule_fact_find(struct slice name);
const char *rule_fact_name(unsigned fact);
bool rule_fact(unsigned fact, struct message *msg,
    const struct content *content);

_Static_assert(RULES_MAX <= (int)NEEDS_RULES, "a bit for each rule");

#endif
