/*
 * dmarc_walk - which records apply to a domain, and whose it is
 *
 * walk_up	the tree walk of RFC 9989, 4.10: one question for the domain and
 *		each parent, DMARC_WALK at most; of names over eight labels the
 *		ones between are left out. It ends at psd=y or psd=n. All
 *		questions that may be wanted go to the lookup at once
 * walk_ask	the record of one domain alone
 * walk_organization
 *		the Organizational Domain by what a finished walk found (4.10.2)
 *
 * WALK_WAIT: an answer is not known yet. WALK_TEMP: DNS did not say, at a name
 * that the walk must know; `failed` is that name.
 */
#ifndef AUTH_CHECK_DMARC_WALK_H
#define AUTH_CHECK_DMARC_WALK_H

#include "dmarc.h"

enum walk_state { WALK_DONE, WALK_WAIT, WALK_TEMP };

/* What stands at one name. */
struct walk_step {
	struct slice domain;
	enum walk_state state;
	enum dns_status status;
	unsigned records;		/* that call themselves DMARC1 */
	struct dmarc_record record;	/* when it is one */
};

struct walk {
	enum walk_state state;
	struct slice domain;
	struct walk_step steps[DMARC_WALK];
	size_t count;
	struct slice failed;
};

struct walk_resolver {
	struct arena *arena;
	spf_lookup *lookup;
	void *arg;
};

void walk_ask(const struct walk_resolver *resolver, struct slice domain,
    struct walk_step *step_r);
void walk_up(const struct walk_resolver *resolver, struct slice domain,
    struct walk *walk_r);
struct slice walk_organization(const struct walk *walk);
/* The step for that domain, if there is a record; else NULL. */
const struct walk_step *walk_find(const struct walk *walk,
    struct slice domain);
/* The record with psd=y where the walk ended; NULL without one. The first step
 * is not looked at: its domain is below no suffix. */
const struct walk_step *walk_suffix(const struct walk *walk);

/* Does it have that ending, label by label? Or are they the same? */
bool walk_within(struct slice domain, struct slice above);
/* How many labels two domains have in common, from the right. */
size_t walk_common(struct slice a, struct slice b);

#endif
