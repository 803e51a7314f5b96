/*
 * lint_asking - the DNS questions of lint.h, asked of a resolver
 *
 * lint_asking_start	asks for what these domains need; never blocks
 * lint_asking_key	asks for the key of that DKIM-Signature, if it is to be
 *			looked at; at most LINT_SIGNATURES of a message
 * lint_asking_wait	asks for the keys of m's signatures, waits for all answers
 *			and for what they lead to; from then on m looks things
 *			up there
 */
#ifndef PREDELIVERY_LINT_ASKING_H
#define PREDELIVERY_LINT_ASKING_H

#include "lint.h"
#include "net/asking.h"

enum { LINT_QUESTIONS = 60 };		/* of one message; there are fewer */

struct lint_asking {
	struct asking *asking;		/* NULL: not begun */
	const struct outbound_conf *conf;
	struct arena *arena;
	unsigned keys;			/* of signatures, asked for */
};

void lint_asking_start(struct lint_asking *k,
    const struct lint_domains *domains);
void lint_asking_key(struct lint_asking *k, struct slice name,
    struct slice body);
void lint_asking_wait(struct lint_asking *k, struct lint_mail *m,
    const struct lint_domains *domains, deadline_t until);

#endif
