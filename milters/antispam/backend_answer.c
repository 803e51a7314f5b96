#include "backend_answer.h"

#include <math.h>

#include "base/buf.h"
#include "number.h"
#include "text/json.h"

static const double most = 10000;

/* ---- the symbols that count most ---- */

struct top {
	struct slice name[BACKEND_SYMBOLS];
	double score[BACKEND_SYMBOLS];
	size_t n;
};

static void
top_add(struct top *t, struct slice name, double score)
{
	size_t at = t->n;

	if (name.len == 0 || name.len > BACKEND_NAME ||
	    !ascii_all_of(name, "_-."))
		return;
	for (; at > 0 && fabs(t->score[at - 1]) < fabs(score); at--) {
		if (at == BACKEND_SYMBOLS)
			continue;
		t->name[at] = t->name[at - 1];
		t->score[at] = t->score[at - 1];
	}
	if (at == BACKEND_SYMBOLS)
		return;
	t->name[at] = name;
	t->score[at] = score;
	if (t->n < BACKEND_SYMBOLS)
		t->n++;
}

/* Those that pull the way the whole does. */
static struct slice
top_print(struct arena *a, const struct top *t, double score)
{
	struct buf out = buf_in(a);

	for (size_t i = 0; i < t->n; i++) {
		if (t->score[i] * score <= 0)
			continue;
		if (out.len > 0)
			buf_adds(&out, ", ");
		buf_add(&out, t->name[i]);
	}
	return buf_slice(&out);
}

/* ---- Rspamd: JSON, valid before it is walked ---- */

static void
skip_blanks(struct slice *s)
{
	size_t n = 0;

	while (n < s->len && ascii_space(s->ptr[n]))
		n++;
	*s = slice_after(*s, n);
}

/* A string, without its quotes and as it is written. */
static struct slice
take_text(struct slice *s)
{
	size_t n = 1;
	struct slice text;

	while (n < s->len && s->ptr[n] != '"')
		n += s->ptr[n] == '\\' ? 2 : 1;
	text = slice_sub(*s, 1, n - 1);
	*s = slice_after(*s, n + 1);
	return text;
}

/* Any value, as it is written; the whole of an object or array. */
static struct slice
take_value(struct slice *s)
{
	struct slice from;
	unsigned depth = 0;

	skip_blanks(s);
	from = *s;
	while (s->len > 0) {
		char c = s->ptr[0];

		if (c == '"') {
			take_text(s);
		} else if (c == '{' || c == '[') {
			depth++;
			*s = slice_after(*s, 1);
		} else if (depth == 0 && (c == ',' || c == '}' || c == ']')) {
			break;
		} else {
			depth -= c == '}' || c == ']';
			*s = slice_after(*s, 1);
		}
		if (depth == 0 && (c == '"' || c == '}' || c == ']'))
			break;
	}
	return slice_trim(slice_sub(from, 0, from.len - s->len));
}

/* The next pair of the object whose beginning, or last pair, *s is behind. */
static bool
next_pair(struct slice *s, struct slice *key_r, struct slice *value_r)
{
	skip_blanks(s);
	if (s->len == 0 || s->ptr[0] == '}')
		return false;
	*s = slice_after(*s, 1);	/* { or , */
	skip_blanks(s);
	if (s->len == 0 || s->ptr[0] != '"')
		return false;
	*key_r = take_text(s);
	skip_blanks(s);
	*s = slice_after(*s, 1);	/* : */
	*value_r = take_value(s);
	return true;
}

static bool
member_number(struct slice object, struct slice name, double *value_r)
{
	struct slice key, value;

	while (next_pair(&object, &key, &value))
		if (slice_eq(key, name))
			return number_read(value, -most, most, value_r);
	return false;
}

static void
read_symbols(struct slice object, struct top *t)
{
	struct slice key, value;
	double score;

	if (!slice_starts(object, SLICE("{")))
		return;
	while (next_pair(&object, &key, &value))
		if (slice_starts(value, SLICE("{")) &&
		    member_number(value, SLICE("score"), &score))
			top_add(t, key, score);
}

bool
backend_rspamd(struct arena *a, struct slice body,
    struct backend_answer *answer_r, struct slice *why_r)
{
	struct slice key, value, rest = slice_trim(body);
	struct top top = { .n = 0 };
	bool scored = false;

	if (!json_valid(rest) || !slice_starts(rest, SLICE("{"))) {
		*why_r = SLICE("its answer is no JSON object");
		return false;
	}
	while (next_pair(&rest, &key, &value)) {
		if (slice_eq(key, SLICE("score")))
			scored = number_read(value, -most, most,
			    &answer_r->score);
		else if (slice_eq(key, SLICE("symbols")))
			read_symbols(value, &top);
	}
	if (!scored) {
		*why_r = SLICE("its answer has no score");
		return false;
	}
	answer_r->symbols = top_print(a, &top, answer_r->score);
	return true;
}

/* ---- spamd ---- */

/* "SPAMD/1.1 0 EX_OK" */
static bool
status_good(struct slice line, struct arena *a, struct slice *why_r)
{
	struct slice rest, word = slice_cut(line, ' ', &rest);
	struct slice code;

	if (!slice_starts(word, SLICE("SPAMD/"))) {
		*why_r = SLICE("it is no spamd");
		return false;
	}
	code = slice_cut(slice_trim(rest), ' ', &rest);
	if (slice_eq(code, SLICE("0")))
		return true;
	*why_r = arena_printf(a, "it could not: %.*s",
	    SLICE_ARG(slice_sub(line, 0, 100)));
	return false;
}

/* "Spam: True ; 15.3 / 5.0" */
static bool
read_spam(struct slice line, double *score_r)
{
	struct slice rest, name = slice_cut(line, ':', &rest);

	if (!slice_eq_nocase(slice_trim(name), SLICE("Spam")) ||
	    rest.ptr == NULL)
		return false;
	slice_cut(rest, ';', &rest);
	if (rest.ptr == NULL)
		return false;
	return number_read(slice_trim(slice_cut(rest, '/', &rest)), -most,
	    most, score_r);
}

/* " 1.5 MISSING_DATE   Missing Date: header", below a line of dashes. */
static void
read_report(struct slice rest, struct top *t)
{
	struct slice line, name, points;
	bool below = false;
	double score;

	while (slice_line(&rest, &line)) {
		line = slice_trim(line);
		if (slice_starts(line, SLICE("---- ---"))) {
			below = true;
			continue;
		}
		points = slice_cut(line, ' ', &name);
		if (!below || name.ptr == NULL)
			continue;
		name = slice_trim(name);
		name = slice_sub(name, 0, slice_find(name, ' '));
		if (number_read(points, -most, most, &score))
			top_add(t, name, score);
	}
}

bool
backend_spamd(struct arena *a, struct slice bytes,
    struct backend_answer *answer_r, struct slice *why_r)
{
	struct slice line, rest = bytes;
	struct top top = { .n = 0 };
	bool scored = false;

	if (!slice_line(&rest, &line)) {
		*why_r = SLICE("it said nothing");
		return false;
	}
	if (!status_good(line, a, why_r))
		return false;
	while (slice_line(&rest, &line) && line.len > 0)
		scored = read_spam(line, &answer_r->score) || scored;
	if (!scored) {
		*why_r = SLICE("its answer has no score");
		return false;
	}
	read_report(rest, &top);
	answer_r->symbols = top_print(a, &top, answer_r->score);
	return true;
}
