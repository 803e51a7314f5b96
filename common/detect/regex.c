#define PCRE2_CODE_UNIT_WIDTH 8
#include "detect/regex.h"

#include <pcre2.h>

struct regex {
	pcre2_code *code;
};

static void
free_code(void *code)
{
	pcre2_code_free(code);
}

static struct slice
fault(struct arena *a, int error, size_t at)
{
	char text[200];

	if (pcre2_get_error_message(error, (PCRE2_UCHAR *)text,
	    sizeof text) < 0)
		return SLICE("regex cannot be compiled");
	return arena_printf(a, "regex is wrong at byte %zu: %s", at + 1, text);
}

enum rc
regex_compile(struct arena *a, struct slice pattern, struct regex **regex_r,
    struct slice *why_r)
{
	struct regex *r = arena_alloc(a, sizeof *r);
	int error;
	size_t at;

	if (pattern.len == 0 || pattern.len > REGEX_PATTERN) {
		*why_r = arena_printf(a, "a regex has %zu bytes; it wants 1 to "
		    "%d", pattern.len, REGEX_PATTERN);
		return RC_BAD;
	}
	r->code = pcre2_compile((PCRE2_SPTR)pattern.ptr, pattern.len,
	    PCRE2_CASELESS | PCRE2_UTF | PCRE2_MATCH_INVALID_UTF |
	    PCRE2_NEVER_BACKSLASH_C, &error, &at, NULL);
	if (r->code == NULL) {
		*why_r = fault(a, error, at);
		return RC_BAD;
	}
	arena_defer(a, free_code, r->code);
	/* Without it all is the same, but slower. */
	pcre2_jit_compile(r->code, PCRE2_JIT_COMPLETE);
	*regex_r = r;
	return RC_OK;
}

static void
free_scan(void *arg)
{
	struct regex_scan *s = arg;

	pcre2_match_data_free(s->data);
	pcre2_match_context_free(s->context);
}

struct regex_scan *
regex_scan_new(struct arena *a)
{
	struct regex_scan *s = arena_alloc(a, sizeof *s);

	arena_defer(a, free_scan, s);
	return s;
}

static bool
prepare(struct regex_scan *s)
{
	if (s->context == NULL)
		s->context = pcre2_match_context_create(NULL);
	if (s->data == NULL)
		s->data = pcre2_match_data_create(1, NULL);
	if (s->context == NULL || s->data == NULL)
		return false;
	pcre2_set_match_limit(s->context, REGEX_STEPS);
	pcre2_set_depth_limit(s->context, REGEX_DEPTH);
	pcre2_set_heap_limit(s->context, REGEX_HEAP);
	return true;
}

enum regex_found
regex_next(const struct regex *r, struct regex_scan *s, struct slice text,
    size_t *at, struct slice *hit_r)
{
	const PCRE2_SIZE *range;
	int got;

	if (*at > text.len)
		return REGEX_NONE;
	if (s->limits >= REGEX_HITS || !prepare(s))
		return REGEX_LIMIT;
	got = pcre2_match(r->code, (PCRE2_SPTR)text.ptr, text.len, *at,
	    PCRE2_NOTEMPTY, s->data, s->context);
	/* The little stack of compiled code says nothing of the text. */
	if (got == PCRE2_ERROR_JIT_STACKLIMIT)
		got = pcre2_match(r->code, (PCRE2_SPTR)text.ptr, text.len,
		    *at, PCRE2_NOTEMPTY | PCRE2_NO_JIT, s->data, s->context);
	if (got == PCRE2_ERROR_NOMATCH)
		return REGEX_NONE;
	range = pcre2_get_ovector_pointer(s->data);
	/* \K may turn the two around. */
	if (got < 0 || range[1] <= *at || range[0] >= range[1]) {
		s->limits++;
		return REGEX_LIMIT;
	}
	*hit_r = slice_sub(text, range[0], range[1] - range[0]);
	*at = range[1];
	return REGEX_HIT;
}
