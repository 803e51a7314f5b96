/*
 * find - numbers in text that identify a card, an account or a person
 *
 * A finder walks a text once and gives one hit after the other:
 *
 *	find_begin(&f, plain_text(arena, text), FIND_ALL);
 *	while (find_next(&f, &hit)) ...
 *
 * Numbers are found however they are grouped, with blanks, dots, dashes or
 * slashes between, broken over lines, quoted. They are believed by length,
 * range and check digits; where those are weak also by how the groups lie, or
 * by a word near them (national.h, card.h). What stands in a link or in an
 * address of mail is believed only where it is an IBAN, which has 97 checks
 * in one.
 *
 * FIND_CARD		payment cards			"visa", ...
 * FIND_IBAN		accounts (ISO 13616)		"iban"
 * FIND_BIC		banks (ISO 9362), behind BIC or SWIFT	"bic"
 * FIND_NATIONAL	numbers of people		"de-steuer-id", ...
 * FIND_ADDRESS		e-mail addresses		"address"
 *
 * pause		may be set between calls: at that place, or soon behind it,
 *			find_next gives false, and goes on when it is set anew. So
 *			who has a deadline can look at the clock. At first: the end
 * find_mask		how a value may be shown: no more than its last four
 *			characters, of eight and fewer none; an address by its
 *			first letter and its domain. At most FIND_VALUE bytes
 *
 * Text is borrowed and need not be anything. Linear: no byte is read more than
 * some hundred times. A finder is for one thread.
 */
#ifndef DETECT_FIND_H
#define DETECT_FIND_H

#include "base/slice.h"

enum find_what { FIND_CARD = 1 << 0, FIND_IBAN = 1 << 1, FIND_BIC = 1 << 2,
    FIND_NATIONAL = 1 << 3, FIND_ADDRESS = 1 << 4, FIND_ALL = (1 << 5) - 1 };

enum { FIND_VALUE = 320 };

struct find_hit {
	enum find_what what;
	const char *name;		/* static */
	size_t at, len;			/* in the text */
	char value[FIND_VALUE];		/* without separators, in capitals; of
					   an address in small letters */
	size_t nvalue;
};

struct finder {
	struct slice text;
	unsigned what;
	size_t pos, done;		/* next to look at; end of last hit */
	size_t pause;			/* it stops there, with no hit */
	unsigned kinds;			/* of marks (block.h) */
	uint64_t marks;			/* in a block of text */
	size_t marked;			/* where it begins, plus 1; 0: none */
};

void find_begin(struct finder *f, struct slice text, unsigned what);
bool find_next(struct finder *f, struct find_hit *hit_r);
struct slice find_mask(const struct find_hit *hit, char out[FIND_VALUE]);

#endif
