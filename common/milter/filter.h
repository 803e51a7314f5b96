/*
 * filter - what a milter is made of
 *
 * A milter is a table: options, what it needs of a message, and three
 * functions. Gather, commit and apply live in the runtime (session.h).
 *
 *   begin	at MAIL FROM, when client and reverse-path are known: start slow
 *		questions, do not wait. May be NULL
 *   field	a header field has arrived: the same, with what it names (a key
 *		for a signature). Its bytes are gone after the call. May be NULL
 *   wants_body	the header block is there: must the body of this message be
 *		brought? Of a filter that needs bodies (NEED_BODY); called once,
 *		when the body begins. When no filter of the process wants it,
 *		Postfix is told to send no more of it, and msg->body is empty:
 *		a plan that edits it is trouble. NULL: always. With a store it
 *		is brought to who may hold (HOLDS), wanted or not
 *   ask	the message is there: wait for answers, no longer than
 *		job->deadline. RC_RETRY is trouble of ours (plan_for_trouble).
 *		May be NULL
 *   decide	pure: reads the job, returns a plan; never waits, never logs
 *
 *   wants	what it needs beyond `needs`, as configured. May be NULL
 *   check	once a load: options that are wrong together. RC_BAD, *why_r
 *   open	once a process and reload: what all messages share. RC_BAD or
 *		RC_RETRY with *why_r; the result is job->shared
 *   survey	once a load, and again for each new policy (policy/policy.h):
 *		what somebody may want, by what is set for whom. Its needs are
 *		added, its view is job->view. At first nobody uses shared yet;
 *		later all do. May be NULL. RC_BAD or RC_RETRY with why
 *   close	gives it back, when no message uses it any more
 *   state	once a load in a daemon, not in tools: files below dir, the
 *		daemon's state folder, are opened. before: shared of the set
 *		that is left by a reload, or NULL; what it has open may be
 *		taken over. May be NULL. RC_BAD or RC_RETRY with *why_r
 *
 * Answers before there is a message (early.h); each may be NULL:
 *   connect, mail, rcpt	a client, reverse-path or recipient has come;
 *		fills in early->answer. Must not wait
 *
 * Functions of one job are called by one thread at a time, not always the
 * same one. conf and shared are read by many threads at once.
 */
#ifndef MILTER_FILTER_H
#define MILTER_FILTER_H

#include "base/clock.h"
#include "conf/conf.h"
#include "conf/house.h"
#include "net/dns.h"
#include "policy/policy.h"
#include "store/mark.h"
#include "verdict/plan.h"

enum need {
	NEED_BODY	= 1 << 0,	/* else only header fields are gathered */
	NEED_DNS	= 1 << 1,	/* job->budget is there */
	EDITS_HEADERS	= 1 << 2,	/* what edits may hold; more is refused */
	EDITS_BODY	= 1 << 3,
	EDITS_ENVELOPE	= 1 << 4,
	/* Not for tables: each filter with NEED_BODY has a wants_body. */
	LEAVES_BODY	= 1 << 5,
	HOLDS		= 1 << 6,	/* may hold or discard; with a store that
					   brings the body, and takes recipients
					   out of the message */
	EARLY_CONNECT	= 1 << 8,	/* Postfix waits for our reply there */
	EARLY_MAIL	= 1 << 9,
	EARLY_RCPT	= 1 << 10,	/* and shows whom it refuses */
	EARLY		= EARLY_CONNECT | EARLY_MAIL | EARLY_RCPT,
};

/* A message is one of the first two; of its recipients, those who are ours
 * get mail of our own (job_direction). */
enum direction { DIRECTION_IN, DIRECTION_OUT, DIRECTION_INTERNAL };

/* Who is at the other end; from CONNECT, HELO and macros, or from the seal
 * when an earlier filter of ours saw the client first. */
struct client {
	struct ip ip;			/* family 0: unknown or a local pipe */
	struct slice name;		/* verified host name, or "unknown" */
	struct slice helo;
	struct slice daemon_name;	/* {daemon_name} of the listener */
	struct slice user;		/* SASL login, empty: none */
	struct slice tls;		/* {tls_version}, empty: none */
};

struct recipient {
	struct slice address;		/* without <>, as Postfix gave it */
	struct slice mailer;		/* {rcpt_mailer}; "error": Postfix refused */
	struct slice host;		/* {rcpt_host}; then the enhanced code */
};

struct envelope {
	struct slice sender;		/* reverse-path without <>; empty: <> */
	struct recipient *recipients;
	size_t nrecipients;
	struct slice queue_id;		/* empty until DATA */
	bool smtputf8, body8;		/* SMTPUTF8, BODY=8BITMIME */
	uint64_t size;			/* SIZE=, what the client says; 0: it
					   says nothing */
};

/* Findings of earlier filters, from the seal. */
struct finding {
	struct slice filter, key, value;
};

