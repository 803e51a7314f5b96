#include "text/encoded.h"

#include "base/buf.h"
#include "text/charset.h"
#include "text/utf8.h"

struct word {
	struct slice charset;		/* without the language */
	char encoding;			/* 'b' or 'q' */
	struct slice text;
	size_t len;			/* of all of it, =? and ?= included */
};

struct decoder {
	struct slice in;
	size_t at;
	size_t close;			/* the next "?=" not before at */
	bool in_quotes;
	struct buf out;
	struct slice charset;		/* of what is pending */
	struct buf pending;		/* decoded, not converted so far */
	unsigned flags;
};

/* Where the two stand side by side; s.len when they do not. */
static size_t
find_pair(struct slice s, char first, char second)
{
	size_t at = 0;

	while ((at += slice_find(slice_after(s, at), first)) + 1 < s.len) {
		if (s.ptr[at + 1] == second)
			return at;
		at++;
	}
	return s.len;
}

/* The inside of "=?charset?q?text?=" may not begin such a thing again. */
static bool
find_text(struct decoder *d, size_t from, struct slice *text_r)
{
	if (d->close < from)
		d->close = from + find_pair(slice_after(d->in, from), '?', '=');
	if (d->close >= d->in.len)
		return false;
	*text_r = slice_sub(d->in, from, d->close - from);
	return find_pair(*text_r, '=', '?') == text_r->len;
}

static bool
charset_ok(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!ascii_alnum(s.ptr[i]) &&
		    !slice_has(SLICE("-_.:+*()"), s.ptr[i]))
			return false;
	return s.len > 0;
}

/* The word that begins with the "=?" at d->at. */
static bool
find_word(struct decoder *d, struct word *w)
{
	enum { CHARSET_MAX = 80 };
	struct slice head = slice_sub(d->in, d->at + 2, CHARSET_MAX), language;
	size_t mark = slice_find(head, '?'), from = d->at + 2 + mark + 3;

	if (mark + 2 >= head.len || head.ptr[mark + 2] != '?' ||
	    !charset_ok(slice_sub(head, 0, mark)))
		return false;
	w->charset = slice_cut(slice_sub(head, 0, mark), '*', &language);
	w->encoding = ascii_lower(head.ptr[mark + 1]);
	if (w->charset.len == 0 || (w->encoding != 'b' && w->encoding != 'q') ||
	    !find_text(d, from, &w->text))
		return false;
	w->len = d->close + 2 - d->at;
	return true;
}

static int
base64(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (ascii_digit(c))
		return c - '0' + 52;
	if (c == '+')
		return 62;
	return c == '/' ? 63 : -1;
}

static size_t
padding(struct slice s)
{
	size_t run = 0;

	while (run < s.len && s.ptr[run] == '=')
		run++;
	return run;
}

/*
 * Clients pass over what is no base64, go on behind padding, and take the
 * bytes that are there when padding is missing. So do we, and say so.
 */
static void
decode_b(struct decoder *d, struct slice text)
{
	uint32_t bits = 0;
	size_t n = 0;

	for (size_t i = 0; i < text.len; i++) {
		int value = base64(text.ptr[i]);

		if (text.ptr[i] == '=') {
			size_t run = padding(slice_after(text, i));

			if (i + run < text.len || n % 4 == 0 ||
			    (n + run) % 4 != 0)
				d->flags |= ENCODED_LAX;
			i += run - 1;
			n = 0;
			continue;
		}
		if (value < 0) {
			d->flags |= ENCODED_LAX;
			continue;
		}
		bits = bits << 6 | (uint32_t)value;
		if (n++ % 4 != 0)
			buf_addc(&d->pending,
			    (char)(bits >> (6 - 2 * ((n - 1) % 4))));
	}
	if (n % 4 != 0)
		d->flags |= ENCODED_LAX;
}

/* A byte =XX, which stands at s. */
static bool
hex_pair(struct slice s)
{
	return s.len >= 3 && s.ptr[0] == '=' && ascii_hex(s.ptr[1]) >= 0 &&
	    ascii_hex(s.ptr[2]) >= 0;
}

static void
decode_q(struct decoder *d, struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];

		if (hex_pair(slice_after(text, i))) {
			c = (unsigned char)(ascii_hex(text.ptr[i + 1]) << 4 |
			    ascii_hex(text.ptr[i + 2]));
			i += 2;
		} else if (c == '_') {
			c = ' ';
		} else if (c == '=' || c == '?' || c <= ' ' || c >= 0x7f) {
			d->flags |= ENCODED_LAX;
		}
		buf_addc(&d->pending, (char)c);
	}
}

/*
 * Looks at the text that is new. Outside words a fold is no oddity; inside
 * one any line end is an attempt at something.
 */
