#include "spf_macro.h"

#include <string.h>

#include "net/dns.h"

struct macro {
	char letter;			/* lower case */
	bool escape;			/* written in upper case */
	bool reverse;
	size_t keep;			/* right-hand parts; 0: all */
	struct slice delimiters;
};

static bool
is_delimiter(char c)
{
	return c != '\0' && strchr(".-+,/_=", c) != NULL;
}

static bool
letter_allowed(char c, enum spf_macro_use use)
{
	if (c == '\0')
		return false;
	return strchr(use == SPF_NAME ? "slodipvh" : "slodipvhcrt", c) != NULL;
}

/* Digits of a transformer; more than any name has parts is "all". */
static size_t
read_keep(struct slice *s, bool *zero_r)
{
	size_t keep = 0;
	bool digits = false;

	while (s->len > 0 && ascii_digit(s->ptr[0])) {
		digits = true;
		if (keep < SPF_MACRO_BYTES)
			keep = keep * 10 + (size_t)(s->ptr[0] - '0');
		*s = slice_after(*s, 1);
	}
	*zero_r = digits && keep == 0;
	return keep;
}

/* *s begins behind "%{"; on success it begins behind "}". */
static const char *
read_macro(struct slice *s, enum spf_macro_use use, struct macro *m)
{
	bool zero;
	size_t n = 0;

	if (s->len == 0)
		return "a macro that does not end";
	m->letter = ascii_lower(s->ptr[0]);
	m->escape = m->letter != s->ptr[0];
	if (!letter_allowed(m->letter, use))
		return use == SPF_NAME && letter_allowed(m->letter, SPF_TEXT) ?
		    "a macro that may stand only in explanations" :
		    "an unknown macro letter";
	*s = slice_after(*s, 1);
	m->keep = read_keep(s, &zero);
	if (zero)
		return "a macro that keeps zero parts";
	m->reverse = s->len > 0 && ascii_lower(s->ptr[0]) == 'r';
	if (m->reverse)
		*s = slice_after(*s, 1);
	while (n < s->len && is_delimiter(s->ptr[n]))
		n++;
	m->delimiters = slice_sub(*s, 0, n);
	if (n == s->len || s->ptr[n] != '}')
		return "a macro that does not end";
	*s = slice_after(*s, n + 1);
	return NULL;
}

/*
 * The next piece of *s: a macro (*macro_r true), or text: a run of literals
 * or what %%, %_ and %- stand for. NULL or what is wrong.
 */
static const char *
read_piece(struct slice *s, enum spf_macro_use use, bool *macro_r,
    struct macro *m, struct slice *text_r)
{
	size_t n = slice_find(*s, '%');

	*macro_r = false;
	if (n > 0) {
		*text_r = slice_sub(*s, 0, n);
		*s = slice_after(*s, n);
		return NULL;
	}
	switch (s->len > 1 ? s->ptr[1] : '\0') {
	case '%':
		*text_r = SLICE("%");
		break;
	case '_':
		*text_r = SLICE(" ");
		break;
	case '-':
		*text_r = SLICE("%20");
		break;
	case '{':
		*macro_r = true;
		*s = slice_after(*s, 2);
		return read_macro(s, use, m);
	default:
		return "a '%' that begins no macro";
	}
	*s = slice_after(*s, 2);
	return NULL;
}

static bool
visible(struct slice s, bool spaces)
{
	for (size_t i = 0; i < s.len; i++)
		if ((s.ptr[i] < '!' || s.ptr[i] > '~') &&
		    !(spaces && s.ptr[i] == ' '))
			return false;
	return true;
}

const char *
spf_macro_check(struct slice s, enum spf_macro_use use)
{
	const char *wrong;
	struct macro m;
	struct slice text;
	bool macro;

	if (!visible(s, use == SPF_TEXT))
		return "a byte that is no visible ASCII character";
	while (s.len > 0)
		if ((wrong = read_piece(&s, use, &macro, &m, &text)) != NULL)
			return wrong;
	return NULL;
}

/* toplabel (7.1): letters, digits, dashes inside, not only digits. */
static bool
is_toplabel(struct slice s)
{
	bool other = false;

	if (s.len == 0 || s.ptr[0] == '-' || s.ptr[s.len - 1] == '-')
		return false;
	for (size_t i = 0; i < s.len; i++) {
		if (!ascii_alnum(s.ptr[i]) && s.ptr[i] != '-')
			return false;
		other = other || !ascii_digit(s.ptr[i]);
	}
	return other;
}

const char *
spf_macro_check_name(struct slice s)
{
	const char *wrong = spf_macro_check(s, SPF_NAME);
	struct slice rest = s, text = SLICE(""), tail = SLICE("");
	struct macro m;
	bool macro = false;
	size_t dot;

	if (s.len == 0)
		return "an empty domain";
	if (wrong != NULL)
		return wrong;
	while (rest.len > 0) {
		bool literal = rest.ptr[0] != '%';

		read_piece(&rest, SPF_NAME, &macro, &m, &text);
		tail = literal ? text : SLICE("");
	}
	if (tail.len == 0)
		return NULL;		/* ends in a macro */
	if (tail.ptr[tail.len - 1] == '.')
		tail.len--;
	dot = slice_find_last(tail, '.');
	if (dot == tail.len || !is_toplabel(slice_after(tail, dot + 1)))
		return "a domain without a valid top label";
	return NULL;
}

