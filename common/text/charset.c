#include "text/charset.h"

#include <errno.h>
#include <iconv.h>
#include <string.h>

#include "text/utf8.h"

/* Sorted by nothing: the list is short, and most mail ends at its head. */
static const struct alias {
	const char *key;		/* letters and digits, lower case */
	const char *name;		/* as iconv knows it */
} aliases[] = {
	{ "utf8", "UTF-8" }, { "usascii", "US-ASCII" },
	{ "iso88591", "CP1252" }, { "windows1252", "CP1252" },
	{ "ascii", "US-ASCII" }, { "ansix341968", "US-ASCII" },
	{ "646", "US-ASCII" }, { "iso646us", "US-ASCII" },
	{ "unicode11utf8", "UTF-8" }, { "utf8mb4", "UTF-8" },
	{ "xunicode20utf8", "UTF-8" }, { "cp65001", "UTF-8" },
	{ "latin1", "CP1252" }, { "l1", "CP1252" }, { "88591", "CP1252" },
	{ "iso885911987", "CP1252" }, { "cp1252", "CP1252" },
	{ "ansi", "CP1252" }, { "xansi", "CP1252" }, { "1252", "CP1252" },
	{ "iso88592", "ISO-8859-2" }, { "latin2", "ISO-8859-2" },
	{ "iso88593", "ISO-8859-3" }, { "latin3", "ISO-8859-3" },
	{ "iso88594", "ISO-8859-4" }, { "latin4", "ISO-8859-4" },
	{ "iso88595", "ISO-8859-5" }, { "cyrillic", "ISO-8859-5" },
	{ "iso88596", "ISO-8859-6" }, { "arabic", "ISO-8859-6" },
	{ "iso88597", "ISO-8859-7" }, { "greek", "ISO-8859-7" },
	{ "iso88598", "ISO-8859-8" }, { "hebrew", "ISO-8859-8" },
	{ "iso88598i", "ISO-8859-8" }, { "iso88598e", "ISO-8859-8" },
	{ "iso88599", "CP1254" }, { "latin5", "CP1254" },
	{ "iso885910", "ISO-8859-10" }, { "latin6", "ISO-8859-10" },
	{ "iso885911", "CP874" }, { "tis620", "CP874" },
	{ "iso885913", "ISO-8859-13" }, { "iso885914", "ISO-8859-14" },
	{ "iso885915", "ISO-8859-15" }, { "latin9", "ISO-8859-15" },
	{ "iso885916", "ISO-8859-16" },
	{ "windows874", "CP874" }, { "cp874", "CP874" },
	{ "windows1250", "CP1250" }, { "cp1250", "CP1250" },
	{ "windows1251", "CP1251" }, { "cp1251", "CP1251" },
	{ "windows1253", "CP1253" }, { "cp1253", "CP1253" },
	{ "windows1254", "CP1254" }, { "cp1254", "CP1254" },
	{ "windows1255", "CP1255" }, { "cp1255", "CP1255" },
	{ "windows1256", "CP1256" }, { "cp1256", "CP1256" },
	{ "windows1257", "CP1257" }, { "cp1257", "CP1257" },
	{ "windows1258", "CP1258" }, { "cp1258", "CP1258" },
	{ "koi8r", "KOI8-R" }, { "koi8", "KOI8-R" }, { "koi8u", "KOI8-U" },
	{ "cp866", "CP866" }, { "ibm866", "CP866" },
	{ "cp437", "CP437" }, { "ibm437", "CP437" },
	{ "cp850", "CP850" }, { "ibm850", "CP850" },
	{ "cp852", "CP852" }, { "ibm852", "CP852" },
	{ "macintosh", "MACINTOSH" }, { "macroman", "MACINTOSH" },
	{ "xmacroman", "MACINTOSH" }, { "xmaccyrillic", "MAC-CYRILLIC" },
	{ "viscii", "VISCII" }, { "tcvn", "TCVN" },
	{ "gb2312", "GB18030" }, { "gbk", "GB18030" },
	{ "gb18030", "GB18030" }, { "xgbk", "GB18030" },
	{ "cp936", "GB18030" }, { "windows936", "GB18030" },
	{ "euccn", "GB18030" }, { "gb231280", "GB18030" },
	{ "chinese", "GB18030" }, { "csgb2312", "GB18030" },
	{ "iso2022cn", "ISO-2022-CN" },
	{ "big5", "BIG5-HKSCS" }, { "big5hkscs", "BIG5-HKSCS" },
	{ "csbig5", "BIG5-HKSCS" }, { "xxbig5", "BIG5-HKSCS" },
	{ "cp950", "CP950" }, { "windows950", "CP950" }, { "euctw", "EUC-TW" },
	{ "shiftjis", "CP932" }, { "sjis", "CP932" }, { "xsjis", "CP932" },
	{ "mskanji", "CP932" }, { "windows31j", "CP932" },
	{ "cp932", "CP932" }, { "windows932", "CP932" },
	{ "csshiftjis", "CP932" },
	{ "eucjp", "EUC-JP-MS" }, { "xeucjp", "EUC-JP-MS" },
	{ "iso2022jp", "ISO-2022-JP-3" }, { "csiso2022jp", "ISO-2022-JP-3" },
	{ "iso2022jpms", "ISO-2022-JP-3" }, { "cp50220", "ISO-2022-JP-3" },
	{ "iso2022jp1", "ISO-2022-JP-3" }, { "iso2022jp2", "ISO-2022-JP-2" },
	{ "iso2022jp3", "ISO-2022-JP-3" },
	{ "euckr", "CP949" }, { "ksc56011987", "CP949" },
	{ "ksc5601", "CP949" }, { "ksc56011989", "CP949" },
	{ "korean", "CP949" }, { "cseuckr", "CP949" }, { "cp949", "CP949" },
	{ "windows949", "CP949" }, { "uhc", "CP949" },
	{ "iso2022kr", "ISO-2022-KR" }, { "johab", "JOHAB" },
	{ "utf7", "UTF-7" }, { "unicode11utf7", "UTF-7" },
	{ "utf16", "UTF-16" }, { "utf16le", "UTF-16LE" },
	{ "utf16be", "UTF-16BE" }, { "ucs2", "UTF-16" },
	{ "unicode", "UTF-16" }, { "utf32", "UTF-32" },
	{ "utf32le", "UTF-32LE" }, { "utf32be", "UTF-32BE" },
};

