#include "detect/find.h"

#include <string.h>

#include "detect/block.h"
#include "detect/card.h"
#include "detect/iban.h"
#include "detect/national.h"
#include "detect/run.h"

/* How far back a group, a link or the name in an address may begin. */
enum { GROUP = 32, TOKEN = 256, LOCAL = 64, DOMAIN = 253, BIC_FAR = 24,
    DIGITS = 7, LETTERS = 3, INITIALS = 6, NEAR = 9, ENOUGH = 6 };

static const char *const card_words[] = { "card", "cards", "kreditkarte",
    "karte", "kartennummer", "carte", "tarjeta", "carta", "kort", "kortti",
    "karta", "visa", "mastercard", "maestro", "amex", "diners", "discover",
    "uatp", "cvv", "cvc", "pan", NULL };

void
find_begin(struct finder *f, struct slice text, unsigned what)
{
	*f = (struct finder){ .text = text, .what = what,
	    .pause = text.len };
	if (what & (FIND_CARD | FIND_IBAN | FIND_NATIONAL))
		f->kinds |= BLOCK_NUMBER;
	if (what & FIND_ADDRESS)
		f->kinds |= BLOCK_ADDRESS;
	if (what & FIND_BIC)
		f->kinds |= BLOCK_BANK;
}

static bool
hit(struct finder *f, struct find_hit *hit_r, enum find_what what,
    const char *name, size_t at, size_t end, struct slice value)
{
	hit_r->what = what;
	hit_r->name = name;
	hit_r->at = at;
	hit_r->len = end - at;
	hit_r->nvalue = value.len < FIND_VALUE ? value.len : FIND_VALUE;
	memcpy(hit_r->value, value.ptr, hit_r->nvalue);
	f->pos = f->done = end;
	return true;
}

/* Part of a link or of an address of mail, where long numbers are names. */
static bool
in_link(struct slice text, size_t at, size_t end)
{
	size_t from = at, to = end;
	struct slice token;

	while (from > 0 && at - from < TOKEN &&
	    strchr(" \t\r\n\"'<>()", text.ptr[from - 1]) == NULL)
		from--;
	while (to < text.len && to - end < TOKEN &&
	    strchr(" \t\r\n\"'<>()", text.ptr[to]) == NULL)
		to++;
	token = slice_sub(text, from, to - from);
	return slice_search(token, SLICE("://")) < at - from ||
	    slice_starts_nocase(token, SLICE("www.")) ||
	    (slice_has(token, '&') && slice_has(token, '=')) ||
	    slice_find(token, '@') < token.len;
}

/* A telephone number, a decimal fraction or a name with a number in it. */
static bool
led_by(struct slice text, size_t at)
{
	char before = at > 0 ? text.ptr[at - 1] : ' ';

	return before == '+' || before == '_' ||
	    (unsigned char)before >= 0x80 ||
	    (before == '.' && at > 1 && ascii_digit(text.ptr[at - 2]));
}

/* How cards are printed, and how their numbers are broken. */
static bool
card_layout(const unsigned char *groups, size_t n)
{
	static const char *const layouts[] = { "\4\4\4\4", "\4\6\5", "\4\6\4",
	    "\4\4\4\4\3", "\6\15", "\4\4\4\4\2", "\4\4\4\4\1", "\4\4\5",
	    "\4\4\4", "\4\4\4\3", "\4\4\4\2" };

	for (size_t i = 0; i < sizeof layouts / sizeof layouts[0]; i++)
		if (strlen(layouts[i]) == n &&
		    memcmp(layouts[i], groups, n) == 0)
			return true;
	return n == 1;
}

/* One digit a group, from the first such group to the last. */
static bool
card_spaced(struct slice text, size_t at, const struct run *run, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (run->groups[i] != 1)
			return false;
	if (n < run->n && run->gap[n - 1] != GAP_END &&
	    run->gap[n] != GAP_NONE)
		return false;
	return at < 2 || !ascii_digit(text.ptr[at - 2]) ||
	    (at > 2 && ascii_alnum(text.ptr[at - 3]));
}

/* Broken once by a line's end, in running text: a column of numbers would
 * begin a line, or end one. */
