#include "detect/national-check.h"

#include <string.h>

#include "detect/check.h"

static unsigned
two(const char *c)
{
	return check_digit(c[0]) * 10 + check_digit(c[1]);
}

static bool
month_day(unsigned month, unsigned day)
{
	return month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

/* Sum of digit times falling weight: first, first - 1, ... */
static unsigned
falling(const char *c, unsigned first, size_t n)
{
	unsigned sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += check_digit(c[i]) * (first - (unsigned)i);
	return sum;
}

static bool
all_same(const char *c, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (c[i] != c[0])
			return false;
	return true;
}

/* Running number, check digit, date of birth; month 13 and up where a day had
 * more births than numbers. */
bool
national_at_svnr(const char *c)
{
	static const unsigned char w[10] = { 3, 7, 9, 0, 5, 8, 4, 2, 1, 6 };
	unsigned rest = check_sum(c, w, 10) % 11;

	return c[0] != '0' && rest != 10 && rest == check_digit(c[3]) &&
	    two(c + 4) >= 1 && two(c + 4) <= 31 && two(c + 6) >= 1 &&
	    two(c + 6) <= 16;
}

bool
national_au_tfn(const char *c)
{
	static const unsigned char w[9] = { 1, 4, 3, 7, 5, 8, 6, 9, 10 };

	return check_sum(c, w, 9) % 11 == 0 && !all_same(c, 9);
}

/* Born since 2000: a 2 stands before the nine digits. */
bool
national_be_rrn(const char *c)
{
	char since[10] = { '2' };

	if (two(c + 2) > 12 || two(c + 4) > 31)
		return false;
	memcpy(since + 1, c, 9);
	return 97 - check_rest(c, 9, 97) == two(c + 9) ||
	    97 - check_rest(since, 10, 97) == two(c + 9);
}

/* Months 21 to 32 and 41 to 52 are those of 18xx and 20xx. */
bool
national_bg_egn(const char *c)
{
	static const unsigned char w[9] = { 2, 4, 8, 5, 10, 9, 7, 3, 6 };
	unsigned month = two(c + 2) % 20;

	return two(c + 2) <= 52 && month_day(month, two(c + 4)) &&
	    check_sum(c, w, 9) % 11 % 10 == check_digit(c[9]);
}

static unsigned
cpf_digit(const char *c, size_t n)
{
	unsigned rest = falling(c, (unsigned)n + 1, n) % 11;

	return rest < 2 ? 0 : 11 - rest;
}

bool
national_br_cpf(const char *c)
{
	return !all_same(c, 11) && cpf_digit(c, 9) == check_digit(c[9]) &&
	    cpf_digit(c, 10) == check_digit(c[10]);
}

bool
national_ca_sin(const char *c)
{
	return c[0] != '0' && c[0] != '8' && check_luhn(c, 9);
}

/* 756 is Switzerland's country code of GS1; the check digit is theirs too. */
bool
national_ch_ahv(const char *c)
{
	static const unsigned char w[13] = { 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1,
	    3, 1 };

	return memcmp(c, "756", 3) == 0 && check_sum(c, w, 13) % 10 == 0;
}

/* GB 11643: ISO 7064 MOD 11-2, whose tenth digit is an X. */
bool
national_cn_id(const char *c)
{
	unsigned p = 0;

	for (size_t i = 0; i < 17; i++)
		p = (p + check_digit(c[i])) * 2 % 11;
	p = (12 - p) % 11;
	return (two(c + 6) == 19 || two(c + 6) == 20) &&
	    month_day(two(c + 10), two(c + 12)) &&
	    c[17] == (p == 10 ? 'X' : (char)('0' + p));
}

/* Women's months have 50 more, and since 2004 either may have 20 more. */
bool
national_cz_rc(const char *c)
{
	return month_day(two(c + 2) % 50 % 20, two(c + 4)) &&
	    check_rest(c, 10, 11) == 0;
}

/* One digit of the first ten stands twice or thrice, at least one not at all:
 * it is drawn so, which alone throws out most of what is none. */
bool
national_de_tax(const char *c)
{
	unsigned count[10] = { 0 }, repeated = 0;

	for (size_t i = 0; i < 10; i++)
		count[check_digit(c[i])]++;
	for (size_t i = 0; i < 10; i++) {
		if (count[i] > 3)
			return false;
		repeated += count[i] > 1;
	}
	return c[0] != '0' && repeated == 1 && check_mod11_10(c, 11);
}

/* Has had no check digit since 2007: the date is all that can be looked at. */
bool
national_dk_cpr(const char *c)
{
	return month_day(two(c + 2), two(c));
}

bool
national_ee_ik(const char *c)
{
	static const unsigned char first[10] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 1 };
	static const unsigned char then[10] = { 3, 4, 5, 6, 7, 8, 9, 1, 2, 3 };
	unsigned rest = check_sum(c, first, 10) % 11;

	if (rest == 10)
		rest = check_sum(c, then, 10) % 11 % 10;
	return c[0] >= '1' && c[0] <= '8' &&
	    month_day(two(c + 3), two(c + 5)) && rest == check_digit(c[10]);
}

