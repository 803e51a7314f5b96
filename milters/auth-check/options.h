/*
 * options - what an administrator may set (auth-check.conf)
 */
#ifndef AUTH_CHECK_OPTIONS_H
#define AUTH_CHECK_OPTIONS_H

#include "conf/conf.h"
#include "conf/house.h"
#include "spf.h"

/* In the order of strength: of several, the strongest is done. */
enum auth_action { AUTH_ACCEPT, AUTH_TAG, AUTH_QUARANTINE, AUTH_TEMPFAIL,
    AUTH_REJECT };

enum auth_identities { AUTH_BOTH, AUTH_MAIL_FROM, AUTH_HELO, AUTH_NO_SPF };

enum auth_broken { AUTH_BROKEN_REMOVE, AUTH_BROKEN_KEEP };

struct auth_check_conf {
	int spf;			/* enum auth_identities */
	int spf_engine;			/* enum spf_engine */
	int spf_none, spf_neutral, spf_softfail, spf_fail, spf_temperror,
	    spf_permerror;		/* enum auth_action */
	int spf_helo_fail;
	unsigned spf_void_lookups;
	int64_t spf_timeout;		/* ms, from MAIL FROM */
	bool spf_explanation;
	bool spf_look_ahead;
	struct conf_nets trusted_networks;
	struct conf_nets authres_trusted;
	struct conf_list authres_names;	/* more names that are ours */
	int authres_broken;		/* enum auth_broken */
	const char *tag_header;
};

extern const struct conf_option auth_check_options[];

/* What the table cannot say. RC_BAD with *why_r. */
enum rc auth_check_finish(const struct auth_check_conf *conf, struct arena *a,
    struct slice *why_r);

/* The action for that result of the MAIL FROM identity. */
enum auth_action auth_check_action(const struct auth_check_conf *conf,
    enum spf_result result);

#endif
