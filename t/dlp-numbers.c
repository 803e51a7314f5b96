/*
 * Prints an IBAN of each country of the registry, and a card of each range of
 * the large issuers: "iban DE8937...", "visa 4111...". For t/dlp-files.t.
 */
#include <stdio.h>
#include <string.h>

#include "detect/card.h"
#include "t/numbers.h"

static const struct { const char *name, *prefix; unsigned length; } cards[] = {
	{ "visa", "4", 16 }, { "mastercard", "51", 16 },
	{ "mastercard", "55", 16 }, { "mastercard", "2221", 16 },
	{ "mastercard", "2720", 16 }, { "amex", "34", 15 },
	{ "amex", "37", 15 }, { "diners", "36", 14 }, { "diners", "305", 14 },
	{ "discover", "6011", 16 }, { "discover", "65", 16 },
	{ "discover", "644", 16 }, { "jcb", "3528", 16 },
	{ "jcb", "3589", 16 }, { "unionpay", "62", 16 },
	{ "unionpay", "62", 19 }, { "maestro", "6759", 16 },
	{ "maestro", "5018", 16 }, { "mir", "2200", 16 },
	{ "rupay", "508", 16 }, { "troy", "9792", 16 },
	{ "verve", "506101", 16 }, { "elo", "5067", 16 },
	{ "dankort", "5019", 16 },
};

/* Counts up behind the prefix until the check digit is right. */
static void
print_card(const char *name, const char *prefix, unsigned length)
{
	for (unsigned n = 10; n < 100; n++) {
		char digits[40];
		size_t have = strlen(prefix);

		memcpy(digits, prefix, have);
		for (; have < length - 2; have++)
			digits[have] = (char)('0' + (have * 7 + 3) % 10);
		digits[have++] = (char)('0' + n / 10);
		digits[have++] = (char)('0' + n % 10);
		digits[have] = '\0';
		if (card_issuer(digits, length) != NULL) {
			printf("%s %s\n", name, digits);
			return;
		}
	}
	fprintf(stderr, "no card made for %s %s\n", name, prefix);
}

int
main(void)
{
	struct slice rest = slice_of(numbers_countries);

	while (rest.ptr != NULL) {
		struct slice one = slice_cut(rest, ' ', &rest);
		unsigned len = (unsigned)(one.ptr[2] - '0') * 10 +
		    (unsigned)(one.ptr[3] - '0');
		char iban[40];

		if (numbers_iban(one.ptr, len, 7, iban))
			printf("iban %s\n", iban);
		else
			fprintf(stderr, "no IBAN made for %.2s\n", one.ptr);
	}
	for (size_t i = 0; i < sizeof cards / sizeof cards[0]; i++)
		print_card(cards[i].name, cards[i].prefix, cards[i].length);
	return 0;
}
