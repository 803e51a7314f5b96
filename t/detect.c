/* Numbers of cards, accounts and people in text (common/detect). */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "detect/card.h"
#include "detect/check.h"
#include "detect/find.h"
#include "detect/iban.h"
#include "detect/national.h"
#include "detect/plain.h"
#include "t/tap.h"

/* All that was found: "name value, ..." */
static struct slice
found(struct arena *a, struct slice text, unsigned what)
{
	struct buf out = buf_in(a);
	struct finder f;
	struct find_hit hit;

	find_begin(&f, plain_text(a, text), what);
	while (find_next(&f, &hit))
		buf_addf(&out, "%s%s %.*s", out.len > 0 ? ", " : "", hit.name,
		    (int)hit.nvalue, hit.value);
	return buf_slice(&out);
}

static const struct { const char *name, *text, *want; } cases[] = {
	{ "a bare card", "pay with 4111111111111111 please",
	    "visa 4111111111111111" },
	{ "in fours", "4111 1111 1111 1111", "visa 4111111111111111" },
	{ "in fours with dashes", "x 5500-0000-0000-0004.",
	    "mastercard 5500000000000004" },
	{ "as amex is printed", "3782 822463 10005", "amex 378282246310005" },
	{ "as diners is printed", "3056 930902 5904", "diners 30569309025904" },
	{ "nineteen digits", "6212345678900000003 ok",
	    "unionpay 6212345678900000003" },
	{ "broken by a line's end", "the number is 41111111\r\n11111111, yes",
	    "visa 4111111111111111" },
	{ "broken in fours", "4111 1111\n1111 1111", "visa 4111111111111111" },
	{ "in a quotation", "> 4111 1111\r\n> 1111 1111",
	    "visa 4111111111111111" },
	{ "one digit a time", "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1",
	    "visa 4111111111111111" },
	{ "a no-break space", "4111\xc2\xa0" "1111\xc2\xa0" "1111\xc2\xa0"
	    "1111", "visa 4111111111111111" },
	{ "zero width inside", "4111\xe2\x80\x8b" "11111111\xe2\x80\x8d"
	    "1111", "visa 4111111111111111" },
	{ "soft hyphens", "4111\xc2\xad" "111111111111",
	    "visa 4111111111111111" },
	{ "digits of full width", "\xef\xbc\x94\xef\xbc\x91\xef\xbc\x91"
	    "\xef\xbc\x91" "111111111111", "visa 4111111111111111" },
	{ "digits of Arabic", "\xd9\xa4\xd9\xa1\xd9\xa1\xd9\xa1"
	    "111111111111", "visa 4111111111111111" },
	{ "long dashes", "4111\xe2\x80\x93" "1111\xe2\x80\x93" "1111"
	    "\xe2\x80\x93" "1111", "visa 4111111111111111" },
	{ "odd groups with a word", "card 41 11111111 111111",
	    "visa 4111111111111111" },
	{ "odd groups alone are a table", "41 11111111 111111", "" },
	{ "a wrong check digit", "4111111111111112", "" },
	{ "a digit more", "41111111111111111", "" },
	{ "in a link", "https://x.example/?id=4111111111111111", "" },
	{ "in what was a link", "x=pub-4111111111111111&y=1", "" },
	{ "in a Message-ID", "<4111111111111111@mx.example>",
	    "address 4111111111111111@mx.example" },
	{ "a fraction", "0.4111111111111111", "" },
	{ "a telephone", "+36 1489 626532 44", "" },
	{ "columns of numbers", "12345678\n41111111\n11111111\n23456789\n", "" },
	{ "maestro needs a word", "5600000000000003", "" },
	{ "and gets it", "Maestro 5600000000000003",
	    "maestro 5600000000000003" },
	{ "two cards", "4111111111111111,5500000000000004",
	    "visa 4111111111111111, mastercard 5500000000000004" },

	{ "an IBAN", "IBAN: DE89370400440532013000",
	    "iban DE89370400440532013000" },
	{ "as it is printed", "DE89 3704 0044 0532 0130 00",
	    "iban DE89370400440532013000" },
	{ "in small letters", "gb29 nwbk 6016 1331 9268 19",
	    "iban GB29NWBK60161331926819" },
	{ "split after the country", "DE 89 3704 0044 0532 0130 00",
	    "iban DE89370400440532013000" },
	{ "glued to its name", "IBANDE89370400440532013000",
	    "iban DE89370400440532013000" },
	{ "over two lines", "Konto FR14 2004 1010 0505\r\n0001 3M02 606.",
	    "iban FR1420041010050500013M02606" },
	{ "in a link it counts", "https://x.example/NO9386011117947",
	    "iban NO9386011117947" },
	{ "two one behind the other",
	    "BE68 5390 0754 7034 NO93 8601 1117 947",
	    "iban BE68539007547034, iban NO9386011117947" },
	{ "a bank behind it",
	    "DE89 3704 0044 0532 0130 00, BIC: COBADEFFXXX",
	    "iban DE89370400440532013000, bic COBADEFFXXX" },
	{ "a bank by its other name", "SWIFT code DEUTDEFF",
	    "bic DEUTDEFF" },
	{ "capitals are no bank", "COMPUTER SWIFTLY bic", "" },
	{ "wrong check digits", "DE88370400440532013000", "" },
	{ "letters where digits are", "DE89370400440532O13000", "" },

	{ "Austria", "SVNR 1237 010180", "at-svnr 1237010180" },
	{ "Australia", "TFN 123 456 782", "au-tfn 123456782" },
	{ "Belgium", "85.07.30-033.28", "be-rrn 85073003328" },
	{ "Bulgaria", "EGN 7523169263", "bg-egn 7523169263" },
	{ "Brazil", "111.444.777-35", "br-cpf 11144477735" },
	{ "Canada", "my SIN is 130 692 544", "ca-sin 130692544" },
	{ "Switzerland", "756.9217.0769.85", "ch-ahv 7569217076985" },
	{ "China", "11010519491231002X", "cn-id 11010519491231002X" },
	{ "Czechia", "rodn\xc3\xa9 \xc4\x8d\xc3\xadslo 710319/2745",
	    "cz-rc 7103192745" },
	{ "Germany", "Steuer-ID: 86 095 742 719", "de-steuer-id 86095742719" },
	{ "Denmark", "CPR 211062-5629", "dk-cpr 2110625629" },
	{ "Estonia", "isikukood 37605030299", "ee-ik 37605030299" },
	{ "Spain", "DNI 12345678Z", "es-dni 12345678Z" },
	{ "Spain's guests", "X-1234567-L", "es-nie X1234567L" },
	{ "Finland", "131052-308T", "fi-hetu 131052308T" },
	{ "France", "2 55 08 14 168 025 38", "fr-nir 255081416802538" },
	{ "Britain's health", "NHS 943 476 5919", "gb-nhs 9434765919" },
	{ "Britain's insurance", "AB 12 34 56 C", "gb-nino AB123456C" },
	{ "Greece", "AFM 094259216", "gr-afm 094259216" },
	{ "Croatia", "OIB 69435151530", "hr-oib 69435151530" },
	{ "Hungary", "TAJ 111 111 110", "hu-taj 111111110" },
	{ "Ireland", "PPS 6433435F", "ie-pps 6433435F" },
	{ "India", "Aadhaar 2341 2341 2346", "in-aadhaar 234123412346" },
	{ "Italy", "RSSMRA85T10A562S", "it-cf RSSMRA85T10A562S" },
	{ "Italy in groups", "RSS MRA 85T10 A562S", "it-cf RSSMRA85T10A562S" },
	{ "Korea", "971013-9019902", "kr-rrn 9710139019902" },
	{ "Luxembourg", "1893120105732", "lu-nin 1893120105732" },
	{ "Netherlands", "BSN: 111222333", "nl-bsn 111222333" },
	{ "Netherlands without a word", "111222333", "" },
	{ "Norway", "151086 95088", "no-fnr 15108695088" },
	{ "Poland", "PESEL 44051401359", "pl-pesel 44051401359" },
	{ "Portugal", "NIF 501 442 600", "pt-nif 501442600" },
	{ "Romania", "1800101221144", "ro-cnp 1800101221144" },
	{ "Sweden", "811228-9874", "se-pnr 8112289874" },
	{ "Slovenia", "0101006500006", "si-emso 0101006500006" },
	{ "Turkey", "T.C. Kimlik No 10000000146", "tr-tckn 10000000146" },
	{ "United States", "SSN 536-90-4399", "us-ssn 536904399" },
	{ "advertised", "SSN 078-05-1120", "" },
	{ "South Africa", "ID number 8001015009087", "za-id 8001015009087" },
	{ "a word inside another is none", "meeting 86095742719", "" },

	{ "addresses", "To: A.B@Example.org, <c@d.example.com>.",
	    "address a.b@example.org, address c@d.example.com" },
	{ "no address", "a@b @c.example d@ e@f.", "" },
	{ "nothing", "", "" },
	{ "a NUL", "4111111111111111\0", "visa 4111111111111111" },
};

