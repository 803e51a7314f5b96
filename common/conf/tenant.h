/*
 * tenant - clients of the house, a file each (tenants.d/NAME.conf)
 *
 * NAME is the client that scopes name (conf/scope.h). `gatehouse tenant add`
 * writes such a file and `remove` takes it away; an administrator may as well.
 * house_finish() adds the domains and networks of all tenants to those of
 * gatehouse.conf.
 *
 * tenants_load	all files of the folder that end in ".conf" and do not begin
 *		with a dot, by name. A folder that is not there is RC_BAD, as a
 *		domain that two of them have. *why_r says which file
 * tenant_check	one of them alone, and what the table cannot say of it
 * tenant_of	whose domain that is; NULL: nobody's
 *
 * Values live in the arena. Files are trusted as in conf_load_trusted.
 */
#ifndef CONF_TENANT_H
#define CONF_TENANT_H

#include "conf/conf.h"

enum { TENANTS_MAX = 10000, TENANT_NAME_MAX = 60 };

struct tenant {
	const char *name, *file;	/* of its file, without ".conf"; path */
	struct conf_list domains;
	struct conf_list relay_hosts;	/* where its inbound mail goes */
	struct conf_nets networks;	/* whose mail is its outbound */
	const char *contact;
	const char *dkim_selector, *dkim_key;	/* empty: none */
	const char *leaving;		/* "2027-01-31"; empty: it stays */
};

struct tenants {
	const struct tenant *items;	/* by name */
	size_t count;
};

extern const struct conf_option tenant_options[];

enum rc tenants_load(struct arena *a, const char *folder,
    struct tenants *tenants_r, struct slice *why_r);
enum rc tenant_check(struct arena *a, const struct tenant *t,
    struct slice *why_r);
const struct tenant *tenant_of(const struct tenants *tenants,
    struct slice domain);
/* Letters in lower case, digits, '-' and '_', a letter or digit first. */
bool tenant_name(struct slice name);
/* "[host]:25", "host", "[192.0.2.1]", "[ipv6:2001:db8::1]:25". */
bool tenant_host(struct slice host);
/* "2027-01-31" as days since 1970; -1: no such day. */
int64_t tenant_day(const char *text);
/* How Postfix calls where its mail goes: "relay:[a],[b]:25"; SLICE_NONE: it
 * has no relay_hosts. */
struct slice tenant_transport(struct arena *a, const struct tenant *t);

#endif
