/*
 * rules - conditions and actions of an administrator's own
 *
 * gatehouse-rules(5) is what he reads; this is what the file becomes. A rule
 * has a tree of conditions and a list of actions. Leaves of the tree are shared:
 * the same condition in a thousand rules is one leaf, and looked at once.
 *
 * rules_load	reads the file, checks it, makes the prefilter (rules_find.h).
 *		RC_BAD with *why_r ("file:line: ..."): syntax, values, rules
 *		that contradict each other or can never be reached. path NULL or
 *		empty: no rules. trusted as in conf_load_trusted
 * rules_parse	the same for text in memory
 * rules_free	NULL is allowed
 * rules_set	the set of that name; NULL: no rule is in it
 *
 * rules_truth	of one leaf for one recipient of the message
 * rules_when	of a whole rule; both keep what they found in `notes`
 * rules_run	all rules of each recipient's sets, in their order, as far as
 *		they go. What a rule wants of a recipient ends at the first
 *		that matches and does not say `continue`
 *
 * A rule begins as a shadow: it is looked at and told, and nothing is done.
 *
 * Limits: RULES rules, CONDITIONS conditions in each, DEPTH levels of all, any
 * and not; recipients as Postfix takes them.
 *
 * Read-only when loaded: any thread. Notes are one message's.
 */
#ifndef PREDELIVERY_RULES_H
#define PREDELIVERY_RULES_H

#include "crypto.h"
#include "facts.h"
#include "schedule.h"

enum {
	RULES = 10000,
	RULES_CONDITIONS = 100,		/* leaves of one rule */
	RULES_DEPTH = 5,
	RULES_FILE = 16 << 20,		/* bytes of one file */
	RULES_ADDED = 5,		/* recipients that a rule may add ... */
	RULES_ADDED_ALL = 50,		/* ... and all rules of one message */
};

/* ---- conditions ---- */

enum leaf_kind { LEAF_DIRECTION, LEAF_RECIPIENT,
    LEAF_OF_MESSAGE,		/* what follows is the same for all */
    LEAF_HEADER = LEAF_OF_MESSAGE, LEAF_SUBJECT, LEAF_ENVELOPE_SENDER,
    LEAF_FROM, LEAF_NETWORK, LEAF_COUNTRY, LEAF_SIZE, LEAF_ATTACHMENT,
    LEAF_CRYPTO, LEAF_LANGUAGE, LEAF_FINDING, LEAF_SCHEDULE };

enum { RULE_IN = 1, RULE_OUT = 2, RULE_INTERNAL = 4, RULE_ANYWHERE = 7 };

struct leaf {
	enum leaf_kind kind;
	unsigned id;
	struct slice text;		/* as people read it */
	struct slice name, key;		/* of a field; filter and key */
	struct match match;		/* empty: is it there at all? */
	struct match type;		/* of an attachment */
	unsigned bits;			/* directions, or CRYPTO_* */
	struct conf_nets networks;
	struct conf_list words;		/* countries, languages */
	uint64_t over, under;		/* bytes; under 0: no such end */
	struct schedule schedule;
};

enum node_kind { NODE_ALL, NODE_ANY, NODE_NOT, NODE_LEAF };

struct node {
	struct node *next, *first;
	enum node_kind kind;
	const struct leaf *leaf;
};

/* ---- actions ---- */

struct rule_header {
	struct rule_header *next;
	struct slice name, body;	/* body " value"; none: to be removed */
};

struct actions {
	bool ends;			/* it has a verdict */
	enum action action;
	enum cause cause;
	struct slice reply;
	struct conf_list add;		/* recipients */
	struct slice sender, recipient;	/* "*@new": keeps the local part */
	struct slice route;		/* "smtp:[host]:25" */
	struct slice tag;		/* of the subject */
	struct rule_header *headers;
	struct conf_list disclaimers;
};

enum rule_mode { RULE_SHADOW, RULE_ACTIVE, RULE_OFF };
enum rule_undecided { UNDECIDED_QUARANTINE, UNDECIDED_TEMPFAIL,
    UNDECIDED_MATCH, UNDECIDED_SKIP };

struct rule {
	unsigned id;			/* place in rules->all */
	struct slice name, set, where;
	const char *verdict;		/* "rule-NAME", for log and journal */
	enum rule_mode mode;
	bool goes_on;			/* `continue` */
	enum rule_undecided undecided;
	struct node *when;		/* NULL: always */
	unsigned directions;		/* RULE_*: in which it can match */
	struct actions then;
};

struct rule_set {
	struct slice name;
	unsigned first, end;		/* of rules->all */
};

struct find;

struct rules {
	struct arena *arena;
	struct rule *all;		/* by set, then as in the file */
	unsigned n;
	struct rule_set *sets;
	unsigned nsets;
	struct leaf **leaves;
	unsigned nleaves;
	bool countries;			/* a rule asks for one */
	bool discards;			/* a rule deletes mail */
	struct find *find;
};

enum rc rules_load(const char *path, bool trusted, struct rules **rules_r,
    struct arena *a, struct slice *why_r);
enum rc rules_parse(const char *name, struct slice text,
    struct rules **rules_r, struct arena *a, struct slice *why_r);
void rules_free(struct rules *r);
const struct rule_set *rules_set(const struct rules *r, struct slice name);

/* ---- one message ---- */

struct note {
	unsigned stamp;			/* of which recipient; 0: none */
	enum truth truth;
};

struct notes {
	const struct rules *rules;
	struct facts *facts;
	struct note *of;		/* by leaf */
	unsigned stamp;
	size_t recipient;
	unsigned direction;		/* RULE_*: of this recipient */
};

void notes_init(struct notes *n, const struct rules *r, struct facts *f);
/* From here on it is about that recipient. */
void notes_recipient(struct notes *n, size_t index, unsigned direction);
enum truth rules_truth(struct notes *n, const struct leaf *leaf);
enum truth rules_when(struct notes *n, const struct rule *rule);

/* One rule that said yes for one or more recipients; or, apart from that, one
 * that could be decided for none of these. */
struct hit {
	struct hit *next;
	const struct rule *rule;
	bool undecided;
	bool assumed;			/* a yes that stands for undecided */
	bool *of;			/* by recipient */
	size_t count;
};

struct outcome_of {
	const struct rule *end;		/* whose verdict it is; NULL: none */
	bool undecided;			/* and it is that of an undecided one */
};

struct rules_outcome {
	struct hit *hits;		/* in the order of the rules */
	struct outcome_of *of;		/* by recipient */
	unsigned looked_at;		/* rules, of all */
	bool late;			/* the deadline passed on the way */
};

/* One recipient: whose sets, and which way his mail goes. */
struct rules_for {
	const struct conf_list *sets;	/* NULL: nobody asks for him */
	unsigned direction;		/* one of RULE_* */
};

/* of: by recipient. */
void rules_run(const struct rules *r, struct facts *f,
    const struct rules_for *of, struct rules_outcome *out);
/* What a rule would do, in a few words. */
struct slice rules_actions_text(struct arena *a, const struct rule *rule);

#endif
