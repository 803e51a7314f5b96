#include "rules_need.h"

#include <string.h>

enum { DEPTH = 8, WORDS = 64, LONG = 40, LEAST = 3, SIGNS = 4 };

struct needed {
	struct needed *next;		/* with the same head */
	unsigned three;
	unsigned rule;
	struct slice word;		/* small letters */
};

/* One of these stands in whatever matches; none: nothing is known. Exact:
 * nothing else matches, but for what has no width. */
struct one_of {
	struct slice word[WORDS];
	unsigned n;
	bool exact;
};

struct pattern {
	struct slice rest;
	struct arena *a;
	unsigned depth;
	bool odd;			/* something that is not read here */
};

/* ---- what a pattern needs ---- */

/* What any link has says nothing. */
static size_t
worth(struct slice word)
{
	return slice_starts(SLICE("https://"), word) ||
	    slice_eq(word, SLICE("://")) ? 0 : word.len;
}

static size_t
shortest(const struct one_of *s)
{
	size_t least = s->n == 0 ? 0 : SIZE_MAX;

	for (unsigned i = 0; i < s->n; i++)
		if (worth(s->word[i]) < least)
			least = worth(s->word[i]);
	return least;
}

/* The longer they are, the seldomer they stand in a text. */
static void
take_better(struct one_of *best, const struct one_of *s)
{
	if (shortest(s) >= LEAST && shortest(s) > shortest(best)) {
		*best = *s;
		best->exact = false;
	}
}

static const struct one_of empty = { .word = { SLICE("") }, .n = 1,
    .exact = true };

/* Each of `run` with each of `more` behind it; false: too many, or too long,
 * and nothing is done. */
static bool
append(struct arena *a, struct one_of *run, const struct one_of *more)
{
	struct one_of all = { .n = 0, .exact = true };

	if (run->n * more->n > WORDS)
		return false;
	for (unsigned i = 0; i < run->n; i++)
		for (unsigned k = 0; k < more->n; k++) {
			if (run->word[i].len + more->word[k].len > LONG)
				return false;
			all.word[all.n++] = arena_printf(a, "%.*s%.*s",
			    SLICE_ARG(run->word[i]), SLICE_ARG(more->word[k]));
		}
	*run = all;
	return true;
}

static bool
next_is(struct pattern *p, char c)
{
	if (p->rest.len == 0 || p->rest.ptr[0] != c)
		return false;
	p->rest = slice_after(p->rest, 1);
	return true;
}

static unsigned
number(struct pattern *p)
{
	unsigned n = 0;

	p->odd |= p->rest.len == 0 || !ascii_digit(p->rest.ptr[0]);
	for (; p->rest.len > 0 && ascii_digit(p->rest.ptr[0]);
	    p->rest = slice_after(p->rest, 1))
		n = n < 1000 ? n * 10 + (unsigned)(p->rest.ptr[0] - '0') : n;
	return n;
}

/* How often an atom is there: once, perhaps once, once and more, any. */
enum times { ONCE, PERHAPS, SOME, ANY };

static enum times
times(struct pattern *p)
{
	enum times how;

	if (next_is(p, '?')) {
		how = PERHAPS;
	} else if (next_is(p, '*')) {
		how = ANY;
	} else if (next_is(p, '{')) {
		how = number(p) > 0 ? SOME : ANY;
		if (next_is(p, ',') && p->rest.len > 0 &&
		    p->rest.ptr[0] != '}')
			number(p);
		p->odd |= !next_is(p, '}');
	} else if (next_is(p, '+')) {
		how = SOME;
	} else {
		return ONCE;
	}
	if (!next_is(p, '?'))
		next_is(p, '+');
	return how;
}

/* One sign of a class; *single_r: it stands for itself. */
static char
class_sign(struct pattern *p, bool *single_r)
{
	char c = p->rest.ptr[0];
	size_t n = c == '\\' && p->rest.len > 1 ? 2 : 1;

	/* [:alpha:], \Q and \x{5d}: not worth to be understood. */
	p->odd |= c == '[';
	if (n == 2) {
		c = p->rest.ptr[1];
		p->odd |= ascii_alnum(c) && strchr("dDsSwW", c) == NULL;
		*single_r = !ascii_alnum(c);
	} else {
		*single_r = c >= ' ' && c < 0x7f;
	}
	p->rest = slice_after(p->rest, n);
	return ascii_lower(c);
}

/* [...], behind the bracket: of few signs they are what is there. */
static struct one_of
class_of(struct pattern *p)
{
	struct one_of all = { .exact = !next_is(p, '^') };
	bool first = true;

	for (; p->rest.len > 0 && (first || p->rest.ptr[0] != ']');
	    first = false) {
		bool single, dash = p->rest.ptr[0] == '-' && !first &&
		    p->rest.len > 1 && p->rest.ptr[1] != ']';
		char c = class_sign(p, &single);

		all.exact = all.exact && single && !dash && all.n < SIGNS;
		if (all.exact)
			all.word[all.n++] = arena_copy(p->a,
			    slice_make(&c, 1));
	}
	p->odd |= !next_is(p, ']');
	return all;
}

static struct one_of
backslash(struct pattern *p)
{
	struct one_of is = empty;
	char c = p->rest.len > 0 ? p->rest.ptr[0] : '\0';

	p->odd |= c < ' ' || c >= 0x7f || (ascii_alnum(c) &&
	    strchr("bBdDsSwW", c) == NULL);
	p->rest = slice_after(p->rest, 1);
	if (!ascii_alnum(c))
		is.word[0] = arena_copy(p->a, slice_make(&c, 1));
	else
		is.exact = c == 'b' || c == 'B';
	return is;
}

