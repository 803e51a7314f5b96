/*
 * tenant-dns - has a tenant published what he has to?
 *
 * For each domain: MX points to us and to nobody else; SPF passes for each
 * address that we send from, and names our include; the DKIM record is of the
 * key; there is a DMARC policy. Each is one item: what it is about, whether it
 * is right, what was found, and what he is to publish.
 *
 * tenant_dns	asks for all of them; items in the arena. `down` counts those
 *		that could not be found out (DNS does not answer): they are
 *		neither right nor wrong
 */
#ifndef TOOLS_TENANT_DNS_H
#define TOOLS_TENANT_DNS_H

#include "net/dns.h"
#include "tools/tenant-conf.h"

enum tenant_state { TENANT_RIGHT, TENANT_WRONG, TENANT_UNKNOWN };

struct tenant_item {
	struct slice domain;
	const char *about;		/* "mx", "spf", "dkim", "dmarc" */
	enum tenant_state state;
	struct slice found;		/* in words */
	struct slice publish;		/* a record; SLICE_NONE: nothing */
};

struct tenant_items {
	struct tenant_item *items;
	size_t count, wrong, down;
};

void tenant_dns(struct dns *dns, const struct tenant *t,
    const struct tenant_conf *conf, struct arena *a,
    struct tenant_items *items_r);
/* What he is to publish, whether or not he did: the same items, all wrong. */
void tenant_wants(const struct tenant *t, const struct tenant_conf *conf,
    struct arena *a, struct tenant_items *items_r);

#endif
