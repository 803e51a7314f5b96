/*
 * tenant-conf - what an administrator may set about tenants (tenants.conf)
 */
#ifndef TOOLS_TENANT_CONF_H
#define TOOLS_TENANT_CONF_H

#include "conf/conf.h"
#include "conf/house.h"

enum tenant_algorithm { TENANT_RSA, TENANT_ED25519 };

struct tenant_conf {
	struct conf_list mx;		/* names that customers' MX point to */
	const char *spf_include;	/* domain; empty: none is asked for */
	struct conf_list outbound;	/* addresses that mail leaves from */
	const char *dkim_directory;
	int dkim_algorithm;		/* enum tenant_algorithm */
	int64_t notice;			/* ms */
};

extern const struct conf_option tenant_conf_options[];
extern const char *const tenant_algorithms[];

/* DIR/gatehouse.conf and DIR/tenants.conf; RC_BAD with *why_r. */
enum rc tenant_conf_load(const char *dir, struct house_conf *house,
    struct tenant_conf *conf, struct arena *a, struct slice *why_r);

#endif