static void
test_cases(struct arena *a)
{
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		tap_is(found(a, slice_of(cases[i].text), FIND_ALL),
		    slice_of(cases[i].want), "%s", cases[i].name);
		arena_reset(a);
	}
}

/* Remainder of a decimal string by long division: another way than the one
 * that is tested. */
static unsigned
remainder_of(const char *digits, unsigned by)
{
	unsigned rest = 0;

	for (; *digits != '\0'; digits++)
		rest = (rest * 10 + (unsigned)(*digits - '0')) % by;
	return rest;
}

/* The registry's countries and lengths, for a table of its own. */
static const char countries[] =
    "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 "
    "CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 ES24 FI18 FK18 FO18 FR27 GB22 "
    "GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 "
    "KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 "
    "MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 "
    "RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 "
    "UA29 VA22 VG24 XK20 YE30";

/* Fills what follows the country so that its structure fits: tried from the
 * left, a digit where one may stand, else a letter. */
static bool
make_iban(const char *country, unsigned len, unsigned seed, char *iban)
{
	for (unsigned tries = 0; tries < 17; tries++) {
		char digits[80], *d = digits;
		unsigned check;

		memcpy(iban, country, 2);
		memcpy(iban + 2, "00", 3);
		for (unsigned i = 4; i < len; i++) {
			bool letter = (tries & 1 && i < 8) ||
			    (tries & 2 && i == 4) ||
			    (tries & 4 && i >= len - 3) ||
			    (tries & 8 && i >= 4 && i < 6) ||
			    (tries == 16 && i == len - 2);

			seed = seed * 1103515245 + 12345;
			iban[i] = (char)(letter ? 'A' + (seed >> 16) % 26 :
			    '0' + (seed >> 16) % 10);
		}
		iban[len] = '\0';
		for (unsigned i = 4; i < len + 4; i++) {
			char c = iban[i % len];

			d += sprintf(d, "%d", c >= 'A' ? c - 'A' + 10 :
			    c - '0');
		}
		check = 98 - remainder_of(digits, 97);
		iban[2] = (char)('0' + check / 10);
		iban[3] = (char)('0' + check % 10);
		if (iban_valid(iban, len))
			return true;
	}
	return false;
}

