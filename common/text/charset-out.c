#include "text/charset.h"

#include <iconv.h>
#include <string.h>

#include "text/utf8.h"

/* What U+00A0 to U+017F read like in ASCII. */
static const char *const latin[] = {
	" ", "!", "c", "GBP", "$", "JPY", "|", "S.", "\"", "(C)", "a",
	"\"", "-", "", "(R)", "-", "deg", "+/-", "2", "3", "'", "u", "P",
	".", ",", "1", "o", "\"", "1/4", "1/2", "3/4", "?", "A", "A", "A",
	"A", "Ae", "A", "AE", "C", "E", "E", "E", "E", "I", "I", "I", "I",
	"D", "N", "O", "O", "O", "O", "Oe", "x", "O", "U", "U", "U", "Ue",
	"Y", "Th", "ss", "a", "a", "a", "a", "ae", "a", "ae", "c", "e",
	"e", "e", "e", "i", "i", "i", "i", "d", "n", "o", "o", "o", "o",
	"oe", "/", "o", "u", "u", "u", "ue", "y", "th", "y", "A", "a", "A",
	"a", "A", "a", "C", "c", "C", "c", "C", "c", "C", "c", "D", "d",
	"D", "d", "E", "e", "E", "e", "E", "e", "E", "e", "E", "e", "G",
	"g", "G", "g", "G", "g", "G", "g", "H", "h", "H", "h", "I", "i",
	"I", "i", "I", "i", "I", "i", "I", "i", "IJ", "ij", "J", "j", "K",
	"k", "k", "L", "l", "L", "l", "L", "l", "L", "l", "L", "l", "N",
	"n", "N", "n", "N", "n", "'n", "N", "n", "O", "o", "O", "o", "O",
	"o", "OE", "oe", "R", "r", "R", "r", "R", "r", "S", "s", "S", "s",
	"S", "s", "S", "s", "T", "t", "T", "t", "T", "t", "U", "u", "U",
	"u", "U", "u", "U", "u", "U", "u", "U", "u", "W", "w", "Y", "y",
	"Y", "Z", "z", "Z", "z", "Z", "z", "s",
};

/* And others that are common in letters. */
static const struct {
	uint32_t cp;
	const char *ascii;
} others[] = {
	{ 0x2010, "-" }, { 0x2011, "-" }, { 0x2012, "-" }, { 0x2013, "-" },
	{ 0x2014, "--" }, { 0x2015, "--" }, { 0x2018, "'" }, { 0x2019, "'" },
	{ 0x201a, "'" }, { 0x201c, "\"" }, { 0x201d, "\"" },
	{ 0x201e, "\"" }, { 0x2022, "*" }, { 0x2026, "..." },
	{ 0x202f, " " }, { 0x2009, " " }, { 0x2003, " " }, { 0x2002, " " },
	{ 0x200b, "" }, { 0x2039, "<" }, { 0x203a, ">" }, { 0x20ac, "EUR" },
	{ 0x2116, "No." }, { 0x2122, "(TM)" }, { 0x2192, "->" },
	{ 0x2212, "-" }, { 0x260e, "Tel." }, { 0x2709, "Mail" },
	{ 0xfeff, "" },
};

const char *
charset_ascii(uint32_t cp)
{
	if (cp >= 0xa0 && cp < 0xa0 + sizeof latin / sizeof *latin)
		return latin[cp - 0xa0];
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		if (others[i].cp == cp)
			return others[i].ascii;
	return NULL;
}

/*
 * We read a charset as its superset, as others do; what we write has to be
 * what its name says. `key`: how the name begins, case and marks aside.
 */
