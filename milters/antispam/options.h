/*
 * options - the settings of antispam
 */
#ifndef ANTISPAM_OPTIONS_H
#define ANTISPAM_OPTIONS_H

#include "conf/house.h"

/* What is done with mail at or over a threshold. */
enum spam_action { SPAM_TAG, SPAM_QUARANTINE, SPAM_REJECT, SPAM_TEMPFAIL,
    SPAM_DISCARD };

/* A threshold of this many percent is met by none. */
enum { SPAM_NEVER = 101 };

struct antispam_conf {
	const char *model;		/* file; empty: the site's, or ours */
	unsigned tag_at, act_at;	/* percent, inbound */
	int action;			/* enum spam_action */
	unsigned phishing_at, fraud_at, graymail_at;	/* inbound */
	int phishing_action, fraud_action, graymail_action;
	unsigned out_at;
	int out_action;
	int blocked;			/* who is on a block list */
	const char *subject_tag, *phishing_tag, *fraud_tag, *graymail_tag;
	bool header;
	struct scopes *scopes;
};

extern const struct conf_option antispam_options[];

/* RC_BAD with *why_r: what one row alone cannot say. */
enum rc antispam_check(const struct antispam_conf *conf,
    const struct house_conf *house, struct arena *a, struct slice *why_r);

#endif
