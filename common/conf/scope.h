/*
 * scope - options that differ by who is concerned
 *
 * A table whose file may hold scopes has this row, for a field of type
 * struct scopes *, and marks with CONF_SCOPED the rows that may stand in one:
 *
 *	{ "scope", CONF_SCOPES, AT(scopes), NULL, 0, 0, SCOPE_TEXT, NULL },
 *	{ "retention", CONF_TIME | CONF_SCOPED, AT(retention), "30d", ... },
 *
 * and its file may then say:
 *
 *	retention = "14d";
 *	final = [ "max_size" ];
 *	scope = (
 *	  { client = "acme"; domains = [ "example.org", "example.com" ];
 *	    retention = "7d"; final = [ "retention" ]; },
 *	  { domain = "example.org"; language = "de"; },
 *	  { profile = "sales"; users = [ "a@example.org" ]; digest = false; },
 *	  { user = [ "a@example.org", "b@example.org" ]; language = "fr"; }
 *	);
 *
 * The most special level that sets an option decides: user, profile, domain,
 * client, then what stands outside of all scopes (the default level). A level
 * may call an option final: then no level more special than it counts, whether
 * it sets the option itself or not. A value is read and refused exactly as
 * outside a scope. `domains` and `users` say who belongs to a client or a
 * profile; whoever knows better (a directory) says it in the subject.
 *
 * Addresses: a domain is compared as its A-labels in lower case (RFC 5890), a
 * local part without its quotes (RFC 5322, 3.4.1) and without regard to the
 * case of ASCII letters, unless scope_match says otherwise; letters beyond
 * ASCII are compared as they are (RFC 6532, 3.1 wants them normalised by the
 * sender). With a delimiter, "a+list@example.org" is first looked up as it is,
 * then as "a@example.org".
 *
 * scope_subject	who is asked about: from an address or a path of an
 *			envelope. It may be without a domain or empty: then only
 *			client and profile count, if the caller sets them
 * scope_resolve	conf holds the default level (a copy of the section's
 *			struct) and gets what the levels say. Lookups are by
 *			hash: the cost does not depend on the number of scopes
 * scope_explain	which level decided that option
 * scope_each		calls visit with each scope's where ("file:line") and
 *			conf as it would be with this scope alone, so that
 *			checks across options can be made when a file is loaded.
 *			Stops at the first that is not RC_OK and returns that
 * scope_count		how many there are
 * scope_address	the normalised form of an address, as keys are; the same
 *			for all that mean the same mailbox by match (extension
 *			cut off). SLICE_NONE for what has no domain
 *
 * For who compiles them (common/policy):
 *
 * scope_levels	the scopes that concern him, by level; equal pointers mean that
 *		the same is set
 * scope_belongs to which client or profile the file says that he belongs, or
 *		SLICE_NONE. The subject names none itself
 * scope_words	calls visit with all that these levels say, option by option,
 *		the default level first; *last: no more about this option
 * scope_names	calls visit for each name of each level, and for those who
 *		belong to a client (domains) or a profile (users)
 * scope_add	one more setting, from somewhere else, as if it stood in a scope
 *		of its own. RC_BAD with *why_r (without a place) for what a
 *		scope would not take, and for what is set there already. Before
 *		anybody reads
 * scope_digest	of all that they say, but not where: other comments and other
 *		lines, same digest. 0: they say nothing
 *
 * Read-only after the file is loaded: any thread may ask. Lives in the arena
 * that the file was loaded with. NULL scopes have nothing to say.
 */
#ifndef CONF_SCOPE_H
#define CONF_SCOPE_H

#include "conf/conf.h"

struct scopes;

#define SCOPE_TEXT \
	"Settings for a client, a domain, a profile or a user: each has the " \
	"option client, domain, profile or user with its name, and options " \
	"of this file that may stand in a scope. A client may list its " \
	"domains, a profile its users. The most special one decides: user, " \
	"profile, domain, client, then what stands outside. final lists " \
	"options that more special ones cannot change; it may stand outside " \
	"too."

enum scope_level { SCOPE_DEFAULT = 0, SCOPE_CLIENT, SCOPE_DOMAIN,
    SCOPE_PROFILE, SCOPE_USER, SCOPE_LEVELS };

/* How local parts are compared; zeroed: no letter case, no extension. */
struct scope_match {
	bool case_sensitive;
	char delimiter;			/* '\0': addresses have no extension */
};

struct scope_subject {
	struct slice client, profile;	/* SLICE_NONE: as the file says */
	struct slice address;		/* as it came, normalised */
	struct slice plain;		/* the same without extension */
	struct slice exact;		/* local part, letters as they came */
	struct slice domain;
	bool case_sensitive;
};

struct scope_why {
	enum scope_level level;
	struct slice name;		/* of the client, domain, ... */
	struct slice where;		/* file:line; empty: default level */
	bool final;
};

/* What one level says about one option. */
struct scope_word {
	const struct conf_option *option;
	enum scope_level level;
	struct slice name;		/* of the client, domain, ... */
	struct slice where;		/* file:line */
	struct slice raw;		/* as in a file; SLICE_NONE: only final */
	bool final;
};

struct scope;

struct scope_levels {
	const struct scope *at[SCOPE_LEVELS];
};

struct scope_name {
	enum scope_level level;
	bool member;			/* it belongs to one of that level */
	struct slice name, exact, where;	/* exact: of a user */
};

void scope_subject(struct arena *a, struct slice address,
    struct scope_match match, struct scope_subject *who_r);
void scope_resolve(const struct scopes *scopes,
    const struct scope_subject *who, void *conf);
void scope_explain(const struct scopes *scopes,
    const struct scope_subject *who, const char *option,
    struct scope_why *why_r);
enum rc scope_each(const struct scopes *scopes, const void *defaults,
    size_t size, enum rc (*visit)(struct slice where, const void *conf,
    void *arg), void *arg);
void scope_levels(const struct scopes *scopes,
    const struct scope_subject *who, struct scope_levels *levels_r);
struct slice scope_belongs(const struct scopes *scopes,
    const struct scope_subject *who, enum scope_level level);
void scope_words(const struct scopes *scopes,
    const struct scope_levels *levels, void (*visit)(void *arg,
    const struct scope_word *word, bool last), void *arg);
void scope_names(const struct scopes *scopes, void (*visit)(void *arg,
    const struct scope_name *name), void *arg);
enum rc scope_add(struct scopes *scopes, struct arena *a,
    const struct conf_option *options, const char *option,
    const struct scope_word *word, struct slice *why_r);
uint64_t scope_digest(const struct scopes *scopes);
size_t scope_count(const struct scopes *scopes);
const char *scope_level_name(enum scope_level level);
struct slice scope_address(struct arena *a, struct slice address,
    struct scope_match match);

#endif
