/*
 * outbound - what a sender may do, and what his mail has to look like
 *
 * The settings of four steps that look at outbound mail only: limits.h (how
 * many recipients, how large), senders.h (in whose name), envelope.h (where
 * bounces go) and lint.h (what receivers ask of bulk mail). All of them are
 * those of the sender (sender.h).
 */
#ifndef PREDELIVERY_OUTBOUND_H
#define PREDELIVERY_OUTBOUND_H

#include "conf/conf.h"
#include "conf/house.h"
#include "lint_rules.h"

/* What is done with mail over a limit. */
enum limit_action { LIMIT_REFUSE, LIMIT_TEMPFAIL, LIMIT_DROP };

/* What is done with what is not as it should be. */
enum severity { SEVERITY_OFF, SEVERITY_WARN, SEVERITY_REFUSE };

enum lint_mode { LINT_OFF, LINT_BULK, LINT_ALL };

struct outbound_conf {
	/* sender.h */
	const char *login_domain;
	struct conf_list client_networks;

	/* limits.h */
	unsigned recipients_max;
	int64_t recipients_window;	/* ms */
	int recipients_action;		/* enum limit_action */
	unsigned visible_max;		/* 0: no limit */
	int visible_action;
	uint64_t size_max;
	int size_action;
	unsigned recipients_cells;

	/* senders.h */
	int senders;			/* enum severity */
	bool sender_own;
	struct conf_list sender_addresses, from_addresses;

	/* envelope.h */
	const char *bounce_address;
	bool bounce_keyed, bounce_return;
	const char *bounce_key;

	/* lint.h */
	int lint;			/* enum lint_mode */
	unsigned bulk_recipients;
	int lint_rules[LINT_RULES];	/* enum severity */
	struct conf_list role_names, imprint_phrases, opt_out_phrases,
	    dkim_selectors;
	const char *lint_header;
	const char *abuse_address;
};

/* What the table cannot say. RC_BAD with *why_r. */
enum rc outbound_finish(const struct outbound_conf *conf, struct arena *a,
    struct slice *why_r);

#endif