static bool
card_broken(struct slice text, size_t at, const struct run *run, size_t n,
    size_t ngroups)
{
	size_t end = run->end[n - 1], lines = 0;

	for (size_t i = 0; i + 1 < n; i++)
		lines += run->gap[i] == GAP_LINE;
	return ngroups == 2 && lines == 1 &&
	    ((at > 0 && !strchr("\r\n>", text.ptr[at - 1])) ||
	    (end < text.len && !strchr("\r\n", text.ptr[end])));
}

static bool
card_at(struct finder *f, size_t at, const struct run *run,
    struct find_hit *hit_r)
{
	const struct card_issuer *issuer;

	for (size_t n = CARD_MAX; n >= CARD_MIN; n--) {
		size_t count, end;

		if (n > run->digits || (count = run_groups(run, n)) == 0 ||
		    (issuer = card_issuer(run->c, n)) == NULL)
			continue;
		end = run->end[n - 1];
		if (led_by(f->text, at) || in_link(f->text, at, end))
			continue;
		if ((card_bare(issuer, n) && run_same(run, n) &&
		    (card_layout(run->groups, count) ||
		    card_spaced(f->text, at, run, count) ||
		    card_broken(f->text, at, run, n, count))) ||
		    run_near(f->text, at, end, card_words))
			return hit(f, hit_r, FIND_CARD, card_name(issuer), at,
			    end, slice_make(run->c, n));
	}
	return false;
}

static bool
iban_at(struct finder *f, size_t at, const struct run *run,
    struct find_hit *hit_r)
{
	size_t skip = run->n > 4 && memcmp(run->c, "IBAN", 4) == 0 ? 4 : 0;
	size_t n;

	if (run->n < skip + IBAN_MIN || !ascii_digit(run->c[skip + 2]) ||
	    (n = iban_length(run->c + skip)) == 0 || skip + n > run->n ||
	    run_groups(run, skip + n) == 0 ||
	    !iban_valid(run->c + skip, n))
		return false;
	return hit(f, hit_r, FIND_IBAN, "iban", at, run->end[skip + n - 1],
	    slice_make(run->c + skip, n));
}

/* Of those that n characters may be, one that a word near names; else the
 * first that needs none. */
static const struct national *
national_of(const struct finder *f, size_t at, const struct run *run,
    size_t n, size_t ngroups)
{
	const unsigned char *groups = run->groups;
	const struct national *kind = NULL, *bare = NULL;
	size_t end = run->end[n - 1];

	while ((kind = national_next(kind, run->c, n, groups, ngroups)) !=
	    NULL) {
		if (led_by(f->text, at) || in_link(f->text, at, end))
			return NULL;
		if (run_near(f->text, at, end, national_words(kind)))
			return kind;
		if (bare == NULL && national_bare(kind, groups, ngroups))
			bare = kind;
	}
	return bare;
}

static bool
national_at_run(struct finder *f, size_t at, const struct run *run,
    struct find_hit *hit_r)
{
	const struct national *kind;
	size_t count;

	for (size_t n = NATIONAL_MAX; n >= NATIONAL_MIN; n--) {
		count = run_groups(run, n);
		if (count == 0 || count > NATIONAL_GROUPS)
			continue;
		kind = national_of(f, at, run, n, count);
		if (kind != NULL)
			return hit(f, hit_r, FIND_NATIONAL,
			    national_name(kind), at, run->end[n - 1],
			    slice_make(run->c, n));
	}
	return false;
}

/* What begins with a digit has at least seven before its third letter, in all
 * that we know; so most groups need no closer look. */
static bool
digits_enough(struct slice text, size_t at)
{
	unsigned digits = 0, letters = 0;

	for (; at < text.len && digits < DIGITS && letters < LETTERS; at++) {
		char c = text.ptr[at];

		if (ascii_digit(c))
			digits++;
		else if (ascii_alpha(c))
			letters++;
		else if (!run_gap(c))
			return false;
	}
	return digits == DIGITS;
}

/* What begins with a letter has six digits among its first nine characters, or
 * six letters to begin with, or two digits behind two (an IBAN's). */
