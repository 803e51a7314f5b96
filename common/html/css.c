#include "html/css.h"

/* A character, an escape of CSS read as what it stands for. */
static bool
css_char(struct html_chars *c, struct html_char *ch)
{
	struct html_chars ahead;
	struct html_char next;
	uint32_t value = 0;
	unsigned digits = 0;

	if (!html_char(c, ch))
		return false;
	if (ch->c != '\\')
		return true;
	ahead = *c;
	while (digits < 6 && html_char(&ahead, &next) && next.c < 0x80 &&
	    ascii_hex((char)next.c) >= 0) {
		value = value << 4 | (uint32_t)ascii_hex((char)next.c);
		digits++;
		*c = ahead;
	}
	if (digits == 0)
		return html_char(c, ch);
	ahead = *c;
	if (html_char(&ahead, &next) && html_blank(next.c))
		*c = ahead;
	ch->c = value;
	return true;
}

bool
css_word(struct html_chars *c, const char *word)
{
	struct html_chars ahead = *c;
	struct html_char ch;

	for (; *word != '\0'; word++)
		if (!css_char(&ahead, &ch) ||
		    html_lower(ch.c) != (unsigned char)*word)
			return false;
	*c = ahead;
	return true;
}

/*
 * Passes over the string whose quote was read; *end_r is its closing quote. A
 * line end ends it too: what follows is no string.
 */
static void
string(struct html_chars *c, uint32_t quote, size_t *end_r)
{
	struct html_char ch;

	*end_r = c->raw.len;
	while (html_char(c, &ch)) {
		if (ch.c == '\\') {
			html_char(c, &ch);
		} else if (ch.c == quote || ch.c == '\n') {
			*end_r = ch.off;
			return;
		}
	}
}

static void
comment(struct html_chars *c)
{
	struct html_char ch;
	uint32_t before = 0;

	while (html_char(c, &ch) && !(before == '*' && ch.c == '/'))
		before = ch.c;
}

static bool
skip_blanks(struct html_chars *c, struct html_char *ch)
{
	while (html_char(c, ch))
		if (!html_blank(ch->c))
			return true;
	return false;
}

/* Behind "url(" or "@import": the URL there. */
static bool
target(struct html_chars *c, bool quoted, size_t *from_r, size_t *end_r,
    char *quote_r)
{
	struct html_char ch;

	if (!skip_blanks(c, &ch))
		return false;
	*quote_r = '\0';
	if (ch.c == '"' || ch.c == '\'') {
		*quote_r = (char)ch.c;
		*from_r = c->at;
		string(c, ch.c, end_r);
		return true;
	}
	if (quoted) {
		/* @import url(): read as any other. */
		c->at = ch.off;
		return false;
	}
	*from_r = *end_r = ch.off;
	while (ch.c != ')' && !html_blank(ch.c)) {
		if (ch.c == '\\')
			html_char(c, &ch);
		*end_r = ch.off + ch.len;
		if (!html_char(c, &ch))
			break;
	}
	return true;
}

bool
css_url(struct html_chars *c, size_t *from_r, size_t *end_r, char *quote_r)
{
	struct html_chars here = *c;
	struct html_char ch;

	while (html_char(&here, &ch)) {
		bool word = html_lower(ch.c) == 'u' || ch.c == '\\';

		if (ch.c == '"' || ch.c == '\'') {
			string(&here, ch.c, from_r);
		} else if (ch.c == '/') {
			struct html_chars ahead = here;

			if (html_char(&ahead, &ch) && ch.c == '*') {
				here = ahead;
				comment(&here);
			}
		} else if (word || ch.c == '@') {
			here.at = ch.off;
			if ((word && css_word(&here, "url(")) ||
			    (!word && css_word(&here, "@import"))) {
				if (target(&here, !word, from_r, end_r,
				    quote_r)) {
					*c = here;
					return true;
				}
			} else {
				here.at = ch.off + ch.len;
			}
		}
	}
	*c = here;
	return false;
}

