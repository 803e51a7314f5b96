#define PCRE2_CODE_UNIT_WIDTH 8
#include "match.h"

#include <pcre2.h>
#include <string.h>

#include "base/buf.h"
#include "text/address.h"

enum { MANY = 8 };			/* patterns that deserve a map */

const char *const pattern_names[] = { "exact", "prefix", "suffix", "contains",
    "wildcard", "domain", "regex", NULL };

/* ---- loading ---- */

static void
free_code(void *code)
{
	pcre2_code_free(code);
}

static struct slice
regex_fault(struct arena *a, int error, size_t at)
{
	char text[200];

	if (pcre2_get_error_message(error, (PCRE2_UCHAR *)text,
	    sizeof text) < 0)
		return SLICE("regex cannot be compiled");
	return arena_printf(a, "regex has an error at byte %zu: %s", at, text);
}

static enum rc
compile(struct arena *a, struct pattern *p, bool case_sensitive,
    struct slice *why_r)
{
	uint32_t options = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF |
	    PCRE2_NEVER_BACKSLASH_C |
	    (case_sensitive ? 0 : PCRE2_CASELESS);
	int error;
	size_t at;

	p->code = pcre2_compile((PCRE2_SPTR)p->text.ptr, p->text.len, options,
	    &error, &at, NULL);
	if (p->code == NULL) {
		*why_r = regex_fault(a, error, at);
		return RC_BAD;
	}
	arena_defer(a, free_code, p->code);
	/* Where memory may not be made executable the interpreter does it. */
	pcre2_jit_compile(p->code, PCRE2_JIT_COMPLETE);
	return RC_OK;
}

/* A-labels, with its leading dot. */
static enum rc
domain_pattern(struct arena *a, struct pattern *p, struct slice *why_r)
{
	bool below = slice_starts(p->text, SLICE("."));
	struct slice ascii;

	if (!domain_ascii(a, slice_after(p->text, below), &ascii)) {
		*why_r = arena_printf(a, "\"%.*s\" is no domain; write it as "
		    "\"example.org\", or \".example.org\" for all below it",
		    SLICE_ARG(p->text));
		return RC_BAD;
	}
	p->text = below ? arena_printf(a, ".%.*s", SLICE_ARG(ascii)) : ascii;
	return RC_OK;
}

static struct slice
lowered(struct arena *a, struct slice s)
{
	char *low = arena_str(a, s);

	for (size_t i = 0; i < s.len; i++)
		low[i] = ascii_lower(s.ptr[i]);
	return slice_make(low, s.len);
}

enum rc
match_add(struct match *m, struct arena *a, enum pattern_kind kind,
    struct slice text, struct slice *why_r)
{
	struct pattern *p;

	if (text.len > MATCH_PATTERN) {
		*why_r = arena_printf(a, "a pattern of %zu bytes; it wants at "
		    "most %d", text.len, MATCH_PATTERN);
		return RC_BAD;
	}
	if (text.len == 0 && kind != PATTERN_EXACT) {
		*why_r = arena_printf(a, "%s is empty, and would fit "
		    "everything; leave it out", pattern_names[kind]);
		return RC_BAD;
	}
	if (m->n == m->cap) {
		struct pattern *more = arena_array(a, m->cap * 2 + 4,
		    sizeof *more);

		if (m->n > 0)
			memcpy(more, m->patterns, m->n * sizeof *more);
		m->patterns = more;
		m->cap = m->cap * 2 + 4;
	}
	p = &m->patterns[m->n++];
	*p = (struct pattern){ .kind = kind };
	p->text = kind == PATTERN_REGEX || m->case_sensitive ?
	    arena_copy(a, text) : lowered(a, text);
	if (kind == PATTERN_REGEX)
		return compile(a, p, m->case_sensitive, why_r);
	return kind == PATTERN_DOMAIN ? domain_pattern(a, p, why_r) : RC_OK;
}

static void
drop_map(void *map)
{
	map_free(map);
}

/* One key space: "=text" for an exact one, "@domain" for a domain. */
static struct slice
map_key(struct arena *a, char kind, struct slice text)
{
	struct buf key = buf_in(a);

	buf_addc(&key, kind);
	buf_add(&key, text);
	return buf_slice(&key);
}