static struct one_of either(struct pattern *p);

static struct one_of
group(struct pattern *p)
{
	struct one_of inside = { .n = 0 };

	if (next_is(p, '?'))
		p->odd |= !next_is(p, ':');
	else
		p->odd |= p->rest.len > 0 && p->rest.ptr[0] == '*';
	p->odd |= p->depth >= DEPTH;
	if (p->odd)
		return inside;
	p->depth++;
	inside = either(p);
	p->depth--;
	p->odd |= !next_is(p, ')');
	return inside;
}

static struct one_of
atom(struct pattern *p)
{
	struct one_of is = empty;
	char c = p->rest.ptr[0];

	p->rest = slice_after(p->rest, 1);
	switch (c) {
	case '(':
		return group(p);
	case '[':
		return class_of(p);
	case '\\':
		return backslash(p);
	case '.':
		is.exact = false;
		is.n = 0;
		return is;
	case '^': case '$':
		return is;
	default:
		p->odd |= c < ' ' || c >= 0x7f || strchr("{}?*+", c) != NULL;
		c = ascii_lower(c);
		is.word[0] = arena_copy(p->a, slice_make(&c, 1));
		return is;
	}
}

/* What stands behind the run: it goes on, or ends, and another one begins. */
static void
go_on(struct pattern *p, struct one_of *run, struct one_of *best,
    struct one_of *is, enum times how)
{
	bool longer;

	if (how == PERHAPS && is->n == WORDS)
		how = ANY;
	if (how == PERHAPS && is->exact)
		is->word[is->n++] = SLICE("");
	longer = is->exact && how != ANY && append(p->a, run, is);
	if (longer && how != SOME)
		return;
	take_better(best, run);
	if (!longer && (how == ONCE || how == SOME))
		take_better(best, is);
	*run = !longer && is->exact && how == ONCE ? *is : empty;
	best->exact = false;
}

/* Atom behind atom, up to '|' or ')'. */
static struct one_of
row(struct pattern *p)
{
	struct one_of run = empty, best = { .exact = true };

	while (!p->odd && p->rest.len > 0 && p->rest.ptr[0] != '|' &&
	    p->rest.ptr[0] != ')') {
		struct one_of is = atom(p);

		go_on(p, &run, &best, &is, times(p));
	}
	if (best.exact)
		return run;
	take_better(&best, &run);
	return best;
}

static struct one_of
either(struct pattern *p)
{
	struct one_of all = row(p);
	bool any = all.n == 0;

	while (!p->odd && next_is(p, '|')) {
		struct one_of more = row(p);

		any = any || more.n == 0 || all.n + more.n > WORDS;
		all.exact = all.exact && more.exact;
		for (unsigned i = 0; i < more.n && !any; i++)
			all.word[all.n++] = more.word[i];
	}
	if (any)
		all = (struct one_of){ .n = 0 };
	return all;
}

/* ---- the words of all ---- */

/* Five bits of a byte, alike for both cases of a letter. */
static unsigned
five(char c)
{
	return (unsigned char)c & 31;
}

static unsigned
three(const char *s)
{
	return five(s[0]) << 10 | five(s[1]) << 5 | five(s[2]);
}

static void
set(uint64_t *bits, unsigned at)
{
	bits[at / 64] |= UINT64_C(1) << at % 64;
}

void
needs_add(struct needs *n, struct arena *a, unsigned rule,
    struct slice pattern)
{
	struct pattern p = { .rest = pattern, .a = a };
	struct one_of all = either(&p);

	if (p.odd || p.rest.len > 0 || shortest(&all) < LEAST) {
		set(n->any, rule);
		return;
	}
	for (unsigned i = 0; i < all.n; i++) {
		struct needed *need = arena_alloc(a, sizeof *need);
		unsigned at = three(all.word[i].ptr);
		struct needed **head = &n->heads[at % NEEDS_HEADS];

		*need = (struct needed){ .next = *head, .three = at,
		    .rule = rule, .word = all.word[i] };
		*head = need;
		set(n->threes, at);
	}
}

static void
look_at(const struct needs *n, unsigned at, struct slice text,
    uint64_t *may_r)
{
	for (const struct needed *need = n->heads[at % NEEDS_HEADS];
	    need != NULL; need = need->next)
		if (need->three == at && slice_starts_nocase(text,
		    need->word))
			set(may_r, need->rule);
}

/* Without letter case, PCRE2 takes these two for k and s. */
static bool
odd_letters(struct slice text)
{
	return (slice_has(text, '\xe2') &&
	    slice_search(text, SLICE("\xe2\x84\xaa")) < text.len) ||
	    (slice_has(text, '\xc5') &&
	    slice_search(text, SLICE("\xc5\xbf")) < text.len);
}

void
needs_look(const struct needs *n, struct slice text,
    uint64_t may_r[NEEDS_WORDS])
{
	unsigned at = 0;

	if (odd_letters(text)) {
		memset(may_r, 0xff, sizeof n->any);
		return;
	}
	memcpy(may_r, n->any, sizeof n->any);
	for (size_t i = 0; i < text.len; i++) {
		at = (at << 5 | five(text.ptr[i])) & 0x7fff;
		if ((n->threes[at / 64] >> at % 64 & 1) != 0 && i >= 2)
			look_at(n, at, slice_after(text, i - 2), may_r);
	}
}