static bool
begins_well(struct slice text, size_t at)
{
	char c[NEAR];
	size_t n = 0, digits = 0, initials = 0;

	for (; at < text.len && n < NEAR; at++) {
		if (ascii_alnum(text.ptr[at])) {
			c[n] = ascii_lower(text.ptr[at]);
			digits += ascii_digit(text.ptr[at]);
			initials += n == initials && ascii_alpha(text.ptr[at]);
			n++;
		} else if (!run_gap(text.ptr[at])) {
			break;
		}
	}
	return digits >= ENOUGH || initials >= INITIALS || (n == NEAR &&
	    (memcmp(c, "iban", 4) == 0 || (ascii_digit(c[2]) &&
	    ascii_digit(c[3]))));
}

static bool
number_at(struct finder *f, size_t at, struct find_hit *hit_r)
{
	struct run run;

	if (ascii_digit(f->text.ptr[at]) ? !digits_enough(f->text, at) :
	    !begins_well(f->text, at))
		return false;

	/* Only an IBAN is longer than a card, and begins with a letter. */
	run_read(f->text, at, ascii_digit(f->text.ptr[at]) ? CARD_MAX + 2 :
	    RUN_MAX, &run);
	if (run.n < NATIONAL_MIN)
		return false;
	return ((f->what & FIND_IBAN) != 0 && ascii_alpha(run.c[0]) &&
	    iban_at(f, at, &run, hit_r)) ||
	    ((f->what & FIND_CARD) != 0 && ascii_digit(run.c[0]) &&
	    card_at(f, at, &run, hit_r)) ||
	    ((f->what & FIND_NATIONAL) != 0 &&
	    national_at_run(f, at, &run, hit_r));
}

static size_t
group_start(const struct finder *f, size_t at)
{
	size_t from = at;

	while (from > f->done && at - from < GROUP &&
	    ascii_alnum(f->text.ptr[from - 1]))
		from--;
	return from;
}

/* A group of one to three letters right before: "X 1234567 L", "DE 89". */
static size_t
letters_before(const struct finder *f, size_t at)
{
	size_t from, i;

	if (at < f->done + 2 || ascii_alnum(f->text.ptr[at - 1]) ||
	    !ascii_alpha(f->text.ptr[at - 2]))
		return at;
	from = group_start(f, at - 1);
	if (at - 1 - from > 3)
		return at;
	for (i = from; i < at - 1; i++)
		if (!ascii_alpha(f->text.ptr[i]))
			return at;
	return from;
}

/* At a digit: what begins in this group, or in letters before it. */
static bool
number(struct finder *f, struct find_hit *hit_r)
{
	size_t at = group_start(f, f->pos);
	size_t before = letters_before(f, at);
	size_t first = before < at ? letters_before(f, before) : before;

	if ((first < before && number_at(f, first, hit_r)) ||
	    (before < at && number_at(f, before, hit_r)) ||
	    number_at(f, at, hit_r))
		return true;
	while (f->pos < f->text.len && ascii_alnum(f->text.ptr[f->pos]))
		f->pos++;
	return false;
}

static bool
atext(char c)
{
	return ascii_alnum(c) || (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~.",
	    c) != NULL) || (unsigned char)c >= 0x80;
}

static bool
address(struct finder *f, struct find_hit *hit_r)
{
	size_t from = f->pos, to = f->pos + 1, dot = 0;
	char low[FIND_VALUE];

	while (from > f->done && f->pos - from < LOCAL &&
	    atext(f->text.ptr[from - 1]))
		from--;
	for (; to < f->text.len && to - f->pos <= DOMAIN &&
	    (ascii_alnum(f->text.ptr[to]) || f->text.ptr[to] == '-' ||
	    f->text.ptr[to] == '.' || (unsigned char)f->text.ptr[to] >= 0x80);
	    to++)
		if (f->text.ptr[to] == '.' && to > f->pos + 1)
			dot = to;
	/* The dot at a sentence's end is not the domain's. */
	while (to > f->pos + 1 && strchr(".-", f->text.ptr[to - 1]) != NULL)
		to--;
	if (from == f->pos || dot == 0 || dot + 2 >= to) {
		f->pos++;
		return false;
	}
	for (size_t i = from; i < to; i++)
		low[i - from] = ascii_lower(f->text.ptr[i]);
	return hit(f, hit_r, FIND_ADDRESS, "address", from, to,
	    slice_make(low, to - from));
}

