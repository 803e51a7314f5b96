/*
 * options - what an administrator may set (auth-check.conf)
 */
#ifndef AUTH_CHECK_OPTIONS_H
#define AUTH_CHECK_OPTIONS_H

#include "conf/conf.h"
#include "conf/house.h"
#include "conf/scope.h"
#include "dkim/dkim.h"
#include "dmarc_record.h"
#include "policy/policy.h"
#include "spf.h"

/* In the order of strength: of several, the strongest is done. */
enum auth_action { AUTH_ACCEPT, AUTH_TAG, AUTH_QUARANTINE, AUTH_TEMPFAIL,
    AUTH_REJECT };

enum auth_identities { AUTH_BOTH, AUTH_MAIL_FROM, AUTH_HELO, AUTH_NO_SPF };

enum auth_broken { AUTH_BROKEN_REMOVE, AUTH_BROKEN_KEEP };

enum auth_engine { AUTH_ENGINE_OWN, AUTH_ENGINE_OPENDKIM };

enum auth_ndr { AUTH_NDR_OFF, AUTH_NDR_TAG, AUTH_NDR_QUARANTINE,
    AUTH_NDR_REJECT };

/* What becomes of a policy that the owner of a domain asks for. */
enum auth_follow { AUTH_FOLLOW, AUTH_SOFTEN, AUTH_IGNORE };

/*
 * What is asked is the same for all; what is done about the results
 * (CONF_SCOPED) may differ by recipient: then decide has a copy of this for
 * each group of recipients, as policy_settings leaves it.
 */
struct auth_check_conf {
	struct scopes *scopes;
	int spf;			/* enum auth_identities */
	int spf_engine;			/* enum spf_engine */
	int spf_none, spf_neutral, spf_softfail, spf_fail, spf_temperror,
	    spf_permerror;		/* enum auth_action */
	int spf_helo_fail;
	unsigned spf_void_lookups;
	int64_t spf_timeout;		/* ms, from MAIL FROM */
	bool spf_explanation;
	bool spf_look_ahead;
	bool received_spf;

	bool dkim;
	int dkim_engine;		/* enum auth_engine */
	unsigned dkim_min_bits, dkim_signatures;
	bool dkim_allow_partial;
	int dkim_none, dkim_fail, dkim_policy, dkim_neutral, dkim_temperror,
	    dkim_permerror;

	bool dmarc;
	int dmarc_mode;			/* enum dmarc_mode */
	const char *psl_file;
	int dmarc_policy;		/* enum auth_follow */
	struct conf_list dmarc_overrides;	/* "example.com=none" */
	struct conf_nets dmarc_forwarders;
	struct conf_list dmarc_lists;	/* domains of mailing lists */
	int dmarc_reject, dmarc_quarantine, dmarc_none, dmarc_missing;
	int dmarc_temperror, dmarc_temperror_unknown, dmarc_permerror;

	bool arc;
	struct conf_list arc_trusted;	/* domains of sealers */
	int arc_fail, arc_temperror;

	bool iprev;
	int iprev_fail, iprev_temperror;

	bool harvest;
	unsigned harvest_slow, harvest_refuse;	/* refused recipients */
	unsigned harvest_share;		/* per cent of all of a source's */
	int64_t harvest_half_life, harvest_delay;	/* ms */
	struct conf_nets harvest_exempt;
	struct conf_list harvest_domains;
	unsigned harvest_entries;

	int backscatter;		/* enum auth_ndr */
	int64_t backscatter_learn;	/* ms */
	unsigned backscatter_pairs;	/* a day */
	const char *backscatter_key;	/* empty: made in the state folder */

	struct conf_nets trusted_networks;
	struct conf_nets authres_trusted;
	struct conf_list authres_names;	/* more names that are ours */
	int authres_broken;		/* enum auth_broken */
	const char *tag_header;
};

extern const struct conf_option auth_check_options[];

/* What the table cannot say, of the file and of each scope in it. RC_BAD with
 * *why_r, which begins with file:line where a scope is wrong. */
enum rc auth_check_finish(const struct auth_check_conf *conf, struct arena *a,
    struct slice *why_r);

/* What must be asked so that whatever is set for a recipient can decide. Walks
 * through all that is set for anybody: for when a file or a policy is loaded. */
struct auth_check_needs {
	bool bounces;			/* backscatter is not off for all */
	bool explain_mail, explain_helo;	/* a fail may be refused */
};

enum rc auth_check_needs(const struct auth_check_conf *conf,
    const struct policy *policy, struct auth_check_needs *needs_r,
    struct slice *why_r);

/* The action for that result of the MAIL FROM identity. */
enum auth_action auth_check_action(const struct auth_check_conf *conf,
    enum spf_result result);
enum auth_action auth_check_dkim_action(const struct auth_check_conf *conf,
    enum dkim_result result);

/* Does one of dmarc_overrides stand for this author domain? The last word of
 * several is the first that fits. */
bool auth_check_override(const struct auth_check_conf *conf,
    struct slice domain, enum dmarc_policy *policy_r);

/* What is looked at of signatures, at that time. */
struct dkim_limits auth_check_limits(const struct auth_check_conf *conf,
    int64_t now);

#endif
