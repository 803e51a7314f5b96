#include "disclaimer_text.h"

static struct slice
line_at(struct slice text, size_t at, size_t *next_r)
{
	size_t n = slice_find(slice_after(text, at), '\n');
	struct slice line = slice_sub(text, at, n);

	*next_r = at + n + (at + n < text.len);
	if (slice_ends(line, SLICE("\r")))
		line.len--;
	return line;
}

static bool
blank(struct slice line)
{
	return slice_trim(line).len == 0;
}

static bool
quoted(struct slice line)
{
	struct slice s = slice_trim(line);

	return s.len > 0 && s.ptr[0] == '>';
}

/* "Word: something", a word of at most 30 bytes with one blank in it. */
static bool
header_like(struct slice line)
{
	enum { WORD = 30 };
	struct slice s = slice_trim(line), value;
	struct slice name = slice_cut(slice_trim(s), ':', &value);

	while (name.len > 0 && (name.ptr[0] == '*' || name.ptr[0] == '>'))
		name = slice_trim(slice_after(name, 1));
	name = slice_trim(name);
	if (value.ptr == NULL || name.len < 2 || name.len > WORD ||
	    blank(value) || slice_starts(value, SLICE("//")))
		return false;
	for (size_t i = 0, blanks = 0; i < name.len; i++) {
		blanks += ascii_blank(name.ptr[i]);
		if (ascii_digit(name.ptr[i]) || blanks > 1)
			return false;
	}
	return true;
}

/* From, in languages that write ASCII there, and others as UTF-8. */
static bool
says_from(struct slice line)
{
	static const char *const words[] = { "From", "Von", "De", "Da", "Van",
	    "Fra", "Od", "Lahettaja", "Fr\xc3\xa5n", "Fr\xe5n",
	    "L\xc3\xa4hett\xc3\xa4j\xc3\xa4", "L\xe4hett\xe4j\xe4",
	    "Felad\xc3\xb3", "G\xc3\xb6nderen", "Expediteur",
	    "\xd0\x9e\xd1\x82", "\xe5\xb7\xae\xe5\x87\xba\xe4\xba\xba",
	    "\xe5\x8f\x91\xe4\xbb\xb6\xe4\xba\xba" };
	struct slice value, name = slice_cut(slice_trim(line), ':', &value);

	while (name.len > 0 && name.ptr[0] == '*')
		name = slice_after(name, 1);
	name = slice_trim(name);
	for (size_t i = 0; value.ptr != NULL &&
	    i < sizeof words / sizeof *words; i++)
		if (slice_eq_nocase(name, slice_of(words[i])))
			return true;
	return false;
}

/* How many lines like a header's stand at `at`, blank ones before it aside. */
static unsigned
header_lines(struct slice text, size_t at, bool *from_r)
{
	enum { LOOK = 6 };
	unsigned n = 0, blanks = 0;

	*from_r = false;
	while (at < text.len && n < LOOK) {
		size_t next;
		struct slice line = line_at(text, at, &next);

		if (blank(line) && n == 0 && blanks++ == 0) {
			at = next;
			continue;
		}
		if (!header_like(line))
			break;
		if (n++ == 0)
			*from_r = says_from(line);
		at = next;
	}
	return n;
}

/* "Original Message" of "-----Original Message-----"; or nothing. */
static struct slice
between_dashes(struct slice s)
{
	enum { DASHES = 3, LONGEST = 120 };
	size_t lead = 0, tail = 0;

	while (lead < s.len && s.ptr[lead] == '-')
		lead++;
	while (tail < s.len - lead && s.ptr[s.len - 1 - tail] == '-')
		tail++;
	if (lead < DASHES || tail < DASHES || s.len > LONGEST)
		return SLICE("");
	return slice_trim(slice_sub(s, lead, s.len - lead - tail));
}

static bool
underscores(struct slice s)
{
	enum { LINE = 20 };
	size_t n = 0;

	while (n < s.len && s.ptr[n] == '_')
		n++;
	return n == s.len && n >= LINE;
}