const char *
charset_name(struct slice charset)
{
	char key[24];
	size_t n = 0;

	for (size_t i = 0; i < charset.len; i++) {
		if (charset.ptr[i] == '\0' || i > 100)
			return NULL;
		if (!ascii_alnum(charset.ptr[i]))
			continue;
		if (n + 1 == sizeof key)
			return NULL;
		key[n++] = ascii_lower(charset.ptr[i]);
	}
	key[n] = '\0';
	for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++)
		if (strcmp(aliases[i].key, key) == 0)
			return aliases[i].name;
	return NULL;
}

bool
charset_keeps_state(struct slice charset)
{
	const char *name = charset_name(charset);

	return name != NULL && (strncmp(name, "ISO-2022", 8) == 0 ||
	    strcmp(name, "UTF-7") == 0);
}

/* Where text goes: no more than left bytes. */
struct sink {
	struct buf *out;
	size_t left;
	unsigned flags;
};

static bool
put_bytes(struct sink *s, struct slice bytes)
{
	if (bytes.len > s->left) {
		s->flags |= CHARSET_CUT;
		return false;
	}
	buf_add(s->out, bytes);
	s->left -= bytes.len;
	return true;
}

static bool
put_code(struct sink *s, uint32_t cp)
{
	char bytes[4];

	if (cp == UTF8_BAD) {
		s->flags |= CHARSET_INVALID;
		cp = 0xfffd;
	}
	return put_bytes(s, slice_make(bytes, utf8_put(bytes, cp)));
}

