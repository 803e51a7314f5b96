/*
 * backend_answer - what Rspamd and spamd say about a message
 *
 * backend_rspamd	the body of an answer to /checkv2: JSON with the score
 *			and the symbols
 * backend_spamd	a whole answer to REPORT (spamd's PROTOCOL, 1.5): the
 *			line "Spam: True ; 15.3 / 5.0", and the rules with their
 *			points from the report, where it is the usual one
 *
 * False with *why_r for anything else: no score, or one that is no number from
 * -10000 to 10000. Symbols are the BACKEND_SYMBOLS that count most, with the
 * sign of the score, "A, B, C"; their names are cut and in plain ASCII. Pure
 * but for the arena, linear.
 */
#ifndef ANTISPAM_BACKEND_ANSWER_H
#define ANTISPAM_BACKEND_ANSWER_H

#include "base/arena.h"

enum { BACKEND_SYMBOLS = 3, BACKEND_NAME = 40 };

struct backend_answer {
	double score;
	struct slice symbols;		/* empty: none */
};

bool backend_rspamd(struct arena *a, struct slice body,
    struct backend_answer *answer_r, struct slice *why_r);
bool backend_spamd(struct arena *a, struct slice bytes,
    struct backend_answer *answer_r, struct slice *why_r);

#endif