/* Does what was written before begin with this line, and is it `next`? */
static bool
separates(struct slice text, struct slice line, size_t at, size_t next)
{
	struct slice s = slice_trim(line), words;
	bool from;

	if (s.len == 0)
		return false;
	words = between_dashes(s);
	/* Zoho: "---- On Mon, 2 Nov, x wrote ----". */
	if (words.len > 0)
		return slice_ends(words, SLICE("wrote")) ||
		    header_lines(text, next, &from) > 0;
	if (s.ptr[0] == '_' && underscores(s))
		return header_lines(text, next, &from) >= 2 && from;
	return says_from(s) && header_lines(text, at, &from) >= 3;
}

/* Who wrote it: an address or a date, and a ':' at the end. */
static bool
attribution(struct slice lines)
{
	enum { DIGITS = 3 };
	struct slice s = slice_trim(lines);
	unsigned digits = 0;
	bool wide = slice_ends(s, SLICE("\xef\xbc\x9a"));

	if (s.len == 0 || (s.ptr[s.len - 1] != ':' && !wide))
		return false;
	for (size_t i = 0; i < s.len; i++)
		digits += ascii_digit(s.ptr[i]);
	return digits >= DIGITS || slice_has(s, '@') ||
	    slice_search(s, SLICE("wrote")) < s.len ||
	    slice_search(s, SLICE("schrieb")) < s.len;
}

/* The last lines before the quote, and where each begins. */
struct before {
	size_t starts[3];		/* the last one first */
	size_t n;
	size_t end;			/* behind them */
	bool closed;			/* blank lines followed */
};

static void
remember(struct before *b, size_t at, size_t next)
{
	if (b->closed)
		*b = (struct before){ .n = 0 };
	b->starts[2] = b->starts[1];
	b->starts[1] = b->starts[0];
	b->starts[0] = at;
	b->n = b->n < 3 ? b->n + 1 : 3;
	b->end = next;
}

static size_t
with_attribution(struct slice text, const struct before *b, size_t quote)
{
	size_t best = quote;

	for (size_t i = 0; i < b->n; i++)
		if (attribution(slice_sub(text, b->starts[i],
		    b->end - b->starts[i])))
			best = b->starts[i];
	return best;
}

/* Behind the last line of text[0, at) that is not blank. */
static size_t
behind_text(struct slice text, size_t at)
{
	size_t end = at, next;

	while (end > 0 && ascii_space(text.ptr[end - 1]))
		end--;
	if (end == 0)
		return 0;
	line_at(text, end, &next);
	return next < at ? next : at;
}

struct text_spot
disclaimer_text_spot(struct slice text, enum disclaimer_place place)
{
	struct text_spot spot = { .at = text.len };
	struct before before = { .n = 0 };
	size_t quote = SIZE_MAX, signature = SIZE_MAX, first, next;

	first = slice_find(text, '\n');
	spot.lf = first < text.len && (first == 0 ||
	    text.ptr[first - 1] != '\r');
	if (place == DISCLAIMER_TOP) {
		spot.at = 0;
		return spot;
	}
	for (size_t at = 0; at < text.len; at = next) {
		struct slice line = line_at(text, at, &next);

		if (place == DISCLAIMER_REPLY &&
		    separates(text, line, at, next)) {
			if (quote == SIZE_MAX)
				quote = at;
			break;
		}
		if (slice_eq(line, SLICE("-- ")))
			signature = at;
		if (blank(line)) {
			before.closed = true;
		} else if (quoted(line)) {
			if (quote == SIZE_MAX)
				quote = with_attribution(text, &before, at);
		} else {
			quote = SIZE_MAX;
			remember(&before, at, next);
		}
	}
	if (place == DISCLAIMER_REPLY && quote != SIZE_MAX)
		spot.at = quote;
	spot.at = behind_text(text, spot.at);
	spot.signature = signature < spot.at;
	return spot;
}

enum disclaimer_done
disclaimer_pgp(struct slice text)
{
	static const struct slice mark = { "-----BEGIN PGP ", 15 };
	size_t at = 0;

	while ((at += slice_search(slice_after(text, at), mark)) < text.len) {
		struct slice rest = slice_after(text, at + mark.len);

		/* Quoted ones, behind '>', are of another message. */
		if (at == 0 || text.ptr[at - 1] == '\n') {
			if (slice_starts(rest, SLICE("MESSAGE-----")))
				return DISCLAIMER_ENCRYPTED;
			if (slice_starts(rest, SLICE("SIGNED MESSAGE-----")))
				return DISCLAIMER_SIGNED;
		}
		at += mark.len;
	}
	return DISCLAIMER_ADDED;
}