static const struct {
	const char *ours, *key, *strict;
} stricts[] = {
	{ "CP1252", "windows", "CP1252" }, { "CP1252", "cp", "CP1252" },
	{ "CP1252", "", "ISO-8859-1" },
	{ "CP1254", "windows", "CP1254" }, { "CP1254", "cp", "CP1254" },
	{ "CP1254", "", "ISO-8859-9" },
	{ "CP874", "windows", "CP874" }, { "CP874", "cp", "CP874" },
	{ "CP874", "", "TIS-620" },
	{ "GB18030", "gb18030", "GB18030" }, { "GB18030", "gbk", "GBK" },
	{ "GB18030", "xgbk", "GBK" }, { "GB18030", "cp", "GBK" },
	{ "GB18030", "windows", "GBK" }, { "GB18030", "", "GB2312" },
	{ "CP949", "cp", "CP949" }, { "CP949", "windows", "CP949" },
	{ "CP949", "uhc", "CP949" }, { "CP949", "", "EUC-KR" },
	{ "BIG5-HKSCS", "big5hkscs", "BIG5-HKSCS" },
	{ "BIG5-HKSCS", "", "BIG5" },
	{ "EUC-JP-MS", "", "EUC-JP" }, { "ISO-2022-JP-3", "", "ISO-2022-JP" },
};

static bool
begins(struct slice name, const char *key)
{
	size_t n = 0;

	for (size_t i = 0; i < name.len && key[n] != '\0'; i++) {
		if (!ascii_alnum(name.ptr[i]))
			continue;
		if (ascii_lower(name.ptr[i]) != key[n])
			return false;
		n++;
	}
	return key[n] == '\0';
}

static const char *
strict_name(struct slice charset)
{
	static const char *const wide[] = { "UTF-16", "UTF-32", "UTF-7",
	    "JOHAB", "VISCII", "TCVN" };
	const char *name = charset_name(charset);

	if (charset.len == 0)
		return "US-ASCII";
	for (size_t i = 0; name != NULL && i < sizeof wide / sizeof *wide; i++)
		if (strncmp(name, wide[i], strlen(wide[i])) == 0)
			return NULL;
	for (size_t i = 0; name != NULL &&
	    i < sizeof stricts / sizeof *stricts; i++)
		if (strcmp(stricts[i].ours, name) == 0 &&
		    begins(charset, stricts[i].key))
			return stricts[i].strict;
	return name;
}

/* False: the charset does not have it. */
static bool
convert(iconv_t cd, const char *bytes, size_t n, struct buf *out)
{
	enum { ROOM = 32 };		/* a character with its escapes */
	char *in = (char *)(uintptr_t)bytes, *to = buf_room(out, ROOM);
	size_t room = ROOM, rc = iconv(cd, n > 0 ? &in : NULL, &n, &to, &room);

	/* More than 0: it was replaced by something like it. */
	if (rc != 0)
		return false;
	buf_took(out, ROOM - room);
	return true;
}

static void
replace(iconv_t cd, uint32_t cp, enum charset_lacks lacks, struct buf *out)
{
	const char *ascii = charset_ascii(cp);
	char text[16] = "&#";
	size_t n = 2;

	if (lacks == CHARSET_REFERENCE) {
		for (uint32_t unit = 1000000; unit > 0; unit /= 10)
			if (cp >= unit)
				text[n++] = (char)('0' + cp / unit % 10);
		text[n++] = ';';
		text[n] = '\0';
		ascii = text;
	} else if (ascii == NULL) {
		ascii = "?";
	}
	for (; *ascii != '\0'; ascii++)
		convert(cd, ascii, 1, out);
}

bool
charset_encode(struct slice charset, struct slice utf8,
    enum charset_lacks lacks, struct buf *out)
{
	const char *name = strict_name(charset);
	iconv_t cd = name == NULL ? (iconv_t)-1 : iconv_open(name, "UTF-8");
	uint32_t cp;

	if (cd == (iconv_t)-1)
		return false;
	while (utf8_next(&utf8, &cp)) {
		char bytes[4];
		size_t n = utf8_put(bytes, cp == UTF8_BAD ? 0xfffd : cp);

		if (!convert(cd, bytes, n, out))
			replace(cd, cp == UTF8_BAD ? 0xfffd : cp, lacks, out);
	}
	convert(cd, NULL, 0, out);
	iconv_close(cd);
	return true;
}
