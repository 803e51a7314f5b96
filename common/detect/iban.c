#include "detect/iban.h"

#include <string.h>

#include "detect/check.h"

/* The IBAN registry: country, and the BBAN as runs of a length and what
 * stands there (n digits, a capital letters, c either). */
static const struct iban_row {
	char country[3];
	const char *bban;
} rows[] = {
	{ "AD", "8n12c" }, { "AE", "19n" }, { "AL", "8n16c" },
	{ "AT", "16n" }, { "AZ", "4a20c" }, { "BA", "16n" },
	{ "BE", "12n" }, { "BG", "4a6n8c" }, { "BH", "4a14c" },
	{ "BI", "23n" }, { "BR", "23n1a1c" }, { "BY", "4c4n16c" },
	{ "CH", "5n12c" }, { "CR", "18n" }, { "CY", "8n16c" },
	{ "CZ", "20n" }, { "DE", "18n" }, { "DJ", "23n" },
	{ "DK", "14n" }, { "DO", "4c20n" }, { "EE", "16n" },
	{ "EG", "25n" }, { "ES", "20n" }, { "FI", "14n" },
	{ "FK", "2a12n" }, { "FO", "14n" }, { "FR", "10n11c2n" },
	{ "GB", "4a14n" }, { "GE", "2a16n" }, { "GI", "4a15c" },
	{ "GL", "14n" }, { "GR", "7n16c" }, { "GT", "4c20c" },
	{ "HN", "4a20n" }, { "HR", "17n" }, { "HU", "24n" },
	{ "IE", "4a14n" }, { "IL", "19n" }, { "IQ", "4a15n" },
	{ "IS", "22n" }, { "IT", "1a10n12c" }, { "JO", "4a4n18c" },
	{ "KW", "4a22c" }, { "KZ", "3n13c" }, { "LB", "4n20c" },
	{ "LC", "4a24c" }, { "LI", "5n12c" }, { "LT", "16n" },
	{ "LU", "3n13c" }, { "LV", "4a13c" }, { "LY", "21n" },
	{ "MC", "10n11c2n" }, { "MD", "2c18c" }, { "ME", "18n" },
	{ "MK", "3n10c2n" }, { "MN", "16n" }, { "MR", "23n" },
	{ "MT", "4a5n18c" }, { "MU", "4a19n3a" }, { "NI", "4a20n" },
	{ "NL", "4a10n" }, { "NO", "11n" }, { "OM", "3n16c" },
	{ "PK", "4a16c" }, { "PL", "24n" }, { "PS", "4a21c" },
	{ "PT", "21n" }, { "QA", "4a21c" }, { "RO", "4a16c" },
	{ "RS", "18n" }, { "RU", "14n15c" }, { "SA", "2n18c" },
	{ "SC", "4a20n3a" }, { "SD", "14n" }, { "SE", "20n" },
	{ "SI", "15n" }, { "SK", "20n" }, { "SM", "1a10n12c" },
	{ "SO", "19n" }, { "ST", "21n" }, { "SV", "4a20n" },
	{ "TL", "19n" }, { "TN", "20n" }, { "TR", "5n1n16c" },
	{ "UA", "6n19c" }, { "VA", "18n" }, { "VG", "4a16n" },
	{ "XK", "16n" }, { "YE", "4a4n18c" },
};

/* All other codes of ISO 3166-1, for bank codes. */
static const char others[] =
    "AF AG AI AM AO AQ AR AS AU AW AX BB BD BF BJ BL BM BN BO BQ BS BT BV BW "
    "BZ CA CC CD CF CG CI CK CL CM CN CO CU CV CW CX DM DZ EC EH ER ET FJ FM "
    "GA GD GF GG GH GM GN GP GQ GS GU GW GY HK HM HT ID IM IN IO IR JE JM JP "
    "KE KG KH KI KM KN KP KR KY LA LK LR LS MA MF MG MH ML MM MO MP MQ MS MV "
    "MW MX MY MZ NA NC NE NF NG NP NR NU NZ PA PE PF PG PH PM PN PR PW PY RE "
    "RW SB SG SH SJ SL SN SR SS SX SY SZ TC TD TF TG TH TJ TK TM TO TT TV TW "
    "TZ UG UM US UY UZ VC VE VI VN VU WF WS YT ZA ZM ZW ";

static char
upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - ('a' - 'A')) : c;
}

static const struct iban_row *
row_of(const char country[2])
{
	size_t low = 0, high = sizeof rows / sizeof rows[0];
	char want[2] = { upper(country[0]), upper(country[1]) };

	while (low < high) {
		size_t mid = (low + high) / 2;
		int cmp = memcmp(want, rows[mid].country, 2);

		if (cmp == 0)
			return &rows[mid];
		if (cmp < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}

/* Takes a run off the structure; false at its end. */
static bool
next_run(const char **bban, unsigned *n_r, char *what_r)
{
	unsigned n = 0;

	if (**bban == '\0')
		return false;
	while (ascii_digit(**bban))
		n = n * 10 + check_digit(*(*bban)++);
	*n_r = n;
	*what_r = *(*bban)++;
	return true;
}

unsigned
iban_length(const char country[2])
{
	const struct iban_row *row = row_of(country);
	const char *bban;
	unsigned sum = 4, n;
	char what;

	if (row == NULL)
		return 0;
	for (bban = row->bban; next_run(&bban, &n, &what);)
		sum += n;
	return sum;
}

static bool
fits(char c, char what)
{
	if (ascii_digit(c))
		return what != 'a';
	return ascii_alpha(c) && what != 'n';
}

/* The caller has compared the lengths. */
static bool
structured(const char *chars, const char *bban)
{
	unsigned n;
	char what;

	while (next_run(&bban, &n, &what))
		for (; n > 0; n--, chars++)
			if (!fits(*chars, what))
				return false;
	return true;
}

bool
iban_valid(const char *chars, size_t n)
{
	char turned[IBAN_MAX];

	if (n < IBAN_MIN || n > IBAN_MAX || iban_length(chars) != n)
		return false;
	/* The check digits are 02 to 98 (ISO 13616-1, 6.1). */
	if (!ascii_digit(chars[2]) || !ascii_digit(chars[3]) ||
	    memcmp(chars + 2, "02", 2) < 0 || memcmp(chars + 2, "98", 2) > 0)
		return false;
	if (!structured(chars + 4, row_of(chars)->bban))
		return false;
	memcpy(turned, chars + 4, n - 4);
	memcpy(turned + n - 4, chars, 4);
	return check_mod97(turned, n);
}

bool
country_known(const char country[2])
{
	char want[4] = { upper(country[0]), upper(country[1]), ' ', '\0' };

	return row_of(country) != NULL ||
	    (ascii_alpha(want[0]) && strstr(others, want) != NULL);
}

bool
bic_valid(const char *chars, size_t n)
{
	if (n != 8 && n != 11)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!ascii_alnum(chars[i]) || (i < 6 && !ascii_alpha(chars[i])))
			return false;
	return country_known(chars + 4);
}
