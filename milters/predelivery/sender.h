/*
 * sender - who sends this outbound mail, and what was set for him
 *
 * The one who has logged in: never what the mail says of itself. Where nobody
 * has, the client that the network belongs to (client_networks).
 *
 * sender_of		login, address and client of that connection. A login that
 *			is no address is that of a mailbox (policy_login), or
 *			has the domain login_domain. key tells him from all
 *			others: his login, or else his client, or else the
 *			address that he connects from
 * sender_networks	are the items of client_networks right? RC_BAD, *why_r
 */
#ifndef PREDELIVERY_SENDER_H
#define PREDELIVERY_SENDER_H

#include "milter/filter.h"
#include "outbound.h"

struct sender {
	struct slice login;		/* empty: nobody has logged in */
	struct slice address;		/* of the login; SLICE_NONE: it has no
					   domain */
	struct slice client;		/* SLICE_NONE: none by the network */
	struct slice key;
};

void sender_of(struct arena *a, const struct policy *policy,
    const struct outbound_conf *conf, const struct client *client,
    struct sender *sender_r);
enum rc sender_networks(const struct conf_list *items, struct arena *a,
    struct slice *why_r);

#endif
