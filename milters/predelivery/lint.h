/*
 * lint - does outbound mail look as receivers want it?
 *
 * The rules are those of lint_rules.h, a function each. All of them are looked
 * at; which of them count, and how much, is for the settings (lint_judge).
 *
 * lint_run	the result of each rule for this mail
 * lint_judge	the rules that are not kept and matter: the first one that is
 *		to be refused, or LINT_RULES, and those to warn of
 * lint_bulk	is it bulk mail? and why, for people
 * lint_questions	calls ask for each DNS name that the rules will look up for
 *		these domains, so that answers are there in time; for rules that
 *		are off nothing is asked. What answers lead to (an SPF redirect,
 *		an address instead of an MX) is asked for by lint_more: false
 *		when nothing is left to ask. After LINT_ROUNDS there is nothing
 * lint_check	lists and names of the settings. RC_BAD with *why_r
 *
 * What DNS does not answer is LINT_UNKNOWN, and no mail is refused for that.
 * Pure: the answers come from `lookup`, NULL where there is none.
 *
 * Bounds: LINT_PARTS parts of text, LINT_TEXT bytes together; 5 mailboxes of
 * From; 5 signatures; 4 SPF records, one redirected to the next.
 */
#ifndef PREDELIVERY_LINT_H
#define PREDELIVERY_LINT_H

#include "milter/filter.h"
#include "outbound.h"

enum { LINT_PARTS = 20, LINT_TEXT = 512 * 1024, LINT_SIGNATURES = 5,
    LINT_REDIRECTS = 3,
    LINT_ROUNDS = LINT_REDIRECTS + 1 };

enum lint_state {
	LINT_NONE,			/* it is not about this mail */
	LINT_GOOD,
	LINT_BAD,
	LINT_UNKNOWN,
};

struct lint_result {
	enum lint_state state;
	struct slice why;		/* plain words; empty where good */
};

typedef const struct dns_answer *lint_lookup(void *arg, struct slice name,
    enum dns_type type);
typedef void lint_ask(void *arg, struct slice name, enum dns_type type);

struct lint_mail {
	struct arena *arena;
	const struct outbound_conf *conf;
	const struct house_conf *house;
	struct message *msg;
	struct slice sender;		/* MAIL FROM as it will go out */
	const struct recipient *recipients;
	size_t nrecipients;
	uint64_t all;			/* recipients over all transactions */
	int64_t now;
	lint_lookup *lookup;		/* NULL: DNS is not asked */
	void *arg;
};

struct lint_verdict {
	unsigned refuse;		/* enum lint_id; LINT_RULES: none */
	struct slice warnings;		/* "subject, date"; empty: none */
	struct slice broken;		/* both together */
	struct slice unknown;
};

void lint_run(const struct lint_mail *m,
    struct lint_result results_r[LINT_RULES]);
void lint_judge(const struct outbound_conf *conf,
    const struct lint_result results[LINT_RULES], struct arena *a,
    struct lint_verdict *verdict_r);
struct slice lint_bulk(const struct lint_mail *m);
/* "list-unsubscribe"; and what it asks for, as a sentence. */
const char *lint_name(unsigned id);
const char *lint_text(unsigned id);
const char *lint_state_name(enum lint_state state);
enum rc lint_check(const struct outbound_conf *conf, struct arena *a,
    struct slice *why_r);

/* lint_dns.c */
struct lint_domains {
	struct slice sender, from;	/* A-labels; SLICE_NONE: none */
};
/* Of m: of MAIL FROM and of the first mailbox in From. */
void lint_domains_of(const struct lint_mail *m,
    struct lint_domains *domains_r);
void lint_questions(const struct outbound_conf *conf,
    const struct lint_domains *domains, struct arena *a, lint_ask *ask,
    void *arg);
bool lint_more(const struct lint_mail *m, const struct lint_domains *domains,
    lint_ask *ask, void *arg);
/* The key that a DKIM-Signature names; SLICE_NONE: it is no such field. */
struct slice lint_key_name(struct arena *a, struct slice name,
    struct slice body, struct slice *domain_r);

#endif
