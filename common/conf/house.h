/*
 * house - the options that all milters share (gatehouse.conf)
 *
 * Read by each daemon and by gatehouse(1); the table is in house.c.
 */
#ifndef CONF_HOUSE_H
#define CONF_HOUSE_H

#include "conf/scope.h"
#include "conf/tenant.h"

/* One recipient is to be refused, others are not: SMTP has one answer. */
enum mixed_reject { MIXED_QUARANTINE, MIXED_REJECT_ALL };

/* To refuse it then would be a bounce to a sender who may be forged. */
enum split_reject { SPLIT_QUARANTINE, SPLIT_DISCARD };

struct house_conf {
	const char *hostname;		/* ours; default: gethostname() */
	const char *authserv_id;	/* RFC 8601; default: hostname */
	struct conf_list domains;	/* ours (A-labels, lower case) */
	struct conf_nets networks;	/* whose mail is outbound */
	const char *tenants;		/* folder; empty: none */
	struct tenants tenant_list;	/* of that folder: house_finish adds
					   their domains and networks */
	struct conf_list outbound_daemons; /* outbound {daemon_name}s */
	struct conf_list inbound;	/* filters in the order of main.cf */
	struct conf_list outbound;
	const char *seal_key;		/* file; empty: no seal, one filter */
	const char *store_key;		/* public key; empty: Postfix holds */
	bool tried;			/* no option: gatehouse test opens no
					   keys, and store_key is empty */
	int mixed_reject;		/* enum mixed_reject */
	bool splitter;			/* mail may be split (milter/split.h) */
	int split_reject;		/* enum split_reject */
	struct conf_list spamcheck;	/* addresses of the spam check */
	const char *resolver;		/* "host:port", empty: resolv.conf */
	int64_t resolver_timeout;	/* ms, of one question */
	unsigned dns_questions;		/* at most, of one message */
	int64_t dns_budget;		/* ms, of one message */
	unsigned dns_cache;		/* answers kept */
	const char *syslog;		/* path, "-" for stderr */
	const char *queue_directory;	/* of Postfix */
	const char *portal;		/* socket; empty: there is no portal */
	const char *state_directory;	/* journals too, a folder a daemon */
	struct conf_list peers;		/* users who may speak to sockets */
	uint64_t message_size_limit;	/* Postfix's; edits may not pass it */
	uint64_t journal_size;		/* a file of it */
	unsigned journal_keep;		/* rotated files kept */
	int64_t journal_age;		/* ms that events are kept */
	bool journal_subjects;		/* events hold the subject */
	const char *recipient_delimiter; /* of an extension; empty: none */
	bool local_part_case;		/* does it tell mailboxes apart? */
};

extern const struct conf_option house_options[];

/* Is there a store, or would there be one? For checks of options. */
bool house_stores(const struct house_conf *house);

/* How addresses are compared (conf/scope.h). */
struct scope_match house_match(const struct house_conf *house);

/* Fills what has no constant default (hostname, authserv_id), adds the tenants
 * and checks what the table cannot. Once for a struct that was loaded. RC_BAD
 * with *why_r. */
enum rc house_finish(struct house_conf *house, struct arena *a,
    struct slice *why_r);

#endif
