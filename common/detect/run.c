#include "detect/run.h"

#include <string.h>

/* Signs between two groups: a blank or a dash, or a line end with the marks
 * of a quotation and what indents it. */
enum { BETWEEN = 12, BEFORE = 80, BEHIND = 40, SHORT = 5 };

static enum gap
gap_of(char c)
{
	switch (c) {
	case ' ':
	case '\t':
		return GAP_SPACE;
	case '-':
		return GAP_DASH;
	case '.':
		return GAP_DOT;
	case '/':
		return GAP_SLASH;
	case '\r':
	case '\n':
	case '>':
		return GAP_LINE;
	default:
		return GAP_NONE;
	}
}

/* The strongest of what stands there; GAP_END: the number does not go on. */
static enum gap
between(struct slice text, size_t *at)
{
	enum gap is = GAP_SPACE, sign;
	size_t n = 0, signs = 0;

	for (; *at < text.len && !ascii_alnum(text.ptr[*at]); ++*at) {
		sign = gap_of(text.ptr[*at]);
		if (sign == GAP_NONE || ++n > BETWEEN)
			return GAP_END;
		if (sign == GAP_LINE)
			is = GAP_LINE;
		else if (sign != GAP_SPACE && is != GAP_LINE)
			is = sign;
		signs += sign != GAP_SPACE && sign != GAP_LINE;
	}
	/* " - " is one; "--" and "..." end a number. */
	if (*at == text.len || signs > 1 || (is != GAP_LINE && n > 3))
		return GAP_END;
	return is;
}

void
run_read(struct slice text, size_t at, struct run *run_r)
{
	size_t n = 0;

	while (n < RUN_MAX && at < text.len) {
		char c = text.ptr[at];

		run_r->c[n] = c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
		run_r->end[n] = ++at;
		run_r->gap[n] = GAP_NONE;
		if (at < text.len && !ascii_alnum(text.ptr[at]))
			run_r->gap[n] = (unsigned char)
			    ((unsigned char)text.ptr[at] >= 0x80 ||
			    text.ptr[at] == '_' ? GAP_NONE :
			    between(text, &at));
		else if (at == text.len)
			run_r->gap[n] = GAP_END;
		/* A letter of another script goes on with the word. */
		if (at < text.len && !ascii_alnum(text.ptr[at]) &&
		    run_r->gap[n] != GAP_END) {
			n++;
			break;
		}
		if (run_r->gap[n++] == GAP_END)
			break;
	}
	run_r->n = n;
}

size_t
run_groups(const struct run *run, size_t n, unsigned char groups_r[RUN_MAX],
    bool *same_r)
{
	size_t count = 0, first = 0;
	unsigned char sign = GAP_LINE;

	if (n == 0 || n > run->n || run->gap[n - 1] == GAP_NONE)
		return 0;
	*same_r = true;
	for (size_t i = 0; i < n; i++) {
		if (run->gap[i] == GAP_NONE)
			continue;
		groups_r[count++] = (unsigned char)(i + 1 - first);
		first = i + 1;
		if (i + 1 == n || run->gap[i] == GAP_LINE)
			continue;
		if (sign != GAP_LINE && run->gap[i] != sign)
			*same_r = false;
		sign = run->gap[i];
	}
	return count;
}

static bool
letter(char c)
{
	return ascii_alpha(c) || (unsigned char)c >= 0x80;
}

/* Does the word stand at that place? Words begin with a letter, or with a
 * blank that stands for any sign. */
static bool
stands(struct slice text, size_t at, const char *word)
{
	size_t n = strlen(word);

	if (word[0] == ' ') {
		word++;
		n--;
	}
	while (n > 0 && word[n - 1] == ' ')
		n--;
	if (at + n > text.len || (at > 0 && letter(text.ptr[at - 1])) ||
	    !slice_eq_nocase(slice_sub(text, at, n), slice_make(word, n)))
		return false;
	return n > SHORT || at + n == text.len || !letter(text.ptr[at + n]);
}

bool
run_near(struct slice text, size_t at, size_t end, const char *const *words)
{
	size_t from = at > BEFORE ? at - BEFORE : 0;
	size_t to = text.len - end > BEHIND ? end + BEHIND : text.len;

	for (size_t i = from; i < to; i++) {
		if (!letter(text.ptr[i]))
			continue;
		for (const char *const *w = words; *w != NULL; w++)
			if (stands(text, i, *w))
				return true;
	}
	return false;
}
