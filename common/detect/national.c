#include "detect/national.h"

#include <string.h>

#include "detect/national-check.h"

/* When is a number believed without a word beside it? */
enum bare { NEVER, LAID_OUT, ALWAYS };

struct national {
	const char *name, *title;
	const char *pattern;		/* d: digit, L: capital, x: either */
	size_t n;			/* its length */
	const char *groups;		/* "3 4 4 2", several with commas */
	enum bare bare;
	bool (*check)(const char *c);
	const char *const *words;
};

#define PATTERN(p)	p, sizeof (p) - 1
#define WORDS(...)	((const char *const[]){ __VA_ARGS__, NULL })

static const struct national kinds[] = {
	{ "at-svnr", "social insurance number (Austria)", PATTERN("dddddddddd"),
	    "4 6", NEVER, national_at_svnr,
	    WORDS("svnr", "sozialversicherung", "sv-nr", "versicherungsnummer",
	    "vsnr") },
	{ "au-tfn", "tax file number (Australia)",
	    PATTERN("ddddddddd"), "3 3 3",
	    NEVER, national_au_tfn, WORDS("tfn", "tax file") },
	{ "be-rrn", "national register number (Belgium)",
	    PATTERN("ddddddddddd"),
	    "2 2 2 3 2,6 3 2", LAID_OUT, national_be_rrn,
	    WORDS("rijksregister", "registre national", "niss", "insz",
	    "nationalregister", "national number") },
	{ "bg-egn", "uniform civil number (Bulgaria)",
	    PATTERN("dddddddddd"), "10",
	    NEVER, national_bg_egn, WORDS("egn", "\xd0\xb5\xd0\xb3\xd0\xbd",
	    "\xd0\x95\xd0\x93\xd0\x9d") },
	{ "br-cpf", "taxpayer number (Brazil)",
	    PATTERN("ddddddddddd"), "3 3 3 2",
	    LAID_OUT, national_br_cpf, WORDS("cpf") },
	{ "ca-sin", "social insurance number (Canada)",
	    PATTERN("ddddddddd"), "3 3 3",
	    NEVER, national_ca_sin,
	    WORDS("social insurance", "assurance sociale", " sin", " nas") },
	{ "ch-ahv", "social security number (Switzerland)",
	    PATTERN("ddddddddddddd"),
	    "3 4 4 2", ALWAYS, national_ch_ahv, WORDS("ahv", "avs") },
	{ "cn-id", "identity number (China)",
	    PATTERN("dddddddddddddddddx"), "18",
	    ALWAYS, national_cn_id, WORDS("id") },
	{ "cz-rc", "birth number (Czechia, Slovakia)",
	    PATTERN("dddddddddd"), "6 4",
	    NEVER, national_cz_rc,
	    WORDS("rodn\xc3\xa9", "rodne", "birth number") },
	{ "de-steuer-id", "tax number (Germany)", PATTERN("ddddddddddd"),
	    "2 3 3 3,11", NEVER, national_de_tax,
	    WORDS("steuer", "identifikationsnummer", "idnr", "tin", "tax id",
	    "tax number") },
	{ "dk-cpr", "CPR number (Denmark)", PATTERN("dddddddddd"), "6 4", NEVER,
	    national_dk_cpr, WORDS("cpr", "personnummer") },
	{ "ee-ik", "personal code (Estonia, Lithuania)",
	    PATTERN("ddddddddddd"), "11",
	    NEVER, national_ee_ik,
	    WORDS("isikukood", "asmens kod", "personal code", "ik:") },
	{ "es-dni", "identity number (Spain)",
	    PATTERN("ddddddddL"), "9,8 1", NEVER,
	    national_es_dni, WORDS("dni", "nif", "documento") },
	{ "es-nie", "foreigner's number (Spain)",
	    PATTERN("LdddddddL"), "9,1 7 1",
	    LAID_OUT, national_es_nie, WORDS("nie", "nif", "extranjero") },
	{ "fi-hetu", "identity code (Finland)", PATTERN("dddddddddx"), "6 4",
	    LAID_OUT, national_fi_hetu,
	    WORDS("hetu", "henkil\xc3\xb6tunnus", "personbeteckning") },
	{ "fi-hetu", "identity code (Finland)",
	    PATTERN("ddddddLdddx"), "11", ALWAYS,
	    national_fi_hetu_letter, WORDS("hetu") },
	{ "fr-nir", "social security number (France)",
	    PATTERN("ddddddxdddddddd"),
	    "1 2 2 2 3 3 2,13 2,15", ALWAYS, national_fr_nir,
	    WORDS("nir", "insee", "s\303\251curit\xc3\xa9 sociale") },
	{ "gb-nhs", "NHS number (United Kingdom)",
	    PATTERN("dddddddddd"), "3 3 4",
	    NEVER, national_gb_nhs, WORDS("nhs") },
	{ "gb-nino", "National Insurance number (United Kingdom)",
	    PATTERN("LLddddddL"), "2 2 2 2 1", LAID_OUT, national_gb_nino,
	    WORDS("national insurance", " ni ", "nino", "ni number") },
	{ "gr-afm", "tax number (Greece)", PATTERN("ddddddddd"), "9", NEVER,
	    national_gr_afm, WORDS("afm", "\xce\xb1\xcf\x86\xce\xbc",
	    "\xce\x91\xce\xa6\xce\x9c") },
	{ "hr-oib", "personal number (Croatia)",
	    PATTERN("ddddddddddd"), "11", NEVER,
	    national_hr_oib, WORDS("oib") },
	{ "hu-taj", "social security number (Hungary)", PATTERN("ddddddddd"),
	    "3 3 3", NEVER, national_hu_taj, WORDS("taj") },
	{ "ie-pps", "PPS number (Ireland)", PATTERN("dddddddL"), "8,7 1", NEVER,
	    national_ie_pps, WORDS("pps") },
	{ "ie-pps", "PPS number (Ireland)",
	    PATTERN("dddddddLL"), "9,7 2", NEVER,
	    national_ie_pps_two, WORDS("pps") },
	{ "in-aadhaar", "Aadhaar number (India)",
	    PATTERN("dddddddddddd"), "4 4 4",
	    NEVER, national_in_aadhaar, WORDS("aadhaar", "aadhar", "uid") },
	{ "it-cf", "tax code (Italy)",
	    PATTERN("LLLLLLxxLxxLxxxL"), "16,3 3 5 5",
	    ALWAYS, national_it_cf, WORDS("codice fiscale") },
	{ "kr-rrn", "resident number (Korea)", PATTERN("ddddddddddddd"), "6 7",
	    LAID_OUT, national_kr_rrn,
	    WORDS("rrn", "resident registration", "\xec\xa3\xbc\xeb\xaf\xbc") },
	{ "lu-nin", "identification number (Luxembourg)",
	    PATTERN("ddddddddddddd"),
	    "13,8 5,4 2 2 5", ALWAYS, national_lu_nin, WORDS("matricule") },
	{ "nl-bsn", "citizen service number (Netherlands)",
	    PATTERN("ddddddddd"),
	    "9,4 2 3", NEVER, national_nl_bsn,
	    WORDS("bsn", "burgerservice", "sofi") },
	{ "no-fnr", "birth number (Norway)", PATTERN("ddddddddddd"), "6 5,11",
	    LAID_OUT, national_no_fnr,
	    WORDS("f\303\270dselsnummer", "personnummer", "fnr",
	    "d-nummer") },
	{ "pl-pesel", "PESEL number (Poland)",
	    PATTERN("ddddddddddd"), "11", NEVER,
	    national_pl_pesel, WORDS("pesel") },
	{ "pt-nif", "tax number (Portugal)",
	    PATTERN("ddddddddd"), "3 3 3", NEVER,
	    national_pt_nif, WORDS("nif", "contribuinte", "nipc") },
	{ "ro-cnp", "personal code (Romania)", PATTERN("ddddddddddddd"), "13",
	    LAID_OUT, national_ro_cnp, WORDS("cnp") },
	{ "se-pnr", "personal number (Sweden)", PATTERN("dddddddddd"), "6 4",
	    LAID_OUT, national_se_pnr,
	    WORDS("personnummer", "samordningsnummer", "pnr") },
	{ "se-pnr", "personal number (Sweden)", PATTERN("dddddddddddd"), "8 4",
	    LAID_OUT, national_se_pnr_long,
	    WORDS("personnummer", "samordningsnummer", "pnr") },
	{ "si-emso", "unique master number (Slovenia and neighbours)",
	    PATTERN("ddddddddddddd"), "13", LAID_OUT, national_si_emso,
	    WORDS("em\xc5\xa1o", "emso", "jmbg") },
	{ "tr-tckn", "identity number (Turkey)",
	    PATTERN("ddddddddddd"), "11", NEVER,
	    national_tr_tckn, WORDS("tc kimlik", "t.c.", "kimlik", "tckn") },
	{ "us-ssn", "social security number (United States)",
	    PATTERN("ddddddddd"),
	    "3 2 4", NEVER, national_us_ssn,
	    WORDS("ssn", "social security", "soc sec") },
	{ "za-id", "identity number (South Africa)", PATTERN("ddddddddddddd"),
	    "6 4 2 1,6 4 3", NEVER, national_za_id,
	    WORDS("id number", "identity number", "said") },
};

