/*
 * dmarc-dest - who gets a report (RFC 9990, 3.5 and 4)
 *
 * dmarc_destinations	each mailto of the policy, in its order, each address
 *			once; what another domain put in its place counts
 *			instead. Asks DNS where an address lies outside the
 *			policy's organization; blocks for at most DEST_MS
 *
 * Only DEST_TAKES is to be sent to. DEST_LATER: DNS did not say; another run
 * may know more.
 */
#ifndef TOOLS_DMARC_DEST_H
#define TOOLS_DMARC_DEST_H

#include "net/dns.h"
#include "tools/dmarc-conf.h"

enum { DEST_MS = 30000, DEST_URIS = 20 };

enum dmarc_dest_state { DEST_TAKES, DEST_REFUSES, DEST_LATER, DEST_OWN,
    DEST_OTHER_SCHEME, DEST_TOO_MANY };

struct dmarc_dest {
	struct slice address;		/* or the URI, when it is no mailto */
	uint64_t limit;			/* bytes of the mail; 0: none */
	enum dmarc_dest_state state;
	struct slice why;		/* plain words */
};

struct dmarc_dests {
	struct dmarc_dest list[2 * DEST_URIS];
	size_t count;
};

/* own NULL: addresses at our domains as well. */
void dmarc_destinations(struct dns *dns, struct arena *a, struct slice domain,
    struct slice rua, const struct dmarc_report_conf *conf,
    const struct conf_list *own, struct dmarc_dests *dests_r);

#endif
