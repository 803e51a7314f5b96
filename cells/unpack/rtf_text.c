/*
 * The text of RTF (specification 1.9.1): groups, each with a state that ends
 * with it; control words; and bytes of the code page that the font says.
 *
 * What a group is for is said by its first word. Those that hold digits of
 * pictures and lists of styles have no text; instructions of fields, hidden
 * text and whatever a reader is told to pass over are not seen, but are text.
 */
#include <stdlib.h>
#include <string.h>

#include "cells/unpack/codepage.h"
#include "cells/unpack/legacy.h"
#include "text/utf8.h"

enum {
	GROUPS = 500,			/* deeper ones share their state */
	FONTS = 4096, WORD = 32, BYTES = 1024,
	FALLBACK = 100,			/* bytes that stand for one \u */
};

enum kind { TEXT, FONT_TABLE, NO_TEXT };

struct state {
	enum kind kind;
	bool unseen;
	uint16_t fallback;		/* \uc */
	uint16_t codepage;		/* of the font; 0: the document's */
};

struct rtf {
	struct slice rest;
	struct sink sink;
	struct state now, outer[GROUPS];
	size_t depth;			/* of groups, with a state or not */
	bool star;			/* "\*" was the last word */
	unsigned skip;			/* bytes that stand for a \u */
	uint32_t high;			/* half a pair; 0: none */
	unsigned document;		/* its code page */
	uint16_t fonts[FONTS];		/* code pages; 0: not said */
	size_t font;			/* that the table is at */
	size_t plain;			/* \deff */
	char bytes[BYTES];		/* of one code page */
	size_t nbytes;
};

/* ---- characters ---- */

static void
flush(struct rtf *r)
{
	unsigned page = r->now.codepage;

	if (page == 0)
		page = r->fonts[r->plain];
	if (page == 0)
		page = r->document;
	if (r->nbytes > 0)
		codepage_text(&r->sink, page, slice_make(r->bytes,
		    r->nbytes));
	r->nbytes = 0;
}

static void
put(struct rtf *r, uint32_t cp)
{
	flush(r);
	if (r->now.kind == TEXT)
		sink_put(&r->sink, cp);
}

static void
apart(struct rtf *r, char sign)
{
	flush(r);
	if (r->now.kind == TEXT)
		sink_apart(&r->sink, sign);
}

static void
put_byte(struct rtf *r, char c)
{
	r->star = false;
	if (r->skip > 0) {
		r->skip--;
		return;
	}
	if (r->now.kind != TEXT)
		return;
	if (r->nbytes == BYTES)
		flush(r);
	r->bytes[r->nbytes++] = c;
}

/* \u: 16 bits, signed; then what those read who know nothing of it. */
static void
put_unicode(struct rtf *r, int32_t number)
{
	uint32_t cp = (uint32_t)number & 0xffff;

	r->skip = r->now.fallback;
	if (cp >= 0xd800 && cp < 0xdc00) {
		r->high = cp;
		return;
	}
	if (cp >= 0xdc00 && cp < 0xe000 && r->high != 0)
		cp = 0x10000 + ((r->high - 0xd800) << 10) + (cp - 0xdc00);
	r->high = 0;
	put(r, cp);
}

/* ---- groups ---- */

static void
see(struct rtf *r, bool unseen)
{
	flush(r);
	if (unseen && !r->sink.unseen) {
		r->sink.unseen = true;
		sink_apart(&r->sink, '\n');
	}
	r->sink.unseen = unseen;
}

static void
open_group(struct rtf *r)
{
	flush(r);
	r->skip = 0;
	r->star = false;
	if (r->depth < GROUPS)
		r->outer[r->depth] = r->now;
	else
		r->sink.whole = false;
	r->depth++;
}

static void
close_group(struct rtf *r)
{
	flush(r);
	r->skip = 0;
	if (r->depth == 0)
		return;
	r->depth--;
	if (r->depth < GROUPS)
		r->now = r->outer[r->depth];
	see(r, r->now.unseen);
}

/* ---- words ---- */

static bool
one_of(const char *word, const char *const *words)
{
	for (; *words != NULL; words++)
		if (strcmp(word, *words) == 0)
			return true;
	return false;
}

