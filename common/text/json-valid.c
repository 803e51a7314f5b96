/* json_valid: a reader that keeps nothing and does not recurse. */
#include "text/json.h"
#include "text/utf8.h"

static char
peek(struct slice s)
{
	return s.len > 0 ? s.ptr[0] : '\0';
}

static bool
take(struct slice *s, char c)
{
	if (s->len == 0 || s->ptr[0] != c)
		return false;
	*s = slice_after(*s, 1);
	return true;
}

static void
blanks(struct slice *s)
{
	while (s->len > 0 && ascii_space(s->ptr[0]))
		*s = slice_after(*s, 1);
}

static bool
escape(struct slice *s)
{
	char c = peek(*s);

	if (c != 'u') {
		bool known = c != '\0' && slice_has(SLICE("\"\\/bfnrt"), c);

		*s = slice_after(*s, 1);
		return known;
	}
	if (s->len < 5)
		return false;
	for (size_t i = 1; i < 5; i++)
		if (ascii_hex(s->ptr[i]) < 0)
			return false;
	*s = slice_after(*s, 5);
	return true;
}

static bool
string(struct slice *s)
{
	uint32_t cp;

	if (!take(s, '"'))
		return false;
	while (utf8_next(s, &cp)) {
		if (cp == '"')
			return true;
		if (cp < ' ' || cp == UTF8_BAD)
			return false;
		if (cp == '\\' && !escape(s))
			return false;
	}
	return false;
}

static bool
digits(struct slice *s)
{
	size_t n = 0;

	while (n < s->len && ascii_digit(s->ptr[n]))
		n++;
	*s = slice_after(*s, n);
	return n > 0;
}

static bool
number(struct slice *s)
{
	take(s, '-');
	if (!take(s, '0') && !digits(s))
		return false;
	if (take(s, '.') && !digits(s))
		return false;
	if (take(s, 'e') || take(s, 'E')) {
		if (!take(s, '+'))
			take(s, '-');
		return digits(s);
	}
	return true;
}

static bool
scalar(struct slice *s)
{
	static const struct slice words[] = {
		{ "true", 4 }, { "false", 5 }, { "null", 4 },
	};

	if (peek(*s) == '"')
		return string(s);
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (slice_starts(*s, words[i])) {
			*s = slice_after(*s, words[i].len);
			return true;
		}
	}
	return number(s);
}

struct levels {
	char close[JSON_LEVELS];
	size_t depth;
};

static bool
key(struct slice *s)
{
	blanks(s);
	if (!string(s))
		return false;
	blanks(s);
	return take(s, ':');
}

/* A value up to where it opens a level that holds something, or ends. */
static bool
value(struct slice *s, struct levels *l, bool *opened_r)
{
	char c;

	blanks(s);
	c = peek(*s);
	*opened_r = false;
	if (c != '{' && c != '[')
		return scalar(s);
	if (l->depth == JSON_LEVELS)
		return false;
	take(s, c);
	blanks(s);
	if (take(s, c == '{' ? '}' : ']'))
		return true;
	l->close[l->depth++] = c == '{' ? '}' : ']';
	*opened_r = true;
	return c == '[' || key(s);
}

/* Behind a value: closes levels until a comma asks for one more value. */
static bool
after_value(struct slice *s, struct levels *l)
{
	while (l->depth > 0) {
		blanks(s);
		if (take(s, ','))
			return l->close[l->depth - 1] == ']' || key(s);
		if (!take(s, l->close[l->depth - 1]))
			return false;
		l->depth--;
	}
	return true;
}

bool
json_valid(struct slice text)
{
	struct levels l = { .depth = 0 };
	bool opened;

	do {
		if (!value(&text, &l, &opened))
			return false;
		if (!opened && !after_value(&text, &l))
			return false;
	} while (opened || l.depth > 0);
	blanks(&text);
	return text.len == 0;
}