enum { KINDS = sizeof kinds / sizeof kinds[0] };

static bool
matches(const char *pattern, const char *chars, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		bool digit = ascii_digit(chars[i]);

		if ((pattern[i] == 'd' && !digit) ||
		    (pattern[i] == 'L' && digit))
			return false;
	}
	return true;
}

/* One alternative of a row: "3 4 4 2". */
static bool
grouped(const char *layout, const unsigned char *groups, size_t ngroups)
{
	size_t i = 0;

	for (;;) {
		unsigned n = 0;

		while (ascii_digit(*layout))
			n = n * 10 + (unsigned)(*layout++ - '0');
		if (i == ngroups || groups[i++] != n)
			return false;
		if (*layout++ != ' ')
			return i == ngroups;
	}
}

static bool
laid_out(const struct national *kind, const unsigned char *groups,
    size_t ngroups)
{
	const char *layout = kind->groups;

	for (;;) {
		if (grouped(layout, groups, ngroups))
			return true;
		layout = strchr(layout, ',');
		if (layout == NULL)
			return false;
		layout++;
	}
}

const struct national *
national_next(const struct national *last, const char *chars, size_t n,
    const unsigned char *groups, size_t ngroups)
{
	const struct national *k = last == NULL ? kinds : last + 1;

	for (; k < kinds + KINDS; k++)
		if (k->n == n &&
		    (ngroups == 1 || laid_out(k, groups, ngroups)) &&
		    matches(k->pattern, chars, n) && k->check(chars))
			return k;
	return NULL;
}

bool
national_bare(const struct national *kind, const unsigned char *groups,
    size_t ngroups)
{
	return kind->bare == ALWAYS || (kind->bare == LAID_OUT &&
	    laid_out(kind, groups, ngroups));
}

const char *const *
national_words(const struct national *kind)
{
	return kind->words;
}

const char *
national_name(const struct national *kind)
{
	return kind->name;
}

const char *
national_title(const struct national *kind)
{
	return kind->title;
}

const struct national *
national_at(size_t i)
{
	return i < KINDS ? &kinds[i] : NULL;
}