static bool
mapped(const struct pattern *p)
{
	return p->kind == PATTERN_EXACT || p->kind == PATTERN_DOMAIN;
}

void
match_ready(struct match *m, struct arena *a)
{
	size_t n = 0;

	for (size_t i = 0; i < m->n; i++)
		n += mapped(&m->patterns[i]);
	if (n <= MANY)
		return;
	m->exact = map_new();
	arena_defer(a, drop_map, m->exact);
	for (size_t i = 0; i < m->n; i++)
		if (mapped(&m->patterns[i]))
			map_put(m->exact, map_key(a, m->patterns[i].kind ==
			    PATTERN_EXACT ? '=' : '@', m->patterns[i].text),
			    m);
}

/* ---- matching ---- */

static void
free_matcher(void *arg)
{
	struct matcher *w = arg;

	pcre2_match_data_free(w->data);
	pcre2_match_context_free(w->context);
}

void
matcher_init(struct matcher *w, struct arena *a, deadline_t deadline)
{
	*w = (struct matcher){ .arena = a, .deadline = deadline };
	arena_defer(a, free_matcher, w);
}

static bool
prepare(struct matcher *w)
{
	if (w->data != NULL)
		return true;
	w->context = pcre2_match_context_create(NULL);
	w->data = pcre2_match_data_create(1, NULL);
	if (w->context == NULL || w->data == NULL)
		return false;
	pcre2_set_match_limit(w->context, MATCH_STEPS);
	pcre2_set_depth_limit(w->context, MATCH_DEPTH);
	pcre2_set_heap_limit(w->context, MATCH_HEAP);
	return true;
}

static enum truth
run_regex(const struct pattern *p, struct slice text, struct matcher *w)
{
	int got;

	w->late = w->late || (w->deadline != 0 &&
	    deadline_left(w->deadline) == 0);
	if (w->late || w->hits >= MATCH_HITS || !prepare(w))
		return TRUTH_UNDECIDED;
	got = pcre2_match(p->code, (PCRE2_SPTR)text.ptr, text.len, 0, 0,
	    w->data, w->context);
	/* The little stack that compiled code has says nothing of the text. */
	if (got == PCRE2_ERROR_JIT_STACKLIMIT)
		got = pcre2_match(p->code, (PCRE2_SPTR)text.ptr, text.len, 0,
		    PCRE2_NO_JIT, w->data, w->context);
	if (got >= 0)
		return TRUTH_YES;
	if (got == PCRE2_ERROR_NOMATCH)
		return TRUTH_NO;
	w->hits++;
	return TRUTH_UNDECIDED;
}

static bool
same(char a, char b, bool case_sensitive)
{
	return case_sensitive ? a == b : ascii_lower(a) == b;
}

/* Goes back to the last * only, which is enough; work is counted. */
static enum truth
wildcard(struct slice pattern, struct slice text, bool case_sensitive,
    struct matcher *w)
{
	size_t p = 0, t = 0, star = SIZE_MAX, from = 0;

	while (t < text.len) {
		if (w->work++ > MATCH_WORK)
			return TRUTH_UNDECIDED;
		if (p < pattern.len && pattern.ptr[p] == '*') {
			star = p++;
			from = t;
		} else if (p < pattern.len && (pattern.ptr[p] == '?' ||
		    same(text.ptr[t], pattern.ptr[p], case_sensitive))) {
			p++;
			t++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			t = ++from;
		} else {
			return TRUTH_NO;
		}
	}
	while (p < pattern.len && pattern.ptr[p] == '*')
		p++;
	return p == pattern.len ? TRUTH_YES : TRUTH_NO;
}

static bool
equal(struct slice a, struct slice b, bool case_sensitive)
{
	return case_sensitive ? slice_eq(a, b) : slice_eq_nocase(a, b);
}

static enum truth
contains(struct slice text, struct slice what, bool case_sensitive,
    struct matcher *w)
{
	w->work += text.len;
	for (size_t i = 0; i + what.len <= text.len; i++) {
		if (w->work > MATCH_WORK)
			return TRUTH_UNDECIDED;
		if (!same(text.ptr[i], what.ptr[0], case_sensitive))
			continue;
		w->work += what.len;
		if (equal(slice_sub(text, i, what.len), what,
		    case_sensitive))
			return TRUTH_YES;
	}
	return TRUTH_NO;
}