static unsigned
codepage_of(int32_t charset)
{
	static const struct { uint8_t charset; uint16_t codepage; } table[] = {
		{ 0, 1252 }, { 77, 10000 }, { 128, 932 }, { 129, 949 },
		{ 130, 1361 }, { 134, 936 }, { 136, 950 }, { 161, 1253 },
		{ 162, 1254 }, { 163, 1258 }, { 177, 1255 }, { 178, 1256 },
		{ 186, 1257 }, { 204, 1251 }, { 222, 874 }, { 238, 1250 },
		{ 254, 437 }, { 255, 850 },
	};

	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
		if (table[i].charset == charset)
			return table[i].codepage;
	return 0;
}

static void
use_font(struct rtf *r, int32_t number)
{
	size_t font = number >= 0 ? (size_t)number % FONTS : 0;

	flush(r);
	if (r->now.kind == FONT_TABLE)
		r->font = font;
	else
		r->now.codepage = r->fonts[font];
}

/* Words that end a line, or stand for a character; 0: none. */
static uint32_t
character(const char *word)
{
	static const struct { const char *word; uint32_t cp; } table[] = {
		{ "par", '\n' }, { "line", '\n' }, { "row", '\n' },
		{ "sect", '\n' }, { "page", '\n' }, { "column", '\n' },
		{ "nestrow", '\n' }, { "softline", '\n' },
		{ "softpage", '\n' }, { "tab", '\t' }, { "cell", '\t' },
		{ "nestcell", '\t' }, { "emdash", 0x2014 },
		{ "endash", 0x2013 }, { "bullet", 0x2022 },
		{ "lquote", 0x2018 }, { "rquote", 0x2019 },
		{ "ldblquote", 0x201c }, { "rdblquote", 0x201d },
		{ "emspace", ' ' }, { "enspace", ' ' }, { "qmspace", ' ' },
	};

	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
		if (strcmp(word, table[i].word) == 0)
			return table[i].cp;
	return 0;
}

/* What the first word of a group says it is for; false: nothing. */
static bool
destination(struct rtf *r, const char *word)
{
	static const char *const digits[] = { "pict", "objdata", "blipuid",
	    "datastore", "themedata", "colorschememapping", "colortbl",
	    "stylesheet", "latentstyles", "listtable", "listoverridetable",
	    "rsidtbl", "xmlnstbl", "mmathPr", "pgdsctbl",
	    "wgrffmtfilter", "objclass", "passwordhash", "panose", "falt",
	    NULL };
	static const char *const unseen[] = { "info", "fldinst", "bkmkstart",
	    "bkmkend", "xe", "tc", "private", NULL };

	if (one_of(word, digits))
		r->now.kind = NO_TEXT;
	else if (strcmp(word, "fonttbl") == 0)
		r->now.kind = FONT_TABLE;
	else if (r->star || one_of(word, unseen))
		r->now.unseen = true;
	else
		return false;
	see(r, r->now.unseen);
	return true;
}

/* Those that say in which bytes the text is written. */
static bool
encoding(struct rtf *r, const char *word, int32_t number, bool numbered)
{
	if (strcmp(word, "f") == 0)
		use_font(r, number);
	else if (strcmp(word, "plain") == 0)
		use_font(r, (int32_t)r->plain);
	else if (strcmp(word, "deff") == 0)
		r->plain = number >= 0 ? (size_t)number % FONTS : 0;
	else if (strcmp(word, "fcharset") == 0 && r->now.kind == FONT_TABLE)
		r->fonts[r->font] = (uint16_t)codepage_of(number);
	else if (strcmp(word, "cpg") == 0 && r->now.kind == FONT_TABLE)
		r->fonts[r->font] = (uint16_t)number;
	else if (strcmp(word, "ansicpg") == 0 && number > 0)
		r->document = (unsigned)number;
	else if (strcmp(word, "mac") == 0)
		r->document = 10000;
	else if (strcmp(word, "pc") == 0 || strcmp(word, "pca") == 0)
		r->document = strcmp(word, "pc") == 0 ? 437 : 850;
	else if (strcmp(word, "uc") == 0)
		r->now.fallback = number < 0 || !numbered ? 1 :
		    (uint16_t)(number < FALLBACK ? number : FALLBACK);
	else
		return false;
	return true;
}

