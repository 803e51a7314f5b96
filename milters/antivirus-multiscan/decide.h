/*
 * decide - from the ledger to a plan
 *
 * A virus that any engine found decides. Else what is missing for "clean"
 * does, by what the administrator set for each kind of lack, the strongest of
 * several. Rules: "virus", "clean", and "not-scanned-LACK". What is set may
 * differ by recipient, or outbound by who sends.
 *
 * antivirus_resolve	looks up whose options count, in ask. RC_RETRY: trouble
 *		of ours
 *
 * antivirus_decide is pure.
 */
#ifndef ANTIVIRUS_DECIDE_H
#define ANTIVIRUS_DECIDE_H

#include "ledger.h"
#include "milter/owners.h"

struct antivirus_conf;

struct antivirus_answers {
	struct ledger ledger;
	int64_t us;			/* that scanning took */
	struct owners owners;		/* by recipient, or the sender's */
};

enum rc antivirus_resolve(struct job *job, struct slice *why_r);
struct plan *antivirus_decide(const struct job *job);

#endif
