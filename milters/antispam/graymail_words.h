/*
 * graymail_words - phrases of bulk mail, and codes
 *
 * For graymail.c. A phrase is of one or more groups; words_next (detect/words)
 * gives them by those numbers.
 *
 * graymail_code_near	does a one-time code stand near the phrase that text has
 *			at `at`? Four to eight digits, in groups or not, or
 *			capitals and digits; no year, sum, date or telephone
 *			number
 */
#ifndef ANTISPAM_GRAYMAIL_WORDS_H
#define ANTISPAM_GRAYMAIL_WORDS_H

#include "detect/words.h"
#include "graymail.h"

enum graymail_group {
	SAYS_UNSUBSCRIBE = 1 << 0,
	SAYS_BROWSER = 1 << 1,		/* a copy on the web */
	SAYS_WHY = 1 << 2,		/* "you receive this because" */
	SAYS_CODE = 1 << 3,
	SAYS_RESET = 1 << 4,		/* in the subject, with a link */
	SAYS_ORDER = 1 << 5,		/* in the subject */
	SAYS_NUMBER = 1 << 6,		/* of an order, in the text */
	SAYS_LINK = 1 << 7,		/* http */
};

struct graymail_words {
	struct words *words;
};

bool graymail_code_near(struct slice text, size_t at, size_t len);
/* Of phrases in scripts without blanks between words. */
unsigned graymail_unspaced(struct slice text, size_t *at_r, size_t *len_r);

#endif
