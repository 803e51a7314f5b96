#include "rules_need.h"

#include <string.h>

enum { DEPTH = 10, WORDS = 40, LONG = 24, LEAST = 3 };

struct needed {
	struct needed *next;		/* with the same head */
	unsigned three;
	unsigned rule;
	struct slice word;		/* small letters */
};

/* One of these stands in whatever matches; none: nothing is known. */
struct one_of {
	struct slice word[WORDS];
	unsigned n;
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
	if (shortest(s) >= LEAST && shortest(s) > shortest(best))
		*best = *s;
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

/* What stands behind an atom: how often it is there at least. *once_r: it is
 * there once, and what follows stands right behind it. */
static unsigned
times(struct pattern *p, bool *once_r)
{
	unsigned least = 1;

	*once_r = false;
	if (next_is(p, '?') || next_is(p, '*')) {
		least = 0;
	} else if (next_is(p, '{')) {
		least = number(p);
		if (next_is(p, ',') && p->rest.len > 0 &&
		    p->rest.ptr[0] != '}')
			number(p);
		p->odd |= !next_is(p, '}');
	} else if (!next_is(p, '+')) {
		*once_r = true;
		return 1;
	}
	if (!next_is(p, '?'))
		next_is(p, '+');
	return least;
}

/* [...], behind the bracket. */
static void
pass_class(struct pattern *p)
{
	bool first = true;

	next_is(p, '^');
	for (; p->rest.len > 0 && (first || p->rest.ptr[0] != ']');
	    first = false) {
		size_t n = p->rest.ptr[0] == '\\' && p->rest.len > 1 ? 2 : 1;

		/* [:alpha:], \Q and \x{5d}: not worth to be understood. */
		p->odd |= p->rest.ptr[0] == '[' || (n == 2 &&
		    ascii_alnum(p->rest.ptr[1]) &&
		    strchr("dDsSwW", p->rest.ptr[1]) == NULL);
		p->rest = slice_after(p->rest, n);
	}
	p->odd |= !next_is(p, ']');
}

/* The letter that an atom is; NUL: it is another kind, and is passed. */
static char
letter(struct pattern *p)
{
	char c = p->rest.ptr[0];

	p->rest = slice_after(p->rest, 1);
	if (c == '[') {
		pass_class(p);
		return '\0';
	}
	if (c == '.' || c == '^' || c == '$')
		return '\0';
	if (c == '\\' && p->rest.len > 0) {
		c = p->rest.ptr[0];
		p->rest = slice_after(p->rest, 1);
		if (ascii_alnum(c)) {
			p->odd |= strchr("bBdDsSwW", c) == NULL;
			return '\0';
		}
	} else {
		p->odd |= strchr("\\{}?*+()|", c) != NULL;
	}
	p->odd |= c < ' ' || c >= 0x7f;
	return ascii_lower(c);
}

static struct one_of either(struct pattern *p);

static void
end_run(struct pattern *p, struct one_of *best, char *run, size_t *n)
{
	struct one_of word = { .n = 1 };

	word.word[0] = slice_make(run, *n);
	if (*n >= LEAST && shortest(best) < *n) {
		word.word[0] = arena_copy(p->a, word.word[0]);
		take_better(best, &word);
	}
	*n = 0;
}

static void
group(struct pattern *p, struct one_of *best)
{
	struct one_of inside;
	bool once;

	if (next_is(p, '?'))
		p->odd |= !next_is(p, ':');
	else
		p->odd |= p->rest.len > 0 && p->rest.ptr[0] == '*';
	p->odd |= p->depth >= DEPTH;
	if (p->odd)
		return;
	p->depth++;
	inside = either(p);
	p->depth--;
	p->odd |= !next_is(p, ')');
	if (times(p, &once) > 0)
		take_better(best, &inside);
}

/* Atom behind atom, up to '|' or ')'. */
static struct one_of
row(struct pattern *p)
{
	struct one_of best = { .n = 0 };
	char run[LONG];
	size_t n = 0;

	while (!p->odd && p->rest.len > 0 && p->rest.ptr[0] != '|' &&
	    p->rest.ptr[0] != ')') {
		bool once = false;
		unsigned least;
		char c;

		if (next_is(p, '(')) {
			end_run(p, &best, run, &n);
			group(p, &best);
			continue;
		}
		c = letter(p);
		least = times(p, &once);
		if (c != '\0' && least > 0 && n < LONG)
			run[n++] = c;
		if (c == '\0' || !once || n == LONG)
			end_run(p, &best, run, &n);
	}
	end_run(p, &best, run, &n);
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
		for (unsigned i = 0; i < more.n && !any; i++)
			all.word[all.n++] = more.word[i];
	}
	if (any)
		all.n = 0;
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

	if (p.odd || p.rest.len > 0 || all.n == 0) {
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