/* Behind the word: signs and small words, then a code in capitals. */
static bool
bank(struct finder *f, size_t behind, struct find_hit *hit_r)
{
	struct slice text = f->text;
	size_t far = behind + BIC_FAR < text.len ? behind + BIC_FAR : text.len;

	for (size_t at = behind, to; at < far; at = to + 1) {
		for (to = at; to < text.len && to - at < 12 &&
		    ascii_alnum(text.ptr[to]); to++)
			if (text.ptr[to] >= 'a')
				break;
		if ((to == text.len || !ascii_alnum(text.ptr[to])) &&
		    bic_valid(text.ptr + at, to - at))
			return hit(f, hit_r, FIND_BIC, "bic", at, to,
			    slice_make(text.ptr + at, to - at));
		while (to < far && ascii_alnum(text.ptr[to]))
			to++;
	}
	return false;
}

static bool
word_at(struct slice text, size_t at, struct slice word)
{
	return (at == 0 || !ascii_alnum(text.ptr[at - 1])) &&
	    slice_eq_nocase(slice_sub(text, at, word.len), word) &&
	    (at + word.len >= text.len ||
	    !ascii_alpha(text.ptr[at + word.len]));
}

static bool
bank_word(struct finder *f, struct find_hit *hit_r)
{
	size_t at = f->pos++;

	if (word_at(f->text, at, SLICE("BIC")))
		return bank(f, at + 3, hit_r);
	if (at > 0 && word_at(f->text, at - 1, SLICE("SWIFT")))
		return bank(f, at + 4, hit_r);
	return false;
}

/* Of the b's and w's that begin none of these words nearly all are told by the
 * letter beside them. */
static bool
idle(struct slice text, size_t at)
{
	switch (text.ptr[at] | 0x20) {
	case 'b':
		return at + 1 == text.len || (text.ptr[at + 1] | 0x20) != 'i';
	case 'w':
		return at == 0 || (text.ptr[at - 1] | 0x20) != 's';
	default:
		return false;
	}
}

/* What a hit can be known by: a digit, '@', the b of BIC, the w of SWIFT. The
 * next of these from pos on, or the end. */
static size_t
next_mark(struct finder *f)
{
	size_t at = f->pos / BLOCK * BLOCK, pos;

	for (;; at += BLOCK) {
		if (at >= f->text.len)
			return f->text.len;
		if (f->marked != at + 1) {
			f->marks = block_marks(f->text, at, f->kinds);
			f->marked = at + 1;
		}
		if (f->pos > at)
			f->marks &= ~UINT64_C(0) << (f->pos - at);
		while (f->marks != 0) {
			pos = at + (size_t)__builtin_ctzll(f->marks);
			if (!idle(f->text, pos))
				return pos;
			f->marks &= f->marks - 1;
		}
		if (at + BLOCK >= f->pause)
			return at + BLOCK < f->text.len ? at + BLOCK :
			    f->text.len;
	}
}

bool
find_next(struct finder *f, struct find_hit *hit_r)
{
	while (f->pos < f->pause && f->pos < f->text.len) {
		char c;

		f->pos = next_mark(f);
		if (f->pos >= f->pause || f->pos >= f->text.len)
			break;
		c = f->text.ptr[f->pos];
		if (c == '@' ? address(f, hit_r) :
		    ascii_digit(c) ? number(f, hit_r) : bank_word(f, hit_r))
			return true;
	}
	return false;
}

struct slice
find_mask(const struct find_hit *hit, char out[FIND_VALUE])
{
	size_t shown = hit->nvalue > 8 ? 4 : 0, from = 0;
	struct slice value = slice_make(hit->value, hit->nvalue);

	if (hit->what == FIND_ADDRESS) {
		from = 1;
		shown = value.len - slice_find(value, '@');
	}
	memcpy(out, hit->value, hit->nvalue);
	for (size_t i = from; i + shown < hit->nvalue; i++)
		out[i] = '*';
	return slice_make(out, hit->nvalue);
}
