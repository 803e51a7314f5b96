/*
 * policy - who is this, and what was set for him?
 *
 * A policy is an immutable generation: the compiled map (policy/file.h), or,
 * where nothing was compiled, what gatehouse.conf says and the scope blocks of
 * the daemon's own files. A filter finds it in job->policy, never NULL; a
 * message keeps the one it began with.
 *
 * `gatehouse policy compile` makes the map from: the directory file
 * (policy/directory.h), the scope blocks of all files, the settings file and
 * the allow and block lists (policy/sheet.h, policy/lists.h). All is resolved
 * there: an address leads to one record and one set of settings; equal sets are
 * one. Levels and final are those of conf/scope.h, and so are addresses.
 *
 * What a filter does:
 *
 *	struct policy_who who;
 *	struct slice why;
 *
 *	memcpy(&own, job->conf, sizeof own);
 *	rc = policy_find(job->policy, job->arena, address, &who);
 *	if (rc == RC_OK)
 *		rc = policy_settings(job->policy, &who, job->filter,
 *		    my_options, own.scopes, &own, &why);
 *
 * (job_settings in milter/filter.h does both.) RC_RETRY is trouble of ours, in
 * all of these: the map cannot be read. It is no answer, and there is no other.
 *
 * policy_open	the generation whose map is at path; where no file is, one
 *		without a map. It holds one reference. Reads the whole file once
 *		(its check sum). RC_RETRY with *why_r: it cannot be read, was
 *		cut, or is of another version
 * policy_hold, policy_drop	count references; any thread
 * policy_current is it still the file at path? Asks the file system, once
 * policy_fits	may a daemon use it that loaded this table (and these house
 *		options)? Not when its scopes are not those that were compiled.
 *		RC_BAD with what to type. Without a map: always
 *
 * policy_find	never waits, about a microsecond. Who is not known gets what is
 *		set for his domain, or for nobody. An alias that leads to one
 *		mailbox is that mailbox, unless something was set for the alias
 *		itself. The slices of *who_r live as long as p and a
 * policy_client the same for mail of which only the client is known: by the
 *		network that it comes from, say. He has no address then
 * policy_settings conf holds the default level (a copy of what was loaded) and
 *		gets what was set for him, of this filter's table. Texts and
 *		lists in it live as long as p and the arena of policy_find. For
 *		a filter the options are always the same table. Without a map it
 *		is scope_resolve with the scopes given; with one they do not
 *		count
 * policy_each	calls visit with conf as it is for each different block of
 *		settings that anybody has for this filter (the default first),
 *		to find out what may be wanted; not for each message
 * policy_decided the level that decided that option, where, and whose value;
 *		default when none did
 * policy_words	all that any level says about that option for him, the default
 *		first; words_r has room for SCOPE_LEVELS. Their option is NULL
 * policy_attribute for placeholders ("name", "phone"); SLICE_NONE: none
 * policy_members the mailboxes behind an address, aliases of the directory
 *		expanded, each once: 10 deep, at most 1000, what leads back to
 *		itself is left out; itself where it is no alias. RC_BAD: more
 * policy_login	the address of whoever logged in under that name (SASL): the
 *		name itself where it is an address, or the mailbox whose
 *		attribute "login" it is. SLICE_NONE: nobody's
 * policy_form	hash of all his settings whose rows carry CONF_FORM: equal hash,
 *		equal bytes. 0 without a map: nobody differs that we know of
 * policy_several_forms does it have more than one? Walks through all sets
 * policy_listed what allow and block lists say: the most special level that
 *		names the sender decides, user, profile, domain, client, all;
 *		on one level the address, then its domain, a domain above, an IP
 *		range. An allow entry for an address or a domain counts only
 *		when aligned; else it is as if it were not there
 */
#ifndef POLICY_POLICY_H
#define POLICY_POLICY_H

#include "conf/house.h"

struct policy;

struct policy_who {
	struct slice address;		/* normalised, without extension; or
					   SLICE_NONE */
	struct slice client, profile, domain;	/* SLICE_NONE: of none */
	struct slice transport;		/* as in transport(5), or SLICE_NONE */
	bool known;			/* the directory has it: mailbox, alias */
	bool alias;			/* of several, or of others */
	bool ours;			/* the domain is one of ours */
	uint32_t set;			/* equal number, equal settings */

	/* For this room. */
	uint32_t origin;
	struct slice record;
	struct scope_subject subject;
	struct arena *arena;
};

struct policy_sender {
	struct slice address;		/* empty: <> */
	struct ip ip;
	bool aligned;			/* the message authenticates as the
					   sender's domain: DMARC pass */
};

enum listed { LISTED_NOT, LISTED_ALLOW, LISTED_BLOCK };

enum rc policy_open(const char *path, const struct house_conf *house,
    struct policy **policy_r, struct arena *a, struct slice *why_r);
struct policy *policy_hold(struct policy *p);
void policy_drop(struct policy *p);
bool policy_has_map(const struct policy *p);
bool policy_current(const struct policy *p, const char *path);
enum rc policy_fits(const struct policy *p, const struct house_conf *house,
    const char *filter, const struct conf_option *options,
    const struct scopes *scopes, struct arena *a, struct slice *why_r);

enum rc policy_find(const struct policy *p, struct arena *a,
    struct slice address, struct policy_who *who_r);
enum rc policy_client(const struct policy *p, struct arena *a,
    struct slice client, struct policy_who *who_r);
enum rc policy_settings(const struct policy *p, const struct policy_who *who,
    const char *filter, const struct conf_option *options,
    const struct scopes *scopes, void *conf, struct slice *why_r);
enum rc policy_each(const struct policy *p, const char *filter,
    const struct conf_option *options, const struct scopes *scopes,
    const void *defaults, size_t size, enum rc (*visit)(struct slice where,
    const void *conf, void *arg), void *arg, struct slice *why_r);
enum rc policy_decided(const struct policy *p, const struct policy_who *who,
    const char *filter, const char *option, const struct scopes *scopes,
    struct scope_why *why_r);
enum rc policy_words(const struct policy *p, const struct policy_who *who,
    const char *filter, const char *option, const struct scopes *scopes,
    struct scope_word *words_r, size_t *n_r);
struct slice policy_attribute(const struct policy *p,
    const struct policy_who *who, const char *name);
enum rc policy_members(const struct policy *p, struct arena *a,
    struct slice address, struct slice **members_r, size_t *n_r);
struct slice policy_login(const struct policy *p, struct arena *a,
    struct slice login);
uint64_t policy_form(const struct policy *p, const struct policy_who *who);
bool policy_several_forms(const struct policy *p);
enum rc policy_listed(const struct policy *p, const struct policy_who *who,
    const struct policy_sender *from, enum listed *listed_r,
    struct slice *entry_r /* file:line and comment */);

/* Where the map is: state_directory/policy/map. */
const char *policy_path(const struct house_conf *house, struct arena *a);

#endif