bool
spf_macro_asks_p(struct slice s)
{
	struct macro m;
	struct slice text;
	bool macro;

	while (s.len > 0) {
		if (read_piece(&s, SPF_TEXT, &macro, &m, &text) != NULL)
			return false;
		if (macro && m.letter == 'p')
			return true;
	}
	return false;
}

static struct slice
value_of(char letter, const struct spf_macro_values *v)
{
	switch (letter) {
	case 's':
		return v->sender;
	case 'l':
		return v->local;
	case 'o':
		return v->sender_domain;
	case 'd':
		return v->domain;
	case 'i':
		return v->ip;
	case 'p':
		return v->validated;
	case 'v':
		return v->version;
	case 'h':
		return v->helo;
	case 'c':
		return v->client;
	case 'r':
		return v->receiver;
	default:
		return v->time;
	}
}

/* Unreserved characters stay (RFC 3986, 2.3). */
static void
add_escaped(struct buf *out, struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];

		if (ascii_alnum(c) || (c != '\0' && strchr("-._~", c) != NULL))
			buf_addc(out, c);
		else
			buf_addf(out, "%%%02X", (unsigned char)c);
	}
}

static void
add_part(struct buf *out, struct slice s, bool escape, bool first)
{
	if (!first)
		buf_addc(out, '.');
	if (escape)
		add_escaped(out, s);
	else
		buf_add(out, s);
}

/* The end of the part that begins at `from`. */
static size_t
part_end(struct slice value, size_t from, struct slice delimiters)
{
	while (from < value.len && !slice_has(delimiters, value.ptr[from]))
		from++;
	return from;
}

/* The start of the part that ends at `to`. */
static size_t
part_start(struct slice value, size_t to, struct slice delimiters)
{
	while (to > 0 && !slice_has(delimiters, value.ptr[to - 1]))
		to--;
	return to;
}

static size_t
count_parts(struct slice value, struct slice delimiters)
{
	size_t n = 1;

	for (size_t i = 0; i < value.len; i++)
		n += slice_has(delimiters, value.ptr[i]);
	return n;
}

/* Split, reverse, keep the right-hand parts, join by dots, escape (7.3). */
static void
transform(struct buf *out, struct slice value, const struct macro *m)
{
	struct slice by = m->delimiters.len > 0 ? m->delimiters : SLICE(".");
	size_t parts = count_parts(value, by);
	size_t skip = m->keep > 0 && m->keep < parts ? parts - m->keep : 0;
	size_t at = m->reverse ? value.len : 0, edge;

	for (size_t i = 0; i < parts; i++) {
		struct slice part;

		if (m->reverse) {
			edge = part_start(value, at, by);
			part = slice_sub(value, edge, at - edge);
			at = edge > 0 ? edge - 1 : 0;
		} else {
			edge = part_end(value, at, by);
			part = slice_sub(value, at, edge - at);
			at = edge + 1;
		}
		if (i >= skip)
			add_part(out, part, m->escape, i == skip);
	}
}

static bool
is_ascii(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.ptr[i] >= 0x80)
			return false;
	return true;
}

enum rc
spf_macro_expand(struct buf *out, struct slice s, enum spf_macro_use use,
    const struct spf_macro_values *values)
{
	size_t start = out->len;
	struct macro m;
	struct slice text;
	bool macro;

	while (s.len > 0) {
		if (read_piece(&s, use, &macro, &m, &text) != NULL)
			return RC_BAD;
		if (macro) {
			text = value_of(m.letter, values);
			if (use == SPF_NAME && !is_ascii(text))
				return RC_BAD;
		}
		if (out->len - start + text.len > SPF_MACRO_BYTES)
			return RC_BAD;
		if (macro)
			transform(out, text, &m);
		else
			buf_add(out, text);
	}
	return out->len - start > SPF_MACRO_BYTES ? RC_BAD : RC_OK;
}

enum rc
spf_macro_name(struct arena *a, struct slice spec,
    const struct spf_macro_values *values, struct slice *name_r)
{
	struct buf out = buf_in(a);
	struct slice name, rest;

	if (spf_macro_expand(&out, spec, SPF_NAME, values) != RC_OK)
		return RC_BAD;
	name = buf_slice(&out);
	if (name.len > 0 && name.ptr[name.len - 1] == '.')
		name.len--;
	while (name.len > DNS_NAME_MAX) {
		slice_cut(name, '.', &rest);
		if (rest.ptr == NULL)
			break;		/* one label: no name at all */
		name = rest;
	}
	*name_r = name;
	return RC_OK;
}