static void
weigh(struct decoder *d, size_t from, bool folds)
{
	struct slice s = slice_after(buf_slice(&d->out), from);
	uint32_t cp;

	while (utf8_next(&s, &cp)) {
		bool fold = folds && s.len > 0 &&
		    ((cp == '\r' && s.ptr[0] == '\n') ||
		    (cp == '\n' && ascii_blank(s.ptr[0])));

		if (utf8_control(cp) && cp != '\t' && !fold)
			d->flags |= ENCODED_CONTROL;
		if (utf8_bidi(cp))
			d->flags |= ENCODED_BIDI;
		if (utf8_unseen(cp))
			d->flags |= ENCODED_UNSEEN;
	}
}

static unsigned
convert(struct decoder *d, struct slice charset, struct slice bytes)
{
	unsigned flags = charset_utf8(charset, bytes,
	    ENCODED_MAX - d->out.len, &d->out);

	if ((flags & CHARSET_CUT) != 0)
		d->flags |= ENCODED_CUT;
	return flags;
}

/* What has been gathered of one charset becomes text. */
static void
flush(struct decoder *d)
{
	size_t from = d->out.len;
	unsigned flags;
	struct slice text;

	if (d->pending.len == 0)
		return;
	flags = convert(d, d->charset, buf_slice(&d->pending));
	if ((flags & CHARSET_UNKNOWN) != 0)
		d->flags |= ENCODED_CHARSET;
	if ((flags & CHARSET_INVALID) != 0)
		d->flags |= ENCODED_INVALID;
	text = slice_after(buf_slice(&d->out), from);
	if (find_pair(text, '=', '?') < text.len)
		d->flags |= ENCODED_NESTED;
	weigh(d, from, false);
	buf_clear(&d->pending);
}

static bool
blank(struct slice s)
{
	return slice_trim(s).len == 0;
}

static void
plain(struct decoder *d, struct slice s)
{
	size_t from = d->out.len;

	if (s.len == 0)
		return;
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] == '\\' && d->in_quotes)
			i++;
		else if (s.ptr[i] == '"')
			d->in_quotes = !d->in_quotes;
	}
	/* No name at all: UTF-8, and where that does not fit windows-1252. */
	convert(d, SLICE(""), s);
	weigh(d, from, true);
	if (!utf8_valid(s))
		d->flags |= ENCODED_8BIT;
}

/* RFC 2047, 5: blanks or the marks of a phrase or comment stand around it. */
static bool
set_apart(const struct decoder *d, size_t len)
{
	size_t after = d->at + len;

	if (d->at > 0 && !ascii_space(d->in.ptr[d->at - 1]) &&
	    d->in.ptr[d->at - 1] != '(')
		return false;
	return after >= d->in.len || ascii_space(d->in.ptr[after]) ||
	    slice_has(SLICE(")<,;:"), d->in.ptr[after]);
}

static void
take_word(struct decoder *d, const struct word *w)
{
	enum { WORD_MAX = 75 };

	d->flags |= ENCODED_WORDS;
	if (w->len > WORD_MAX || d->in_quotes || !set_apart(d, w->len))
		d->flags |= ENCODED_LAX;
	if (!slice_eq_nocase(w->charset, d->charset) ||
	    charset_keeps_state(w->charset))
		flush(d);
	d->charset = w->charset;
	if (w->encoding == 'b')
		decode_b(d, w->text);
	else
		decode_q(d, w->text);
}

struct slice
encoded_decode(struct arena *a, struct slice value, unsigned *flags_r)
{
	struct decoder d = { .in = value, .out = buf_in(a),
	    .pending = buf_in(a) };
	size_t done = 0;		/* what stands before it is taken */
	bool after_word = false;

	while (d.at < value.len) {
		struct slice gap;
		struct word w;

		d.at += find_pair(slice_after(value, d.at), '=', '?');
		gap = slice_sub(value, done, d.at - done);
		if (d.at >= value.len)
			break;
		if (!find_word(&d, &w)) {
			d.flags |= ENCODED_BROKEN;
			d.at += 2;
			continue;
		}
		if (!after_word || !blank(gap)) {
			flush(&d);
			plain(&d, gap);
		}
		take_word(&d, &w);
		after_word = true;
		d.at = done = d.at + w.len;
	}
	flush(&d);
	plain(&d, slice_after(value, done));
	*flags_r = d.flags;
	return buf_slice(&d.out);
}

const char *
encoded_flag_name(unsigned bit)
{
	static const char *const names[] = {
		"words", "lax", "broken", "charset", "invalid", "8bit",
		"control", "bidi", "unseen", "nested", "cut",
	};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (bit == 1u << i)
			return names[i];
	return NULL;
}
