#include "detect/card.h"

#include "detect/check.h"

#define LEN(n)	(1u << (n))

/* A range of first digits, as many as `digits` says; the lengths that are
 * issued, and those of them that need no word beside them. The first row that
 * fits decides: a range inside another one stands before it. */
struct card_issuer {
	const char *name;
	unsigned digits, first, last;
	unsigned lengths, bare;
};

static const struct card_issuer issuers[] = {
	{ "verve", 6, 506099, 506198, LEN(16) | LEN(18) | LEN(19), LEN(16) },
	{ "verve", 6, 650002, 650027, LEN(16) | LEN(18) | LEN(19), LEN(16) },
	{ "discover", 6, 622126, 622925, LEN(16) | LEN(17) | LEN(18) | LEN(19),
	    LEN(16) | LEN(19) },
	{ "dankort", 4, 5019, 5019, LEN(16), LEN(16) },
	{ "elo", 4, 5067, 5067, LEN(16), LEN(16) },
	{ "elo", 4, 5090, 5090, LEN(16), LEN(16) },
	{ "maestro", 4, 5018, 5018, 0xff000, LEN(16) },
	{ "maestro", 4, 5020, 5020, 0xff000, LEN(16) },
	{ "maestro", 4, 5038, 5038, 0xff000, LEN(16) },
	{ "maestro", 4, 5893, 5893, 0xff000, LEN(16) },
	{ "maestro", 4, 6304, 6304, 0xff000, LEN(16) },
	{ "maestro", 4, 6759, 6763, 0xff000, LEN(16) },
	{ "discover", 4, 6011, 6011, LEN(16) | LEN(17) | LEN(18) | LEN(19),
	    LEN(16) | LEN(19) },
	{ "jcb", 4, 3528, 3589, LEN(16) | LEN(17) | LEN(18) | LEN(19),
	    LEN(16) | LEN(19) },
	{ "mastercard", 4, 2221, 2720, LEN(16), LEN(16) },
	{ "mir", 4, 2200, 2204, LEN(16) | LEN(17) | LEN(18) | LEN(19),
	    LEN(16) },
	{ "troy", 4, 9792, 9792, LEN(16), LEN(16) },
	{ "diners", 4, 3095, 3095, LEN(14) | LEN(16), LEN(14) | LEN(16) },
	{ "rupay", 3, 508, 508, LEN(16), LEN(16) },
	{ "discover", 3, 644, 649, LEN(16) | LEN(17) | LEN(18) | LEN(19),
	    LEN(16) | LEN(19) },
	{ "diners", 3, 300, 305, LEN(14) | LEN(16) | LEN(19),
	    LEN(14) | LEN(16) },
	{ "visa", 1, 4, 4, LEN(13) | LEN(16) | LEN(19), LEN(16) },
	{ "mastercard", 2, 51, 55, LEN(16), LEN(16) },
	{ "amex", 2, 34, 34, LEN(15), LEN(15) },
	{ "amex", 2, 37, 37, LEN(15), LEN(15) },
	{ "diners", 2, 36, 36, LEN(14) | LEN(16) | LEN(19),
	    LEN(14) | LEN(16) },
	{ "diners", 2, 38, 39, LEN(14) | LEN(16) | LEN(19),
	    LEN(14) | LEN(16) },
	{ "discover", 2, 65, 65, LEN(16) | LEN(17) | LEN(18) | LEN(19),
	    LEN(16) | LEN(19) },
	{ "unionpay", 2, 62, 62, LEN(16) | LEN(17) | LEN(18) | LEN(19),
	    LEN(16) | LEN(19) },
	{ "unionpay", 2, 81, 81, LEN(16) | LEN(17) | LEN(18) | LEN(19),
	    LEN(16) },
	{ "rupay", 2, 60, 60, LEN(16), LEN(16) },
	{ "rupay", 2, 82, 82, LEN(16), LEN(16) },
	{ "maestro", 2, 50, 50, 0xff000, 0 },
	{ "maestro", 2, 56, 58, 0xff000, 0 },
	{ "uatp", 1, 1, 1, LEN(15), 0 },
};

static unsigned
leading(const char *digits, unsigned n)
{
	unsigned value = 0;

	for (unsigned i = 0; i < n; i++)
		value = value * 10 + check_digit(digits[i]);
	return value;
}

const struct card_issuer *
card_issuer(const char *digits, size_t n)
{
	if (n < CARD_MIN || n > CARD_MAX || !check_luhn(digits, n))
		return NULL;
	for (size_t i = 0; i < sizeof issuers / sizeof issuers[0]; i++) {
		const struct card_issuer *c = &issuers[i];
		unsigned value = leading(digits, c->digits);

		if (value >= c->first && value <= c->last &&
		    (c->lengths & LEN(n)) != 0)
			return c;
	}
	return NULL;
}

const char *
card_name(const struct card_issuer *issuer)
{
	return issuer->name;
}

bool
card_bare(const struct card_issuer *issuer, size_t n)
{
	return (issuer->bare & LEN(n)) != 0;
}
