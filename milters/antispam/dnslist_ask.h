/*
 * dnslist_ask - what DNS lists say about one message (R3)
 *
 * dnslist_open		the entries of dns_lists; RC_BAD, *why_r. NULL without
 *			any. For all messages
 * dnslist_begin	the client, HELO and MAIL FROM are there: asks. NULL
 *			when this message is not asked about: outbound mail,
 *			who has authenticated, clients of dns_list_exempt and
 *			of private networks
 * dnslist_field	a header field: From, and Received for entries with hops
 * dnslist_links	asks about what the links lead to
 * dnslist_check	waits, adds clues, notes who did not answer
 *
 * Nothing but dnslist_check waits. Of one message no more is asked than
 * dns_list_questions says; links to more than DNSLIST_DOMAINS domains are not
 * asked about. Of several lists of one kind that list the same message the
 * heaviest counts in full and each other half: they copy from each other.
 */
#ifndef ANTISPAM_DNSLIST_ASK_H
#define ANTISPAM_DNSLIST_ASK_H

#include "dnslist.h"
#include "look.h"

enum { DNSLIST_DOMAINS = 20, DNSLIST_HOPS = 5 };

struct dnslists;
struct dnslist_ask;

enum rc dnslist_open(const struct antispam_conf *conf, struct dns *dns,
    struct dnslists **lists_r, struct arena *a, struct slice *why_r);
/* NULL is allowed. */
void dnslist_close(struct dnslists *lists);

/* ask() is NULL: there is nothing to do then. */
struct dnslist_ask *dnslist_begin(struct job *job, struct dnslists *lists);
void dnslist_field(struct dnslist_ask *k, struct slice name,
    struct slice body);

spam_check dnslist_links, dnslist_check;

#endif
