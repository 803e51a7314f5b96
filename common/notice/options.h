/*
 * options - what an administrator may set about notices and digests
 * (notices.conf); templates and time zones that this names are loaded with it
 *
 * notices_load	path NULL: defaults. Checks all that the table cannot:
 *		addresses, causes, times, zones, templates of every language and
 *		set that any scope names. RC_BAD with *why_r ("file:line: ...").
 *		What it gives is read-only: any thread may use it, as long as
 *		the arena lives
 * notices_for	the settings for one address
 * notices_letter	template NAME for those settings; `html` is NULL where
 *		there is only text
 *
 * A template is looked for, in this order, as
 *	TEMPLATES/SET/LANGUAGE/NAME.txt		when a set is named
 *	TEMPLATES/LANGUAGE/NAME.txt
 *	PACKAGED/LANGUAGE/NAME.txt
 * with TEMPLATES of the option template_directory and PACKAGED what we
 * installed. Text and HTML are looked for apart. The first line of the text is
 * "Subject: ", the second is empty.
 */
#ifndef NOTICE_OPTIONS_H
#define NOTICE_OPTIONS_H

#include "conf/house.h"
#include "conf/scope.h"
#include "notice/due.h"
#include "notice/template.h"

struct notices_conf {
	struct scopes *scopes;
	/* The same for all. */
	const char *from;		/* default: postmaster@hostname */
	const char *from_name;
	const char *server;		/* of Postfix, for our mails */
	const char *portal_url;		/* no slash at its end; empty: none */
	const char *release_address;	/* empty: none */
	const char *request_address;
	const char *template_directory;
	const char *packaged_templates;
	unsigned total_rate;		/* notices in an hour */
	uint64_t attach_limit;
	int64_t request_interval;	/* ms */
	int64_t retry_for;		/* ms */
	/* By scope. */
	const char *language;
	const char *templates;		/* a set; empty: none */
	const char *timezone;
	bool digest;
	const char *digest_to;		/* empty: the recipient himself */
	struct conf_list digest_times, digest_weekend_times;
	struct conf_list digest_causes;
	bool digest_deleted;		/* list what was deleted too */
	bool digest_all;		/* all that is held, not only new */
	bool digest_empty;
	bool digest_links;
	int64_t link_lifetime;		/* ms */
	struct conf_list notify_recipients, notify_admins, notify_officers,
	    notify_senders;		/* causes */
	struct conf_list admins, officers; /* addresses */
	unsigned rate;			/* notices to one address in an hour */
};

extern const struct conf_option notices_options[];

/* Names of the templates; the last one ends a list. */
enum notice_template { TEMPLATE_DIGEST, TEMPLATE_RECIPIENT, TEMPLATE_ADMIN,
    TEMPLATE_OFFICER, TEMPLATE_SENDER, TEMPLATE_SUMMARY, TEMPLATE_SPAMCHECK,
    NOTICE_TEMPLATES };

struct notice_letter {
	struct template *subject, *text, *html;
};

struct notices_name {
	struct notices_name *next;
	const char *name;
};

struct notices {
	struct notices_conf conf;
	const struct house_conf *house;
	struct scope_match match;
	struct map *zones;		/* name -> struct zone */
	struct map *letters;		/* "set/language" -> letters of all */
	unsigned causes;		/* bits: somebody is told at once */
	struct notices_name *sets, *languages;	/* that any level names */
};

enum rc notices_load(struct arena *a, const char *path, bool trusted,
    const struct house_conf *house, struct notices **notices_r,
    struct slice *why_r);
void notices_for(const struct notices *n, struct arena *a,
    struct slice address, struct notices_conf *conf_r);
const struct notice_letter *notices_letter(const struct notices *n,
    const struct notices_conf *conf, enum notice_template which);
const struct zone *notices_zone(const struct notices *n,
    const struct notices_conf *conf);
void notices_due(const struct notices *n, const struct notices_conf *conf,
    struct due_times *due_r);
/* Is anybody told at once, at any level, of that cause? */
bool notices_tells(const struct notices *n, struct slice cause);
/* Is it the address of a mailbox in one of our domains? */
bool notices_ours(const struct notices *n, struct arena *a,
    struct slice address);
/* "digest", "recipient" ... and what may stand in them. */
const char *notice_template_name(enum notice_template which);
const struct template_names *notice_template_names(
    enum notice_template which);

#endif