static void
from_utf8(struct sink *s, struct slice in)
{
	struct slice rest = in;
	uint32_t cp;

	if (in.len <= s->left && utf8_valid(in)) {
		put_bytes(s, in);
		return;
	}
	while (utf8_next(&rest, &cp) && put_code(s, cp))
		;
}

/* 0x80..0x9f; those that windows-1252 leaves out are C1 controls (WHATWG). */
static const uint16_t cp1252[32] = {
	0x20ac, 0x0081, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021,
	0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0x008d, 0x017d, 0x008f,
	0x0090, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
	0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0x009d, 0x017e, 0x0178,
};

static void
from_1252(struct sink *s, struct slice in)
{
	size_t i = 0;

	while (i < in.len) {
		unsigned char c = (unsigned char)in.ptr[i++];

		if (!put_code(s, c >= 0x80 && c < 0xa0 ? cp1252[c - 0x80] : c))
			return;
	}
}

/* One step; false when no more is to be had. */
static bool
step(iconv_t cd, char **in, size_t *left, struct sink *s)
{
	enum { ROOM = 4096 };
	size_t room = s->left < ROOM ? s->left : ROOM, rest = room, rc;
	/* iconv ends the process where there is no place at all. */
	char *to = buf_room(s->out, room + 1);

	rc = iconv(cd, in, left, &to, &rest);
	buf_took(s->out, room - rest);
	s->left -= room - rest;
	if (rc != (size_t)-1)
		return false;
	if (errno == E2BIG) {
		/* A character takes a few bytes: less room is none at all. */
		if (s->left < 32 && rest == room) {
			s->flags |= CHARSET_CUT;
			return false;
		}
		return true;
	}
	if (*left == 0 || !put_code(s, UTF8_BAD))
		return false;
	++*in;
	--*left;
	return *left > 0;
}

static void
from_other(struct sink *s, struct slice in, const char *name)
{
	iconv_t cd = iconv_open("UTF-8", name);
	char *ptr = (char *)(uintptr_t)in.ptr;
	size_t left = in.len;

	if (cd == (iconv_t)-1) {
		/* A smaller libc than ours may not have it. */
		s->flags |= CHARSET_UNKNOWN;
		from_1252(s, in);
		return;
	}
	while (step(cd, &ptr, &left, s))
		;
	/* What the converter still holds back. */
	left = 0;
	if ((s->flags & CHARSET_CUT) == 0)
		step(cd, &(char *){ NULL }, &left, s);
	iconv_close(cd);
}

/* Without a byte order mark it is little-endian, as Windows writes it. */
static const char *
order(const char *name, struct slice in)
{
	bool marked = slice_starts(in, SLICE("\xff\xfe")) ||
	    slice_starts(in, SLICE("\xfe\xff")) ||
	    slice_starts(in, SLICE("\0\0\xfe\xff"));

	if (!marked && strcmp(name, "UTF-16") == 0)
		return "UTF-16LE";
	if (!marked && strcmp(name, "UTF-32") == 0)
		return "UTF-32LE";
	return name;
}

unsigned
charset_utf8(struct slice charset, struct slice bytes, size_t max,
    struct buf *out)
{
	const char *name = charset_name(charset);
	struct sink s = { .out = out, .left = max };
	bool ascii = name != NULL && strcmp(name, "US-ASCII") == 0;

	if (name == NULL)
		s.flags |= CHARSET_UNKNOWN;
	if (name == NULL || ascii) {
		if (utf8_valid(bytes))
			name = "UTF-8";
		else
			name = "CP1252";
		/* Eight bits in US-ASCII are wrong however well they read. */
		for (size_t i = 0; ascii && i < bytes.len; i++)
			if ((unsigned char)bytes.ptr[i] >= 0x80)
				s.flags |= CHARSET_INVALID;
	}
	if (strcmp(name, "UTF-8") == 0)
		from_utf8(&s, bytes);
	else if (strcmp(name, "CP1252") == 0)
		from_1252(&s, bytes);
	else
		from_other(&s, bytes, order(name, bytes));
	return s.flags;
}