/* --- declarations --- */

/* Up to the next ';' outside of quotes, parentheses and comments. */
static struct slice
declaration(struct slice *rest)
{
	char quote = '\0';
	unsigned parens = 0;
	size_t i = 0;
	struct slice all = *rest;

	for (; i < all.len; i++) {
		char c = all.ptr[i];

		if (c == '\\')
			i++;
		else if (quote != '\0')
			quote = c == quote ? '\0' : quote;
		else if (c == '"' || c == '\'')
			quote = c;
		else if (c == '(')
			parens++;
		else if (c == ')' && parens > 0)
			parens--;
		else if (c == ';' && parens == 0)
			break;
	}
	*rest = slice_after(all, i + 1);
	return slice_sub(all, 0, i);
}

static struct slice
uncommented(struct slice s)
{
	for (;;) {
		size_t end;

		s = slice_trim(s);
		if (!slice_starts(s, SLICE("/*")))
			return s;
		end = slice_search(slice_after(s, 2), SLICE("*/"));
		s = slice_after(s, end + 4);
	}
}

bool
css_next(struct slice *rest, struct css_decl *decl)
{
	while (rest->len > 0) {
		struct slice all = declaration(rest), value;
		size_t mark;

		decl->name = slice_trim(slice_cut(uncommented(all), ':',
		    &value));
		if (value.ptr == NULL)
			continue;
		mark = slice_find_last(value, '!');
		if (mark < value.len && slice_eq_nocase(slice_trim(slice_after(
		    value, mark + 1)), SLICE("important")))
			value.len = mark;
		decl->value = uncommented(value);
		return true;
	}
	return false;
}

bool
css_token(struct slice *rest, struct slice *token_r)
{
	struct slice s = slice_trim(*rest);
	unsigned parens = 0;
	size_t n = 0;

	for (; n < s.len; n++) {
		if (s.ptr[n] == '(')
			parens++;
		else if (s.ptr[n] == ')' && parens > 0)
			parens--;
		else if (parens == 0 && (ascii_space(s.ptr[n]) ||
		    s.ptr[n] == ',' || s.ptr[n] == '/'))
			break;
	}
	*token_r = slice_sub(s, 0, n);
	*rest = slice_after(s, n + 1);
	return s.len > 0;
}

/* --- colours --- */

static const struct {
	const char *name;
	uint32_t rgb;
} named[] = {
	{ "white", 0xffffff }, { "black", 0 }, { "red", 0xff0000 },
	{ "green", 0x008000 }, { "blue", 0x0000ff }, { "gray", 0x808080 },
	{ "grey", 0x808080 }, { "silver", 0xc0c0c0 }, { "yellow", 0xffff00 },
	{ "maroon", 0x800000 }, { "purple", 0x800080 },
	{ "fuchsia", 0xff00ff }, { "magenta", 0xff00ff },
	{ "lime", 0x00ff00 }, { "olive", 0x808000 }, { "navy", 0x000080 },
	{ "teal", 0x008080 }, { "aqua", 0x00ffff }, { "cyan", 0x00ffff },
	{ "orange", 0xffa500 }, { "snow", 0xfffafa }, { "ivory", 0xfffff0 },
	{ "whitesmoke", 0xf5f5f5 }, { "ghostwhite", 0xf8f8ff },
	{ "floralwhite", 0xfffaf0 }, { "mintcream", 0xf5fffa },
	{ "azure", 0xf0ffff }, { "aliceblue", 0xf0f8ff },
	{ "seashell", 0xfff5ee }, { "lightgray", 0xd3d3d3 },
	{ "lightgrey", 0xd3d3d3 }, { "gainsboro", 0xdcdcdc },
	{ "darkgray", 0xa9a9a9 }, { "dimgray", 0x696969 },
	{ "transparent", CSS_CLEAR },
};

