/*
 * campaign_check - what it says of a message that others had the same text
 *
 * campaign_check	the check. Inbound mail of a first pass is counted,
 *			unless it has no sender (bounces are alike) or comes
 *			back from the quarantine. Clues: a text of which a user has said
 *			that it is spam; one that comes in number from
 *			clients and senders that have nothing to do with each
 *			other, and does not say that it is a list
 * campaign_weight	of that second clue, in log-odds; 0: none
 */
#ifndef ANTISPAM_CAMPAIGN_CHECK_H
#define ANTISPAM_CAMPAIGN_CHECK_H

#include "campaign.h"
#include "look.h"

/* From here on a text comes in number. */
enum { CAMPAIGN_MESSAGES = 20, CAMPAIGN_CLIENTS = 6, CAMPAIGN_SENDERS = 4 };

enum rc campaign_check(struct spam_look *look, struct slice *why_r);
double campaign_weight(const struct campaign_seen *seen);

#endif