static bool
domain_fits(struct slice pattern, struct slice domain)
{
	if (domain.ptr == NULL)
		return false;
	return slice_starts(pattern, SLICE(".")) ?
	    domain.len > pattern.len && slice_ends_nocase(domain, pattern) :
	    slice_eq_nocase(domain, pattern);
}

static enum truth
fits(const struct match *m, const struct pattern *p, struct slice text,
    struct slice domain, struct matcher *w)
{
	bool cased = m->case_sensitive;

	switch (p->kind) {
	case PATTERN_EXACT:
		return equal(text, p->text, cased);
	case PATTERN_PREFIX:
		return equal(slice_sub(text, 0, p->text.len), p->text, cased);
	case PATTERN_SUFFIX:
		return text.len >= p->text.len && equal(slice_after(text,
		    text.len - p->text.len), p->text, cased);
	case PATTERN_CONTAINS:
		return contains(text, p->text, cased, w);
	case PATTERN_WILDCARD:
		return wildcard(p->text, text, cased, w);
	case PATTERN_DOMAIN:
		return domain_fits(p->text, domain);
	case PATTERN_REGEX:
		return run_regex(p, text, w);
	case PATTERN_KINDS:
		break;
	}
	return TRUTH_NO;
}

/* The domain, and each one above it behind a dot. */
static bool
domain_mapped(const struct match *m, struct slice domain, struct arena *a)
{
	size_t dot;

	if (domain.ptr == NULL)
		return false;
	if (map_get(m->exact, map_key(a, '@', domain)) != NULL)
		return true;
	while ((dot = slice_find(domain, '.')) < domain.len) {
		domain = slice_after(domain, dot);
		if (map_get(m->exact, map_key(a, '@', domain)) != NULL)
			return true;
		domain = slice_after(domain, 1);
	}
	return false;
}

enum truth
match_text(const struct match *m, struct slice text, struct slice domain,
    struct matcher *w)
{
	enum truth truth = TRUTH_NO;

	if (m->exact != NULL) {
		struct slice key = m->case_sensitive ? text :
		    lowered(w->arena, text);

		if ((text.len <= MATCH_PATTERN && map_get(m->exact,
		    map_key(w->arena, '=', key)) != NULL) ||
		    domain_mapped(m, domain, w->arena))
			return TRUTH_YES;
	}
	for (size_t i = 0; i < m->n && truth != TRUTH_YES; i++)
		if (m->exact == NULL || !mapped(&m->patterns[i]))
			truth = truth_or(truth, fits(m, &m->patterns[i], text,
			    domain, w));
	return truth;
}

/* ---- what must stand in a text ---- */

/* The longest run of a wildcard pattern without * and ?. */
static struct slice
wildcard_literal(struct slice p)
{
	struct slice best = SLICE("");
	size_t from = 0;

	for (size_t i = 0; i <= p.len; i++) {
		if (i < p.len && p.ptr[i] != '*' && p.ptr[i] != '?')
			continue;
		if (i - from > best.len)
			best = slice_sub(p, from, i - from);
		from = i + 1;
	}
	return best;
}

/*
 * Reads a regular expression as far as this needs it: runs of plain bytes
 * outside of groups, classes and quantifiers. Whatever is not understood ends
 * the run, and what could make a run optional (an alternative at the top, an
 * option, a quote) gives up.
 */
struct run {
	struct slice in;
	size_t at;
	struct buf run;
	struct slice best;
	struct arena *arena;
};

static void
end_run(struct run *r)
{
	if (r->run.len > r->best.len)
		r->best = arena_copy(r->arena, buf_slice(&r->run));
	buf_clear(&r->run);
}