static void
test_ibans(struct arena *a)
{
	unsigned n = 0, good = 0, lengths = 0, cut = 0;
	struct slice rest = slice_of(countries);

	while (rest.ptr != NULL) {
		struct slice one = slice_cut(rest, ' ', &rest);
		unsigned len = check_digit(one.ptr[2]) * 10 +
		    check_digit(one.ptr[3]);

		lengths += iban_length(one.ptr) == len;
		for (unsigned seed = 1; seed <= 5; seed++, n++) {
			char iban[40], text[80], *t = text;

			if (!make_iban(one.ptr, len, seed, iban)) {
				tap_diag("none made for %.2s", one.ptr);
				continue;
			}
			cut += iban_valid(iban, len - 1);
			for (unsigned i = 0; i < len; i++)
				t += sprintf(t, "%s%c", i > 0 && i % 4 == 0 ?
				    " " : "", iban[i]);
			if (slice_eq(found(a, slice_of(text), FIND_IBAN),
			    arena_printf(a, "iban %s", iban)))
				good++;
			else
				tap_diag("not found: %s", text);
		}
	}
	tap_is_int(lengths, n / 5, "each country's length is the registry's");
	tap_is_int(n / 5, 89, "of all countries");
	tap_is_int(good, n, "and each IBAN in its printed form is found");
	tap_is_int(cut, 0, "none is one without its last character");
}

