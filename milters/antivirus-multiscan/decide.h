/*
 * decide - from the ledger to a plan
 *
 * A virus that any engine found decides. Else what is missing for "clean"
 * does, by what the administrator set for each kind of lack, the strongest of
 * several. Rules: "virus", "clean", and "not-scanned-LACK".
 *
 * Pure.
 */
#ifndef ANTIVIRUS_DECIDE_H
#define ANTIVIRUS_DECIDE_H

#include "ledger.h"
#include "milter/filter.h"

struct wait_own;

struct antivirus_answers {
	struct ledger ledger;
	int64_t us;			/* that scanning took */
	const struct wait_own *own;	/* of each recipient; NULL: the
					   default is for all (wait.h) */
};

struct plan *antivirus_decide(const struct job *job);

#endif
