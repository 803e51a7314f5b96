/*
 * plan - what a filter decided about one message
 *
 * decide() returns one: an action for each recipient with rule, reason, reply
 * and coverage; the edits; what to hand on in the seal; what to write to the
 * journal. The runtime commits and applies it. A zeroed verdict is TEMPFAIL:
 * the safe one.
 *
 * plan_new		accepts all, edits nothing
 * plan_reject ...	set the action for all recipients; they return the plan
 *			so that decide() can end with them. reply is an enhanced
 *			status code and text ("5.7.23 SPF fail ..."); it is made
 *			safe for SMTP when it is applied
 * plan_hold		plan_quarantine with a cause; the other has CAUSE_POLICY
 * plan_recipient	the verdict of one recipient, to be changed; it begins as
 *			a copy of the one for all
 * plan_finding		key and value that the seal carries to later filters
 * plan_fact		ECS key and value for the journal's event
 * plan_coverage	what was looked at ("headers", "3 of 3 parts")
 * plan_sender		another reverse-path (without <>; empty is <>)
 * plan_add_recipient	one more recipient
 * plan_add_quietly	the same for one of whom the sender is to know nothing: no
 *			bounce about him goes to him
 * plan_route		another way for the message, all of its recipients:
 *			"transport:nexthop" as Postfix's FILTER takes it. It
 *			wants milter_header_checks, which postfix-config sets
 * plan_rewrite_recipient	another address for recipient `old`. There is no
 *			way to drop one: that needs a durable copy first
 * plan_file		a file that goes into the store, for all who get the message:
 *			the edits leave a link in its place. It is durable before
 *			the first edit goes out. What is copied into the plan is
 *			the struct; its bytes live as long as the arena
 * plan_for_trouble	THE place where a failure of ours becomes an answer:
 *			tempfail, nothing edited
 */
#ifndef VERDICT_PLAN_H
#define VERDICT_PLAN_H

#include "mime/patch.h"

/* The field that tells Postfix's cleanup of another route (milter_header_checks);
 * it is in no message that leaves. */
#define ROUTE_FIELD	"X-Gatehouse-Route"

enum action { TEMPFAIL = 0, ACCEPT, REJECT, DISCARD, QUARANTINE };

/*
 * Why a message is held or deleted. Retention, who may release and digests go
 * by it, so the names are stable; new ones come at the end.
 */
enum cause {
	CAUSE_NONE = 0,			/* of a verdict that holds nothing */
	CAUSE_VIRUS, CAUSE_SPAM, CAUSE_PHISHING, CAUSE_GRAYMAIL, CAUSE_FRAUD,
	CAUSE_ATTACHMENT, CAUSE_DLP, CAUSE_POLICY, CAUSE_SPAM_NDR,
	CAUSE_POISON, CAUSE_UNSCANNABLE,
	CAUSE_DEFERRED,			/* waits for newer signatures */
	CAUSE_SANDBOX,			/* waits for a sandbox, or was caught
					   by one */
	CAUSE_ACCOUNT,			/* its sender's account is held */
	CAUSES,				/* how many there are */
};

struct verdict {
	enum action action;
	const char *rule;		/* static: "spf-fail" */
	struct slice reason;		/* plain words, for people */
	struct slice reply;		/* "5.7.23 text"; empty: a default */
	struct slice scope;		/* which level set what decided, as
					   job_decided says; empty: default */
	enum cause cause;		/* QUARANTINE, DISCARD; none: policy.
					   REJECT: should it have to be held */
};

struct plan_recipient {
	struct plan_recipient *next;
	size_t index;			/* into the envelope's recipients */
	struct verdict verdict;
};

struct plan_pair {
	struct plan_pair *next;
	const char *key;		/* static, or in the plan's arena */
	struct slice value;
};

/* Changes of the envelope; later filters learn them from the seal. */
struct plan_address {
	struct plan_address *next;
	struct slice removed;		/* absent: only an addition */
	struct slice added;
	bool quiet;			/* Postfix is to report nothing of him */
};

struct plan_file {
	struct plan_file *next;
	struct slice name, type;	/* "a.pdf", "application/pdf" */
	struct slice bytes;		/* decoded */
	char token[65];			/* token_hash() of its link's token: no
					   other file has it, and it is the same
					   for a message that comes again */
	int64_t expires;		/* seconds since 1970 */
	unsigned uses;			/* downloads of each recipient */
};

struct plan {
	struct arena *arena;
	struct verdict all;
	struct plan_recipient *recipients;	/* who differs from all */
	struct patches edits;
	struct slice sender;		/* absent: as it is */
	struct slice route;		/* absent: Postfix's own */
	struct plan_address *addresses;
	struct plan_pair *findings;
	struct plan_pair *facts;
	struct plan_file *files;
	struct slice coverage;
};

struct plan *plan_new(struct arena *a, const struct message *msg);
struct plan *plan_accept(struct plan *p, const char *rule, struct slice reason);
struct plan *plan_reject(struct plan *p, const char *rule, struct slice reason,
    struct slice reply);
struct plan *plan_tempfail(struct plan *p, const char *rule,
    struct slice reason, struct slice reply);
struct plan *plan_discard(struct plan *p, const char *rule,
    struct slice reason);
struct plan *plan_quarantine(struct plan *p, const char *rule,
    struct slice reason);
struct plan *plan_hold(struct plan *p, enum cause cause, const char *rule,
    struct slice reason);
struct verdict *plan_recipient(struct plan *p, size_t index);
/* The verdict of that recipient. */
const struct verdict *plan_verdict(const struct plan *p, size_t index);
/* Of one verdict for several recipients: the level that decided for one more of
 * them; two that differ are "several levels". */
void verdict_level(struct verdict *v, struct slice level, bool first);
void plan_finding(struct plan *p, const char *key, struct slice value);
void plan_fact(struct plan *p, const char *key, struct slice value);
void plan_coverage(struct plan *p, struct slice text);
void plan_sender(struct plan *p, struct slice address);
void plan_add_recipient(struct plan *p, struct slice address);
void plan_add_quietly(struct plan *p, struct slice address);
void plan_route(struct plan *p, struct slice to);
void plan_rewrite_recipient(struct plan *p, struct slice old,
    struct slice address);
void plan_file(struct plan *p, const struct plan_file *file);
bool plan_edits(const struct plan *p);
struct plan *plan_for_trouble(struct arena *a, const struct message *msg,
    struct slice why);

const char *action_name(enum action action);
/* False for an unknown name. */
bool action_parse(struct slice name, enum action *action_r);
/* "spam-ndr"; "none" for CAUSE_NONE and for what is no cause. */
const char *cause_name(enum cause cause);
/* False for an unknown name; "none" is one of them. */
bool cause_parse(struct slice name, enum cause *cause_r);
/* Is it held for a second look, and goes on by itself? */
bool cause_waits(enum cause cause);

/*
 * Splits a reply into SMTP code, enhanced code and text for the action; bytes
 * outside printable ASCII become '?', the text is cut at 400 bytes. An empty
 * or malformed reply, or one whose class does not fit the action, gets the
 * action's default. All three in the arena.
 */
void reply_split(struct arena *a, const struct verdict *v, char code_r[4],
    const char **enhanced_r, const char **text_r);

#endif
