/*
 * rules - what rules make of one message, for gatehouse rules test
 *
 * rules_tell	in words, or as one JSON object (json): for each recipient each
 *		rule of his sets, which conditions held, and what would be done
 */
#ifndef TOOLS_RULES_H
#define TOOLS_RULES_H

#include "milters/predelivery/decide.h"

struct rules_told {
	const struct job *job;
	const struct rules *rules;
	const struct rules_for *of;
	struct facts *facts;
	const struct rules_outcome *outcome;
	const struct plan *plan;
	bool all;			/* rules that say no, too */
};

void rules_tell(const struct rules_told *t, bool json, struct buf *out);

#endif