static void
act(struct rtf *r, const char *word, int32_t number, bool numbered)
{
	uint32_t cp = character(word);

	if (strcmp(word, "bin") == 0) {
		r->rest = slice_after(r->rest, number > 0 ? (size_t)number : 0);
	} else if (strcmp(word, "u") == 0 && numbered) {
		put_unicode(r, number);
	} else if (cp == '\n' || cp == '\t') {
		apart(r, (char)cp);
	} else if (cp != 0) {
		put(r, cp);
	} else if (strcmp(word, "v") == 0) {
		r->now.unseen = !numbered || number != 0;
		see(r, r->now.unseen);
	} else if (!encoding(r, word, number, numbered)) {
		destination(r, word);
	}
}

/* Letters, then perhaps a number, then perhaps a blank that is part of it. */
static void
control_word(struct rtf *r)
{
	char word[WORD + 1];
	size_t n = 0, i = 0;
	bool minus;
	int64_t number = 0;

	for (; i < r->rest.len && ascii_alpha(r->rest.ptr[i]); i++)
		if (n < WORD)
			word[n++] = r->rest.ptr[i];
	word[n] = '\0';
	minus = i < r->rest.len && r->rest.ptr[i] == '-';
	i += minus;
	n = i;
	for (; i < r->rest.len && ascii_digit(r->rest.ptr[i]); i++)
		if (number < INT32_MAX / 10)
			number = number * 10 + (r->rest.ptr[i] - '0');
	n = i - n;
	i += i < r->rest.len && r->rest.ptr[i] == ' ';
	r->rest = slice_after(r->rest, i);
	if (r->skip > 0 && strcmp(word, "u") != 0) {
		r->skip--;
		if (strcmp(word, "bin") != 0)
			return;
	}
	act(r, word, (int32_t)(minus ? -number : number), n > 0);
	r->star = false;
}

static void
control_symbol(struct rtf *r)
{
	char c = r->rest.ptr[0];
	int high, low;

	r->rest = slice_after(r->rest, 1);
	if (c == '*') {
		r->star = true;
		return;
	}
	if (c == '\'' && r->rest.len >= 2) {
		high = ascii_hex(r->rest.ptr[0]);
		low = ascii_hex(r->rest.ptr[1]);
		if (high >= 0 && low >= 0) {
			put_byte(r, (char)(high << 4 | low));
			r->rest = slice_after(r->rest, 2);
		}
	} else if (c == '{' || c == '}' || c == '\\') {
		put_byte(r, c);
	} else if (r->skip > 0) {
		r->skip--;
	} else if (c == '~') {
		put(r, 0xa0);
	} else if (c == '_') {
		put(r, '-');
	} else if (c == '\n' || c == '\r') {
		apart(r, '\n');
	}
}

static void
read_one(struct rtf *r)
{
	char c = r->rest.ptr[0];

	r->rest = slice_after(r->rest, 1);
	if (c == '{')
		open_group(r);
	else if (c == '}')
		close_group(r);
	else if (c == '\\' && r->rest.len > 0 && ascii_alpha(r->rest.ptr[0]))
		control_word(r);
	else if (c == '\\' && r->rest.len > 0)
		control_symbol(r);
	else if (c == '\t')
		apart(r, '\t');
	else if (c != '\r' && c != '\n' && c != '\0')
		put_byte(r, c);
}

enum legacy
rtf_text(struct slice bytes, size_t max, struct buf *out)
{
	struct rtf *r = mem_alloc(sizeof *r);
	bool whole;

	memset(r, 0, sizeof *r);
	r->rest = bytes;
	r->document = 1252;
	r->now.fallback = 1;
	sink_begin(&r->sink, max);
	while (r->rest.len > 0 && !sink_full(&r->sink))
		read_one(r);
	flush(r);
	whole = r->sink.whole && r->rest.len == 0;
	sink_end(&r->sink, out);
	free(r);
	return whole ? LEGACY_WHOLE : LEGACY_PART;
}