static char
dni_letter(unsigned number)
{
	return "TRWAGMYFPDXBNJZSQVHLCKE"[number % 23];
}

bool
national_es_dni(const char *c)
{
	return c[8] == dni_letter(check_rest(c, 8, 23));
}

bool
national_es_nie(const char *c)
{
	char digits[8];

	if (c[0] < 'X' || c[0] > 'Z')
		return false;
	digits[0] = (char)('0' + (c[0] - 'X'));
	memcpy(digits + 1, c + 1, 7);
	return c[8] == dni_letter(check_rest(digits, 8, 23));
}

static bool
hetu(const char *date, const char *number)
{
	char digits[9];

	memcpy(digits, date, 6);
	memcpy(digits + 6, number, 3);
	return month_day(two(date + 2), two(date)) && number[3] ==
	    "0123456789ABCDEFHJKLMNPRSTUVWXY"[check_rest(digits, 9, 31)];
}

bool
national_fi_hetu(const char *c)
{
	return hetu(c, c + 6);
}

/* The sign of the century is a letter: A to F for 20xx, U to Y for 19xx. */
bool
national_fi_hetu_letter(const char *c)
{
	return strchr("ABCDEFUVWXY", c[6]) != NULL && hetu(c, c + 7);
}

/* Corsica's departments 2A and 2B count as 19 and 18. */
bool
national_fr_nir(const char *c)
{
	char digits[13];
	unsigned month = two(c + 3);

	memcpy(digits, c, 13);
	if (c[6] == 'A' || c[6] == 'B')
		memcpy(digits + 5, c[6] == 'A' ? "19" : "18", 2);
	else if (!ascii_digit(c[6]))
		return false;
	return strchr("123478", c[0]) != NULL && month >= 1 &&
	    (month <= 12 || (month >= 20 && month <= 42) || month >= 50) &&
	    97 - check_rest(digits, 13, 97) == two(c + 13);
}

bool
national_gb_nhs(const char *c)
{
	unsigned rest = 11 - falling(c, 10, 9) % 11;

	return !all_same(c, 10) && rest != 10 && rest % 11 == check_digit(c[9]);
}

/* No check digit, but many letters that are never given. */
bool
national_gb_nino(const char *c)
{
	static const char never[][3] = { "BG", "GB", "NK", "KN", "TN", "NT",
	    "ZZ" };

	for (size_t i = 0; i < sizeof never / sizeof never[0]; i++)
		if (memcmp(c, never[i], 2) == 0)
			return false;
	return strchr("DFIQUV", c[0]) == NULL &&
	    strchr("DFIOQUV", c[1]) == NULL && c[8] >= 'A' && c[8] <= 'D';
}

bool
national_gr_afm(const char *c)
{
	static const unsigned char w[8] = { 0, 128, 64, 32, 16, 8, 4, 2 };
	unsigned sum = check_sum(c, w, 8) + check_digit(c[0]) * 256;

	return !all_same(c, 9) && sum % 11 % 10 == check_digit(c[8]);
}

bool
national_hr_oib(const char *c)
{
	return check_mod11_10(c, 11);
}

bool
national_hu_taj(const char *c)
{
	static const unsigned char w[8] = { 3, 7, 3, 7, 3, 7, 3, 7 };

	return !all_same(c, 9) && check_sum(c, w, 8) % 10 == check_digit(c[8]);
}

static bool
pps(const char *c, unsigned more)
{
	unsigned rest = (falling(c, 8, 7) + more) % 23;

	return c[7] == (rest == 0 ? 'W' : (char)('A' + rest - 1));
}

bool
national_ie_pps(const char *c)
{
	return pps(c, 0);
}

/* W as second letter is the old mark of a wife, and counts nothing. */
bool
national_ie_pps_two(const char *c)
{
	return c[8] <= 'I' ? pps(c, (unsigned)(c[8] - 'A' + 1) * 9) :
	    c[8] == 'W' && pps(c, 0);
}

bool
national_in_aadhaar(const char *c)
{
	return c[0] >= '2' && check_verhoeff(c, 12);
}

/* Values of characters in odd places, of A to Z; digits are as A to J. Where
 * two people would have the same code, letters stand for digits. */
bool
national_it_cf(const char *c)
{
	static const unsigned char odd[26] = { 1, 0, 5, 7, 9, 13, 15, 17, 19,
	    21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23 };
	static const char numbers[] = { 6, 7, 9, 10, 12, 13, 14 };
	unsigned sum = 0;

	for (size_t i = 0; i < sizeof numbers; i++)
		if (!ascii_digit(c[(size_t)numbers[i]]) &&
		    strchr("LMNPQRSTUV", c[(size_t)numbers[i]]) == NULL)
			return false;
	if (strchr("ABCDEHLMPRST", c[8]) == NULL)
		return false;
	for (size_t i = 0; i < 15; i++) {
		unsigned value = ascii_digit(c[i]) ? check_digit(c[i]) :
		    (unsigned)(c[i] - 'A');

		sum += i % 2 == 0 ? odd[value] : value;
	}
	return c[15] == (char)('A' + sum % 26);
}

