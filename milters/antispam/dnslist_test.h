/*
 * dnslist_test - does a DNS list work for us? (RFC 5782, 5)
 *
 * dnslist_test	asks for its test points: 127.0.0.2 is on each list, 127.0.0.1
 *		on none; of lists of domains TEST is, and INVALID is not, or the
 *		addresses where a list of domains has these instead. Waits no
 *		longer than the budget. For tools
 */
#ifndef ANTISPAM_DNSLIST_TEST_H
#define ANTISPAM_DNSLIST_TEST_H

#include "dnslist.h"

enum dnslist_state {
	DNSLIST_WELL,
	DNSLIST_MUTE,			/* no answer */
	DNSLIST_REFUSES,		/* it does not want our questions */
	DNSLIST_SOLD,			/* addresses outside 127/8 */
	DNSLIST_BROKEN,			/* its test point is not on it */
	DNSLIST_ALL,			/* what is on no list is on it */
};

enum dnslist_state dnslist_test(const struct dnslist *list,
    struct dns_budget *budget, struct arena *a);
/* In plain words: "refuses our questions". */
const char *dnslist_state_words(enum dnslist_state state);

#endif
