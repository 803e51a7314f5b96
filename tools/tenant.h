/*
 * tenant - what the words of gatehouse tenant share
 *
 * tenant_add, tenant_remove	tenant-change.c; an exit status
 * tenant_find	the tenant of that name; NULL, and it is told, when there is
 *		none
 * tenant_publish	into out: what he is to publish, for people
 */
#ifndef TOOLS_TENANT_H
#define TOOLS_TENANT_H

#include "base/buf.h"
#include "tools/tenant-conf.h"
#include "tools/tenant-dns.h"

enum { TENANT_WORDS = 100 };

struct tenant_list {
	const char *items[TENANT_WORDS];
	size_t count;
};

struct tenant_run {
	struct arena *a;
	const char *config, *name, *resolver;
	struct tenant_list domains, relay_hosts, networks;
	const char *contact, *selector;
	int algorithm;			/* -1: as tenants.conf says */
	bool no_key, keep_key, now, cancel, with_users, json;

	struct house_conf house;
	struct tenant_conf conf;
	struct buf out;
};

int tenant_add(struct tenant_run *r);
int tenant_remove(struct tenant_run *r);
const struct tenant *tenant_find(const struct tenant_run *r);
void tenant_publish(struct tenant_run *r, const struct tenant_items *items);

#endif