/* Past a class, whose ] may stand first; false: it has no end. */
static bool
skip_class(struct run *r)
{
	size_t i = r->at + 1;

	if (i < r->in.len && r->in.ptr[i] == '^')
		i++;
	if (i < r->in.len && r->in.ptr[i] == ']')
		i++;
	for (; i < r->in.len; i++) {
		if (r->in.ptr[i] == '\\' || (r->in.ptr[i] == '[' &&
		    i + 1 < r->in.len && r->in.ptr[i + 1] == ':'))
			i++;
		else if (r->in.ptr[i] == ']')
			break;
	}
	/* "[[:alpha:]]": its inner bracket has ended the class too early, and
	 * the outer one then is a plain byte of a run: not a safe one. */
	if (slice_search(slice_sub(r->in, r->at, i - r->at), SLICE("[:")) <
	    i - r->at)
		return false;
	r->at = i + 1;
	return i < r->in.len;
}

/* Past a group and all that is in it. */
static bool
skip_group(struct run *r)
{
	unsigned depth = 0;

	if (r->at + 1 < r->in.len && (r->in.ptr[r->at + 1] == '?' ||
	    r->in.ptr[r->at + 1] == '*') && !slice_starts(slice_after(r->in,
	    r->at), SLICE("(?:")))
		return false;		/* options, verbs, conditions */
	while (r->at < r->in.len) {
		char c = r->in.ptr[r->at];

		if (c == '[') {
			if (!skip_class(r))
				return false;
			continue;
		}
		r->at += c == '\\' ? 2 : 1;
		if (c == '(' && r->at < r->in.len && (r->in.ptr[r->at] == '?' ||
		    r->in.ptr[r->at] == '*') && !slice_starts(slice_after(r->in,
		    r->at), SLICE("?:")))
			return false;
		depth += c == '(';
		depth -= c == ')';
		if (depth == 0)
			return true;
	}
	return false;
}

/* Of a caseless UTF match some letters have relatives outside ASCII: K is
 * KELVIN SIGN too, and S LONG S. */
static bool
plain(char c, bool case_sensitive)
{
	return (unsigned char)c < 0x80 &&
	    (case_sensitive || strchr("kKsS", c) == NULL);
}

static bool
quantified(const struct run *r)
{
	return r->at < r->in.len && strchr("?*+{", r->in.ptr[r->at]) != NULL;
}

static void
take(struct run *r, char c, bool case_sensitive)
{
	if (quantified(r) || !plain(c, case_sensitive))
		end_run(r);
	else
		buf_addc(&r->run, ascii_lower(c));
}

/* One element of the pattern; false: nothing can be said of it. */
static bool
step(struct run *r, bool case_sensitive)
{
	char c = r->in.ptr[r->at];

	if (c == '|')
		return false;
	if (c == '(' || c == '[') {
		end_run(r);
		return c == '(' ? skip_group(r) : skip_class(r);
	}
	if (c == '\\') {
		if (r->at + 1 >= r->in.len)
			return false;
		c = r->in.ptr[r->at + 1];
		r->at += 2;
		if (!ascii_alnum(c))
			take(r, c, case_sensitive);
		else if (strchr("dDsSwWbB", c) != NULL)
			end_run(r);
		else
			return false;
		return true;
	}
	r->at++;
	if (c == '{' || c == '}')
		return false;		/* what it means depends */
	if (strchr(".^$?*+", c) != NULL)
		end_run(r);
	else
		take(r, c, case_sensitive);
	return true;
}

static struct slice
regex_literal(struct slice in, bool case_sensitive, struct arena *a)
{
	struct run r = { .in = in, .run = buf_in(a), .best = SLICE(""),
	    .arena = a };

	if (slice_has(in, '\0') || slice_search(in, SLICE("\\Q")) < in.len)
		return SLICE("");
	while (r.at < r.in.len)
		if (!step(&r, case_sensitive))
			return SLICE("");
	end_run(&r);
	return r.best;
}

struct slice
pattern_literal(const struct match *m, const struct pattern *p,
    struct arena *a)
{
	switch (p->kind) {
	case PATTERN_EXACT:
	case PATTERN_PREFIX:
	case PATTERN_SUFFIX:
	case PATTERN_CONTAINS:
		return lowered(a, p->text);
	case PATTERN_WILDCARD:
		return lowered(a, wildcard_literal(p->text));
	case PATTERN_REGEX:
		return regex_literal(p->text, m->case_sensitive, a);
	case PATTERN_DOMAIN:
	case PATTERN_KINDS:
		break;
	}
	return SLICE("");
}