struct job {
	const char *filter;		/* its name */
	struct arena *arena;		/* lives as long as the message */
	const struct house_conf *house;
	const void *conf;		/* the filter's own options */
	void *shared;			/* what open() made */
	const struct policy *policy;	/* never NULL; the message's own */
	const void *view;		/* what survey() made of it */
	const struct client *client;
	const struct envelope *envelope;
	struct message *msg;		/* NULL in begin */
	const struct finding *findings;
	size_t nfindings;
	/* Mail that comes back from the quarantine; NULL: it does not. What
	 * was held for that cause is not held for it again in any case. */
	const struct mark *release;
	enum direction direction;
	/* 2: it was split (split.h). What has an effect beyond this message
	 * (counts, copies, notices) had it in the first pass. */
	unsigned pass;
	/* In ask and decide: the recipients need different forms. In pass 1
	 * nothing that the plan edits is done, so nothing stands against
	 * edits that differ; in pass 2 all recipients are of one class. */
	bool split;
	bool store;			/* what is held goes into the store */
	char identity[33];		/* 128 bits in hex: the message's name */
	int64_t now;			/* clock_wall at MAIL */
	deadline_t deadline;		/* of ask */
	struct dns_budget *budget;	/* NEED_DNS: cancelled before anything
					   that begin or ask deferred is undone */
	void *answers;			/* begin and ask leave theirs here */
};

/* What a hook answers; zeroed: nothing to say. Texts are static or live as
 * long as the arena. */
struct early_reply {
	const char *code, *enhanced, *text;	/* "421", "4.7.1", why */
	int64_t delay;			/* ms before the answer, at most */
	/* News for log and journal, or NULL: event.action, and the prefix of
	 * the facts' keys there. */
	const char *event;
	const char *rule;		/* static */
	struct slice reason;
	struct plan_pair *facts;	/* by early_fact */
};

struct early {
	const char *filter;		/* its name */
	struct arena *arena;		/* lives as long as the call */
	const struct house_conf *house;
	const void *conf;
	void *shared;
	const struct policy *policy;
	const struct client *client;
	enum direction direction;
	struct slice sender;		/* absent at CONNECT */
	uint64_t size;			/* SIZE= of MAIL FROM; 0: none */
	const struct recipient *recipient;	/* NULL before RCPT */
	int64_t now;			/* clock_wall */
	bool full;			/* nobody more can be slowed down */
	struct early_reply answer;
};

/* What survey() fills in. */
struct survey {
	struct arena *arena;		/* of the view: as long as the policy */
	unsigned needs;			/* NEED_BODY, EARLY, ... */
	void *view;
	struct slice why;
};

struct filter {
	const char *name;		/* "auth-check" */
	const struct conf_option *options;
	size_t conf_size;
	unsigned needs;
	enum rc (*check)(const void *conf, const struct house_conf *house,
	    struct arena *a, struct slice *why_r);
	enum rc (*open)(const void *conf, const struct house_conf *house,
	    struct dns *dns, void **shared_r, struct arena *a,
	    struct slice *why_r);
	bool opens_slowly;		/* where a configuration is only
					   checked, it is not opened */
	enum rc (*survey)(const void *conf, void *shared,
	    const struct policy *policy, struct survey *survey);
	void (*close)(void *shared);
	enum rc (*state)(const void *conf, void *shared, void *before,
	    const char *dir, struct arena *a, struct slice *why_r);
	unsigned (*wants)(const void *conf);
	void (*begin)(struct job *job);
	void (*field)(struct job *job, struct slice name, struct slice body);
	bool (*wants_body)(const struct job *job);
	enum rc (*ask)(struct job *job, struct slice *why_r);
	struct plan *(*decide)(const struct job *job);
	void (*connect)(struct early *early);
	void (*mail)(struct early *early);
	void (*rcpt)(struct early *early);
};

void early_fact(struct early *early, const char *key, struct slice value);

/*
 * What is set for that address in this filter's table: *conf_r becomes a copy
 * of the job's options with his. RC_RETRY, *why_r: trouble of ours.
 */
enum rc job_settings(const struct job *job, struct slice address,
    const struct conf_option *options, const struct scopes *scopes,
    size_t size, void *conf_r, struct policy_who *who_r, struct slice *why_r);

/* Whose settings count for outbound mail: who has authenticated, where the
 * login is an address or that of a mailbox, else the reverse-path. */
struct slice job_sender(const struct job *job);

/* Inbound, outbound, or from one of us to another. */
enum direction job_direction(const struct job *job,
    const struct policy_who *recipient);

/* "domain example.org (auth-check.conf:7)": which level decided that option for
 * him; empty: the default. */
struct slice job_decided(const struct job *job, const struct policy_who *who,
    const char *option, const struct scopes *scopes);

/* The finding of that filter and key, or SLICE_NONE. */
struct slice job_finding(const struct job *job, struct slice filter,
    struct slice key);

#endif