bool
national_kr_rrn(const char *c)
{
	static const unsigned char w[12] = { 2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4,
	    5 };

	return month_day(two(c + 2), two(c + 4)) &&
	    (11 - check_sum(c, w, 12) % 11) % 10 == check_digit(c[12]);
}

/* Two check digits over the same eleven: Luhn's, then Verhoeff's. */
bool
national_lu_nin(const char *c)
{
	char digits[12];

	memcpy(digits, c, 11);
	digits[11] = c[12];
	return (two(c) == 19 || two(c) == 20 || two(c) == 18) &&
	    month_day(two(c + 4), two(c + 6)) && check_luhn(c, 12) &&
	    check_verhoeff(digits, 12);
}

bool
national_nl_bsn(const char *c)
{
	return !all_same(c, 9) &&
	    (falling(c, 9, 8) + 110 - check_digit(c[8])) % 11 == 0;
}

static bool
eleven(const char *c, const unsigned char *weights, size_t n)
{
	return check_sum(c, weights, n) % 11 == 0;
}

/* Numbers for people who do not live there have 4 added to the first digit. */
bool
national_no_fnr(const char *c)
{
	static const unsigned char k1[10] = { 3, 7, 6, 1, 8, 9, 4, 5, 2, 1 };
	static const unsigned char k2[11] = { 5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1 };

	return month_day(two(c + 2) % 40, two(c) % 40) &&
	    eleven(c, k1, 10) && eleven(c, k2, 11);
}

/* The century is added to the month, in twenties. */
bool
national_pl_pesel(const char *c)
{
	static const unsigned char w[10] = { 1, 3, 7, 9, 1, 3, 7, 9, 1, 3 };

	return month_day(two(c + 2) % 20, two(c + 4)) &&
	    (10 - check_sum(c, w, 10) % 10) % 10 == check_digit(c[10]);
}

bool
national_pt_nif(const char *c)
{
	unsigned rest = falling(c, 9, 8) % 11;

	return strchr("1235689", c[0]) != NULL && !all_same(c, 9) &&
	    (rest < 2 ? 0 : 11 - rest) == check_digit(c[8]);
}

bool
national_ro_cnp(const char *c)
{
	static const unsigned char w[12] = { 2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7,
	    9 };
	unsigned rest = check_sum(c, w, 12) % 11;

	return c[0] != '0' && month_day(two(c + 3), two(c + 5)) &&
	    (rest == 10 ? 1 : rest) == check_digit(c[12]);
}

/* Numbers for people who only work there have 60 added to the day. */
bool
national_se_pnr(const char *c)
{
	return month_day(two(c + 2), two(c + 4) % 60) && check_luhn(c, 10);
}

bool
national_se_pnr_long(const char *c)
{
	return (two(c) >= 18 && two(c) <= 20) && national_se_pnr(c + 2);
}

/* Of Slovenia, and of the other states that were one country with it. */
bool
national_si_emso(const char *c)
{
	static const unsigned char w[12] = { 7, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3,
	    2 };
	unsigned rest = 11 - check_sum(c, w, 12) % 11;

	return month_day(two(c + 2), two(c)) &&
	    (c[4] == '9' || c[4] == '0') && rest != 10 &&
	    rest % 11 == check_digit(c[12]);
}

bool
national_tr_tckn(const char *c)
{
	static const unsigned char odd[9] = { 7, 9, 7, 9, 7, 9, 7, 9, 7 };
	static const unsigned char one[10] = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 };

	/* The rule takes even places away; 9 is -1 modulo 10. */
	return c[0] != '0' && check_sum(c, odd, 9) % 10 == check_digit(c[9]) &&
	    check_sum(c, one, 10) % 10 == check_digit(c[10]);
}

/* No check digit; what is never given. 078-05-1120 and 219-09-9999 stood in
 * advertisements and are nobody's. */
bool
national_us_ssn(const char *c)
{
	return memcmp(c, "000", 3) != 0 && memcmp(c, "666", 3) != 0 &&
	    c[0] != '9' && memcmp(c + 3, "00", 2) != 0 &&
	    memcmp(c + 5, "0000", 4) != 0 && !all_same(c, 9) &&
	    memcmp(c, "078051120", 9) != 0 && memcmp(c, "219099999", 9) != 0;
}

bool
national_za_id(const char *c)
{
	return month_day(two(c + 2), two(c + 4)) && c[10] <= '2' &&
	    check_luhn(c, 13);
}
