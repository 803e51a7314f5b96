/*
 * charset - text in any charset that mail uses, as UTF-8
 *
 * Names are those of mail and of the web, many as they are written wrongly
 * ("utf8", "ks_c_5601-1987", "x-sjis"); case, blanks, '-' and '_' do not
 * count. A charset is read as its usual superset, as clients do: ISO-8859-1 as
 * windows-1252, GB2312 as GB18030, EUC-KR as cp949 (WHATWG Encoding). Only
 * names of our list reach iconv(3), so mail chooses no converter.
 *
 * charset_utf8	adds the text to *out, at most max bytes, always well-formed
 *		UTF-8; returns what was odd. An unknown charset is read as
 *		UTF-8 where that fits, else as windows-1252
 * charset_name	our name for it, static; NULL: unknown
 * charset_keeps_state
 *		escape sequences switch it (ISO-2022, UTF-7): two pieces of
 *		it are not to be joined before they are converted
 *
 * charset_encode
 *		the other way round: adds UTF-8 to *out in that charset, for
 *		text that is put into a part of a mail, so it takes names at
 *		their word (ISO-8859-1 is not windows-1252 here). What the
 *		charset does not have becomes by `lacks` a character reference
 *		of HTML, or ASCII that reads much the same (charset_ascii, else
 *		'?'). A charset that keeps state begins and ends in ASCII.
 *		False, nothing is added: a charset that we do not know or that
 *		is no superset of ASCII
 * charset_ascii
 *		"ae" for an umlaut, "EUR", a plain quote; NULL: nothing reads
 *		like it
 *
 * Thread-safe.
 */
#ifndef TEXT_CHARSET_H
#define TEXT_CHARSET_H

#include "base/buf.h"

enum charset_flag {
	CHARSET_UNKNOWN = 1 << 0,
	CHARSET_INVALID = 1 << 1,	/* some bytes became U+FFFD */
	CHARSET_CUT = 1 << 2,		/* at max */
};

enum charset_lacks { CHARSET_REFERENCE, CHARSET_ASCII };

unsigned charset_utf8(struct slice charset, struct slice bytes, size_t max,
    struct buf *out);
const char *charset_name(struct slice charset);
bool charset_keeps_state(struct slice charset);
bool charset_encode(struct slice charset, struct slice utf8,
    enum charset_lacks lacks, struct buf *out);
const char *charset_ascii(uint32_t cp);

#endif
