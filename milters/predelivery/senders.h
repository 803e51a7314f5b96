/*
 * senders - in whose name somebody may send
 *
 * A name is registered when it is in his list, when it is the address that he
 * has logged in with, or an alias that leads to that (sender_own). Where nobody
 * has logged in and nothing is listed, the house's own domains are.
 *
 * senders_judge	is MAIL FROM registered, and each mailbox of From? what
 *			is not, and what would be right
 * senders_check	are the items of such a list right? RC_BAD with *why_r
 *
 * Pure; the alias is asked of who calls.
 */
#ifndef PREDELIVERY_SENDERS_H
#define PREDELIVERY_SENDERS_H

#include "milter/filter.h"
#include "outbound.h"
#include "sender.h"

struct senders_query {
	const struct outbound_conf *conf;
	const struct house_conf *house;
	const struct sender *sender;
	struct slice path;		/* MAIL FROM; empty: a bounce */
	const struct message *msg;
	/* Does that address lead to his mailbox? May be NULL. */
	bool (*alias)(void *arg, struct slice address);
	void *arg;
};

struct senders_verdict {
	const char *rule;		/* NULL: registered */
	struct slice reason, reply;
};

void senders_judge(const struct senders_query *q, struct arena *a,
    struct senders_verdict *verdict_r);
enum rc senders_check(const char *option, const struct conf_list *items,
    struct arena *a, struct slice *why_r);

#endif