static bool
hex_colour(struct slice s, uint32_t *rgb_r)
{
	uint32_t v = 0;
	bool one = s.len == 3 || s.len == 4;

	if (s.len != 3 && s.len != 4 && s.len != 6 && s.len != 8)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		int digit = ascii_hex(s.ptr[i]);

		if (digit < 0)
			return false;
		v = v << 4 | (uint32_t)digit;
		if (one)
			v = v << 4 | (uint32_t)digit;
	}
	/* The last one says how solid it is. */
	if (s.len == 4 || s.len == 8)
		v = (v & 0xff) == 0 ? CSS_CLEAR : v >> 8;
	*rgb_r = v;
	return true;
}

/* rgb(1, 2, 3), rgba(1 2 3 / 0.5); channels as numbers or percent. */
static bool
rgb_colour(struct slice s, uint32_t *rgb_r)
{
	struct slice token;
	uint32_t v = 0;
	unsigned n = 0;

	while (n < 4 && css_token(&s, &token)) {
		bool relative;
		int64_t length;

		if (token.len == 0)
			continue;
		if (!css_length(token, &length, &relative) || length < 0)
			return false;
		if (n == 3 && length == 0)
			v = CSS_CLEAR;
		if (n < 3) {
			if (relative)
				length = length * 255 / 100;
			v = v << 8 | (uint32_t)(length > 255000 ? 255 :
			    length / 1000);
		}
		n++;
	}
	*rgb_r = v;
	return n >= 3;
}

bool
css_colour(struct slice value, uint32_t *rgb_r)
{
	struct slice s = slice_trim(value), args;

	if (s.len > 0 && s.ptr[0] == '#')
		return hex_colour(slice_after(s, 1), rgb_r);
	if (slice_starts_nocase(s, SLICE("rgb"))) {
		slice_cut(s, '(', &args);
		return args.ptr != NULL &&
		    rgb_colour(slice_cut(args, ')', &args), rgb_r);
	}
	for (size_t i = 0; i < sizeof named / sizeof *named; i++)
		if (slice_eq_nocase(s, slice_of(named[i].name))) {
			*rgb_r = named[i].rgb;
			return true;
		}
	return false;
}

/* --- lengths --- */

/* A unit in thousandths of a pixel; 0: a part of something. */
static int64_t
unit(struct slice s)
{
	static const struct {
		const char *name;
		int64_t px;
	} units[] = { { "", 1000 }, { "px", 1000 }, { "pt", 1333 },
	    { "pc", 16000 }, { "in", 96000 }, { "cm", 37795 },
	    { "mm", 3780 } };

	for (size_t i = 0; i < sizeof units / sizeof *units; i++)
		if (slice_eq_nocase(s, slice_of(units[i].name)))
			return units[i].px;
	return 0;
}

bool
css_length(struct slice value, int64_t *length_r, bool *relative_r)
{
	struct slice s = slice_trim(value);
	bool minus = s.len > 0 && s.ptr[0] == '-';
	size_t at = minus || (s.len > 0 && s.ptr[0] == '+'), from = at;
	int64_t n = 0, part = 1000, px;

	for (; at < s.len && ascii_digit(s.ptr[at]); at++)
		if (n < INT64_C(1000000000))
			n = n * 10 + (s.ptr[at] - '0');
	n *= 1000;
	if (at + 1 < s.len && s.ptr[at] == '.' && ascii_digit(s.ptr[at + 1])) {
		for (at++; at < s.len && ascii_digit(s.ptr[at]); at++) {
			part /= 10;
			n += (s.ptr[at] - '0') * part;
		}
	}
	if (at == from)
		return false;
	px = unit(slice_trim(slice_after(s, at)));
	*relative_r = px == 0;
	*length_r = px == 0 ? n : n / 1000 * px + n % 1000 * px / 1000;
	if (minus)
		*length_r = -*length_r;
	return true;
}
