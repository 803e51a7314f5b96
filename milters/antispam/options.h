/*
 * options - the settings of antispam
 */
#ifndef ANTISPAM_OPTIONS_H
#define ANTISPAM_OPTIONS_H

#include "conf/house.h"

/* What is done with mail at or over a threshold. */
enum spam_action { SPAM_TAG, SPAM_QUARANTINE, SPAM_REJECT, SPAM_TEMPFAIL,
    SPAM_DISCARD };

/* What is done with mail of an account that sends too much at once. */
enum burst_action { BURST_NONE, BURST_QUARANTINE, BURST_TEMPFAIL,
    BURST_REJECT };
/* Links in attachments. */
enum spam_files { FILES_READ, FILES_MUST, FILES_UNREAD };

/* A threshold of this many percent is met by none. */
enum { SPAM_NEVER = 101 };

struct antispam_conf {
	const char *model;		/* file; empty: the site's, or ours */
	const char *rules;		/* the site's; empty: none */
	unsigned tag_at, act_at;	/* percent, inbound */
	int action;			/* enum spam_action */
	unsigned phishing_at, fraud_at, graymail_at;	/* inbound */
	int phishing_action, fraud_action, graymail_action;
	unsigned out_at;
	int out_action;
	int blocked;			/* who is on a block list */
	const char *subject_tag, *phishing_tag, *fraud_tag, *graymail_tag;
	unsigned campaign_entries, accounts;
	unsigned burst_least, burst_factor;	/* outbound.h */
	int burst_action;
	struct conf_list newsletters;
	bool header;
	/* phishing */
	struct conf_list protected_domains, phishing_feed;
	int phishing_files;		/* enum spam_files */
	int64_t phishing_timeout;	/* ms */
	unsigned phishing_workers;

	/* Fraud and the history of senders. */
	struct conf_list protected_people, partners, fraud_allow;
	const char *fraud_words;	/* file; empty: the package's */
	bool reply_to_test;
	unsigned history;		/* senders known; 0: none */
	int64_t history_after;		/* ms */

	/* dnslist_ask.h */
	struct conf_list dns_lists, dns_list_known;
	struct conf_nets dns_list_exempt;
	unsigned dns_list_questions;
	int64_t dns_list_timeout;	/* ms */

	/* backend.h */
	struct conf_list backends;
	unsigned backend_weight;	/* percent */
	int64_t backend_timeout;	/* ms */
	uint64_t backend_size;		/* bytes of a message */
	unsigned backend_connections;
	bool backend_required;
	struct scopes *scopes;
};

extern const struct conf_option antispam_options[];

/* RC_BAD with *why_r: what one row alone cannot say. */
enum rc antispam_check(const struct antispam_conf *conf,
    const struct house_conf *house, struct arena *a, struct slice *why_r);

#endif
