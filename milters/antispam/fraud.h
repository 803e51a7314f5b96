/*
 * fraud - somebody passes himself off as one of ours, or as a partner (R48)
 *
 * fraud_check	a check of checks.c: inbound mail gets clues of the class fraud,
 *		when together they are worth a word (FRAUD_FLOOR). Who the
 *		sender is: a protected name with a foreign address, a domain of
 *		ours without proof, an address in the name, a domain that looks
 *		like ours or a partner's, answers that go elsewhere, somebody of
 *		whom nobody has heard. What he wants: wording of payment
 *		pressure, an account that this partner never named before
 * fraud_open	once a load: phrases, names that may be imitated. RC_BAD with
 *		*why_r; given back with fraud_close
 *
 * No clue decides alone: see the weights in fraud_part.h.
 */
#ifndef ANTISPAM_FRAUD_H
#define ANTISPAM_FRAUD_H

#include "look.h"

struct fraud_shared;

spam_check fraud_check;
enum rc fraud_open(const struct antispam_conf *conf,
    const struct house_conf *house, const struct suffixes *suffixes,
    struct fraud_shared **shared_r, struct arena *a, struct slice *why_r);
void fraud_close(struct fraud_shared *shared);

#endif
