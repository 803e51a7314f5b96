/*
 * fraud_from - whom a message says that it is from, and whether that is proven
 *
 * fraud_from_read	of From: name, address, registered domain, and what
 *			auth-check has found out about it (its findings). Proven
 *			is an address whose domain passes DMARC, or SPF or a DKIM
 *			signature of the same registered domain. Without a job
 *			nothing is known of proof
 * fraud_mailbox	one address of a field's value, the same way, without proof
 * fraud_listed	is it one of these addresses and domains, or below one?
 * fraud_freemail	does anybody get addresses there who wants one?
 *
 * In the message's arena.
 */
#ifndef ANTISPAM_FRAUD_FROM_H
#define ANTISPAM_FRAUD_FROM_H

#include "milter/filter.h"
#include "text/psl.h"

struct antispam_shared;

struct fraud_from {
	struct slice name;		/* display name, decoded; or none */
	struct slice address;		/* as history_address(); SLICE_NONE: there
					   is none, or more than one */
	struct slice local, domain;	/* domain: A-labels */
	struct slice org;		/* its registered domain */
	bool checked;			/* auth-check has looked */
	bool proven;
	bool dmarc;			/* by DMARC, which allow lists want */
	bool ours;			/* a domain of ours, or below one */
};

void fraud_from_read(const struct job *job, struct message *msg,
    const struct antispam_shared *shared, struct fraud_from *from_r);
bool fraud_mailbox(struct arena *a, const struct suffixes *suffixes,
    struct slice value, struct fraud_from *box_r);
bool fraud_listed(const struct conf_list *list,
    const struct fraud_from *from);
bool fraud_freemail(struct slice domain);

#endif
