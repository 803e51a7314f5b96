/*
 * options - what an administrator may set (predelivery.conf)
 */
#ifndef PREDELIVERY_OPTIONS_H
#define PREDELIVERY_OPTIONS_H

#include "conf/conf.h"
#include "conf/house.h"
#include "outbound.h"

/* Recipients of one message would go different ways. */
enum rules_mixed { RULES_MIXED_QUARANTINE, RULES_MIXED_ALL };

/* Which mail from outside is marked. */
enum external_for { EXTERNAL_OURS, EXTERNAL_ALL };

struct predelivery_conf {
	struct scopes *scopes;

	/* rules.h */
	const char *rules;		/* file; empty: none */
	struct conf_list rule_sets;	/* names; CONF_SCOPED */
	int rules_mixed;		/* enum rules_mixed */
	const char *country_db;		/* file; empty: none */

	/* disclaimer.h; CONF_SCOPED but for the folder */
	const char *disclaimer_folder;
	struct conf_list disclaimers;	/* names */
	int disclaimer_place;		/* enum disclaimer_place */
	bool disclaimer_once;
	bool disclaimer_internal;

	/* external.h; CONF_SCOPED */
	int external_for;		/* enum external_for */
	const char *external_mark;	/* in From; empty: none */
	const char *external_banner;	/* name of a disclaimer; empty: none */
	const char *external_subject;	/* a tag; empty: none */

	struct outbound_conf outbound;
};

extern const struct conf_option predelivery_options[];

/* What the table cannot say. RC_BAD with *why_r. */
enum rc predelivery_finish(const struct predelivery_conf *conf,
    const struct house_conf *house, struct arena *a, struct slice *why_r);

#endif