static void
test_checks(void)
{
	tap_ok(check_luhn("79927398713", 11), "Luhn");
	tap_ok(!check_luhn("79927398710", 11), "Luhn, wrong");
	tap_ok(check_verhoeff("2363", 4), "Verhoeff");
	tap_ok(!check_verhoeff("2633", 4), "Verhoeff sees a swap");
	tap_ok(check_mod97("3214282912345698765432161182", 28), "mod 97");
	tap_ok(check_mod11_10("07945", 5), "mod 11,10");
	tap_ok(bic_valid("DEUTDEFF500", 11), "a branch of a bank");
	tap_ok(!bic_valid("DEUTZZFF", 8), "no such country");
	tap_ok(country_known("us") && country_known("XK") &&
	    !country_known("Z "), "countries");
}

/* Any one digit changed makes it wrong: that is what check digits are for. */
static void
test_one_digit(void)
{
	static const char *const numbers[] = { "4111111111111111",
	    "378282246310005", "5500000000000004", "6011000990139424" };
	unsigned wrong = 0;

	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
		char c[20];
		size_t n = strlen(numbers[i]);

		for (size_t k = 0; k < n * 9; k++) {
			memcpy(c, numbers[i], n);
			c[k / 9] = (char)('0' + (check_digit(c[k / 9]) + 1 +
			    k % 9) % 10);
			wrong += card_issuer(c, n) != NULL;
		}
	}
	tap_is_int(wrong, 0, "one digit changed, no card");
}

static void
test_masks(struct arena *a)
{
	static const struct { const char *text, *want; } masks[] = {
		{ "4111111111111111", "************1111" },
		{ "DE89370400440532013000", "******************3000" },
		{ "PPS 6433435F", "********" },
		{ "anna@example.org", "a***@example.org" },
	};
	char out[FIND_VALUE];

	for (size_t i = 0; i < sizeof masks / sizeof masks[0]; i++) {
		struct finder f;
		struct find_hit hit;

		find_begin(&f, plain_text(a, slice_of(masks[i].text)),
		    FIND_ALL);
		tap_ok(find_next(&f, &hit), "found");
		tap_is(find_mask(&hit, out), slice_of(masks[i].want),
		    "shown as %s", masks[i].want);
	}
}

/* What is believed to be one in another's mail is worse than what is not
 * seen: numbers drawn at random are hardly ever taken for anything. */
static void
test_random(struct arena *a)
{
	struct buf text = { .ptr = NULL };
	uint64_t seed = 42;
	struct finder f;
	struct find_hit hit;
	unsigned hits[2] = { 0, 0 };

	for (unsigned i = 0; i < 100000; i++) {
		seed = seed * UINT64_C(6364136223846793005) + 1;
		buf_addf(&text, "Order %llu of %u, ref ",
		    (unsigned long long)(seed >> 33), i);
		seed = seed * UINT64_C(6364136223846793005) + 1;
		buf_addf(&text, "%09llu\n",
		    (unsigned long long)(seed >> 34) % 1000000000);
	}
	find_begin(&f, plain_text(a, buf_slice(&text)), FIND_ALL);
	while (find_next(&f, &hit))
		hits[hit.what == FIND_NATIONAL]++;
	tap_is_int(hits[0], 0, "no card or account in 200,000 numbers");
	tap_is_int(hits[1], 0, "and nobody's number");
	buf_free(&text);
}

static void
test_hostile(struct arena *a)
{
	static const char *const pieces[] = { "1 ", "1", "a1", "4 ", "@", "a@",
	    "a.", "9-", "DE89 ", "DE", "bic ", "\xef\xbc\x91", "1\n> " };
	enum { BYTES = 2000000 };

	for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
		struct buf text = { .ptr = NULL };
		int64_t was = tap_worked();

		while (text.len < BYTES)
			buf_adds(&text, pieces[i]);
		found(a, buf_slice(&text), FIND_ALL);
		tap_ok(tap_worked() - was < 20000, "2 MB of \"%.4s\" end",
		    pieces[i]);
		buf_free(&text);
		arena_reset(a);
	}
}

int
main(void)
{
	struct arena *a = arena_new();

	test_checks();
	test_cases(a);
	test_ibans(a);
	test_one_digit();
	test_masks(a);
	test_random(a);
	test_hostile(a);
	arena_free(a);
	return tap_done();
}
