#include "text/param.h"

#include <string.h>

#include "base/buf.h"

/* One name=value as it stands there, before RFC 2231 joins any. */
struct piece {
	struct slice name;		/* lower case, stars cut */
	struct slice value, other;
	unsigned section;
	bool sectioned, starred;
	unsigned flags;
	bool used;
};

struct reader {
	struct arena *arena;
	struct slice in;
	size_t at;
	bool open;			/* a quote that nothing closed */
	unsigned flags;
};

/* The name of no parameter and no end of a token (RFC 2045, 5.1). */
static bool
is_special(char c)
{
	return memchr("()<>@,;:\\\"/[]?=", c, 15) != NULL;
}

static bool
at_end(const struct reader *r)
{
	return r->at >= r->in.len;
}

/* Over a comment: nested ones counted, an open one ends with the field. */
static void
skip_comment(struct reader *r)
{
	size_t depth = 0;

	for (; !at_end(r); r->at++) {
		char c = r->in.ptr[r->at];

		if (c == '\\')
			r->at++;
		else if (c == '(')
			depth++;
		else if (c == ')' && --depth == 0) {
			r->at++;
			return;
		}
	}
	r->at = r->in.len;
}

static void
skip_space(struct reader *r)
{
	while (!at_end(r)) {
		char c = r->in.ptr[r->at];

		if (c == '(')
			skip_comment(r);
		else if (ascii_space(c))
			r->at++;
		else
			return;
	}
}

static struct slice
lower_copy(struct arena *a, struct slice s)
{
	char *ptr = arena_alloc(a, s.len + 1);

	for (size_t i = 0; i < s.len; i++)
		ptr[i] = ascii_lower(s.ptr[i]);
	return slice_make(ptr, s.len);
}

/*
 * The value before the parameters, blanks and comments gone. Where a second
 * word follows ("text/plain charset=x") someone forgot the semicolon.
 */
static struct slice
read_value(struct reader *r)
{
	struct buf value = buf_in(r->arena);

	for (;;) {
		size_t before = r->at;
		char c, last = value.len > 0 ? value.ptr[value.len - 1] : '/';

		skip_space(r);
		if (at_end(r) || (c = r->in.ptr[r->at]) == ';')
			break;
		if (r->at > before && c != '/' && last != '/') {
			r->flags |= PARAM_JUNK;
			break;
		}
		buf_addc(&value, ascii_lower(c));
		r->at++;
	}
	return buf_slice(&value);
}

/* Without the folds. */
static struct slice
unfold(struct arena *a, struct slice s)
{
	char *ptr;
	size_t len = 0;

	if (!slice_has(s, '\n'))
		return s;
	ptr = arena_alloc(a, s.len + 1);
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] == '\n' ||
		    (s.ptr[i] == '\r' && i + 1 < s.len && s.ptr[i + 1] == '\n'))
			continue;
		ptr[len++] = s.ptr[i];
	}
	return slice_make(ptr, len);
}

static struct slice
unescape(struct arena *a, struct slice s)
{
	char *ptr = arena_alloc(a, s.len + 1);
	size_t len = 0;

	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] == '\\' && i + 1 < s.len)
			i++;
		ptr[len++] = s.ptr[i];
	}
	return slice_make(ptr, len);
}

/* Index of the quote that closes, or the length. */
static size_t
quote_end(struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] == '\\')
			i++;
		else if (s.ptr[i] == '"')
			return i;
	}
	return s.len;
}

static struct slice
to_semicolon(struct slice s)
{
	return slice_trim(slice_sub(s, 0, slice_find(s, ';')));
}

static void
read_quoted(struct reader *r, struct piece *p)
{
	struct slice rest = slice_after(r->in, r->at + 1), inner;
	size_t end = quote_end(rest);

	inner = unfold(r->arena, slice_sub(rest, 0, end));
	p->value = inner;
	if (slice_has(inner, '\\')) {
		p->value = unescape(r->arena, inner);
		p->other = inner;
	}
	if (end == rest.len) {
		/*
		 * Some take all, some stop at the semicolon. Later quotes
		 * are read as bytes: looking for the end of each would take
		 * a time that grows with the square of the field.
		 */
		r->open = true;
		p->flags |= PARAM_JUNK;
		p->other = unfold(r->arena, to_semicolon(rest));
		r->at += 1 + (slice_has(rest, ';') ? slice_find(rest, ';') :
		    rest.len);
		return;
	}
	r->at += end + 2;
}

static void
read_token(struct reader *r, struct piece *p)
{
	struct slice rest = slice_after(r->in, r->at), whole;
	size_t len = 0;

	while (len < rest.len && !ascii_space(rest.ptr[len]) &&
	    !is_special(rest.ptr[len]))
		len++;
	p->value = slice_sub(rest, 0, len);
	r->at += len;
	skip_space(r);
	if (at_end(r) || r->in.ptr[r->at] == ';') {
		whole = to_semicolon(rest);
		/* A comment behind it: part of the value for those who know
		 * no comments. */
		if (whole.len != len && slice_has(whole, '('))
			p->other = unfold(r->arena, whole);
		return;
	}
	/*
	 * Bytes that no token holds. Nearly all readers run on to the
	 * semicolon, and senders who write boundary=a=b or filename=a b.pdf
	 * mean just that; the RFC's reading is the other one.
	 */
	p->flags |= PARAM_JUNK;
	p->other = p->value;
	p->value = unfold(r->arena, to_semicolon(rest));
}

/* To the next semicolon; what is skipped is junk unless it is blank. */
static void
skip_to_semicolon(struct reader *r, struct piece *p)
{
	skip_space(r);
	while (!at_end(r) && r->in.ptr[r->at] != ';') {
		p->flags |= PARAM_JUNK;
		r->at++;
	}
}

/* Takes "*", "*0" and "*0*" off the name. */
static void
read_stars(struct piece *p)
{
	struct slice number, base;
	uint64_t section;

	if (p->name.len > 1 && p->name.ptr[p->name.len - 1] == '*') {
		p->starred = true;
		p->name.len--;
	}
	base = slice_cut(p->name, '*', &number);
	if (number.ptr == NULL || base.len == 0)
		return;
	if (!slice_number(number, 9999, &section)) {
		p->flags |= PARAM_JUNK;
		return;
	}
	p->name = base;
	p->section = (unsigned)section;
	p->sectioned = true;
}

static bool
read_piece(struct reader *r, struct piece *p)
{
	size_t start;

	memset(p, 0, sizeof *p);
	while (!at_end(r)) {
		size_t before = r->at;

		skip_space(r);
		if (!at_end(r) && r->in.ptr[r->at] == ';')
			r->at++;
		if (r->at == before)
			break;
	}
	if (at_end(r))
		return false;
	start = r->at;
	while (!at_end(r) && !ascii_space(r->in.ptr[r->at]) &&
	    memchr("=;(\"", r->in.ptr[r->at], 4) == NULL)
		r->at++;
	p->name = lower_copy(r->arena,
	    slice_sub(r->in, start, r->at - start));
	if (p->name.len == 0)
		p->flags |= PARAM_JUNK;
	read_stars(p);
	skip_space(r);
	p->value = slice_sub(r->in, r->at, 0);
	if (!at_end(r) && r->in.ptr[r->at] == '=') {
		r->at++;
		skip_space(r);
		if (!at_end(r) && r->in.ptr[r->at] == '"' && !r->open)
			read_quoted(r, p);
		else
			read_token(r, p);
	} else {
		p->flags |= PARAM_JUNK;
	}
	skip_to_semicolon(r, p);
	return true;
}

/* charset'language'rest; true when the two quotes are there. */
static bool
cut_charset(struct slice *value, struct param *out)
{
	struct slice rest, charset = slice_cut(*value, '\'', &rest), language;

	if (rest.ptr == NULL)
		return false;
	language = slice_cut(rest, '\'', &rest);
	if (rest.ptr == NULL)
		return false;
	out->charset = charset;
	out->language = language;
	*value = rest;
	return true;
}

static void
add_percent(struct buf *out, struct slice s, unsigned *flags)
{
	for (size_t i = 0; i < s.len; i++) {
		int high = -1, low = -1;

		if (s.ptr[i] == '%' && s.len - i > 2) {
			high = ascii_hex(s.ptr[i + 1]);
			low = ascii_hex(s.ptr[i + 2]);
		}
		if (high >= 0 && low >= 0) {
			buf_addc(out, (char)(high << 4 | low));
			i += 2;
			continue;
		}
		if (s.ptr[i] == '%')
			*flags |= PARAM_BAD_PERCENT;
		buf_addc(out, s.ptr[i]);
	}
}

/* One piece's bytes, escapes undone; the first one names the charset. */
static void
add_piece(struct buf *out, const struct piece *piece, struct param *p,
    bool first)
{
	struct slice value = piece->value;

	p->flags |= piece->flags;
	if (!piece->starred) {
		buf_add(out, value);
		return;
	}
	p->flags |= PARAM_EXTENDED;
	if (first && !cut_charset(&value, p))
		p->flags |= PARAM_JUNK;
	add_percent(out, value, &p->flags);
}

/* The unused piece of that name and section, or the next one above it. */
static struct piece *
find_section(struct piece *pieces, size_t n, const struct piece *like,
    unsigned section, bool above)
{
	struct piece *best = NULL;

	for (size_t i = 0; i < n; i++) {
		struct piece *p = &pieces[i];

		if (p->used || !p->sectioned || !slice_eq(p->name, like->name))
			continue;
		if (p->section == section)
			return p;
		if (above && p->section > section &&
		    (best == NULL || p->section < best->section))
			best = p;
	}
	return best;
}

/*
 * Sections in the order of their numbers up to the first gap; with what
 * stands behind a gap, or came twice, appended in the other reading.
 */
static void
join_sections(struct arena *a, struct piece *pieces, size_t n,
    struct piece *like, struct param *p)
{
	struct buf value = buf_in(a), all = buf_in(a);
	struct piece *piece;
	unsigned section = 0;
	bool first = true;

	p->flags |= PARAM_SECTIONS;
	while ((piece = find_section(pieces, n, like, section,
	    false)) != NULL) {
		add_piece(&value, piece, p, first);
		piece->used = true;
		first = false;
		section++;
	}
	p->value = buf_slice(&value);
	buf_add(&all, p->value);
	section = 0;
	while ((piece = find_section(pieces, n, like, section, true)) != NULL) {
		p->flags |= PARAM_GAP;
		add_piece(&all, piece, p, first);
		piece->used = true;
		first = false;
		section = piece->section;
	}
	if (p->value.len == 0)
		p->value = buf_slice(&all);
	else if ((p->flags & PARAM_GAP) != 0)
		p->other = buf_slice(&all);
}

static void
single(struct arena *a, struct piece *piece, struct param *p)
{
	struct buf value = buf_in(a);

	p->value = piece->value;
	p->other = piece->other;
	p->flags |= piece->flags;
	if (!piece->starred)
		return;
	add_piece(&value, piece, p, true);
	p->value = buf_slice(&value);
	p->other = SLICE_NONE;
}

static void
add_param(struct arena *a, struct params *params, struct param **last,
    struct piece *pieces, size_t n, struct piece *piece)
{
	struct param *p = arena_alloc(a, sizeof *p);

	p->name = piece->name;
	if (params_find(params, p->name) != NULL)
		p->flags |= PARAM_DUPLICATE;
	if (piece->sectioned)
		join_sections(a, pieces, n, piece, p);
	else
		single(a, piece, p);
	params->flags |= p->flags;
	params->count++;
	if (*last != NULL)
		(*last)->next = p;
	else
		params->first = p;
	*last = p;
}

void
params_read(struct arena *a, struct slice body, struct params *params)
{
	struct reader r = { .arena = a, .in = body };
	struct buf list = buf_in(a);
	struct param *last = NULL;
	struct piece piece, *pieces;
	size_t n;

	memset(params, 0, sizeof *params);
	params->value = read_value(&r);
	params->flags = r.flags;
	while (read_piece(&r, &piece)) {
		if (list.len / sizeof piece >= PARAMS_MAX) {
			params->flags |= PARAM_LIMIT;
			break;
		}
		buf_add(&list, slice_make(&piece, sizeof piece));
	}
	pieces = (struct piece *)(void *)list.ptr;
	n = list.len / sizeof piece;
	for (size_t i = 0; i < n; i++)
		if (!pieces[i].used)
			add_param(a, params, &last, pieces, n, &pieces[i]);
}

const struct param *
params_find(const struct params *params, struct slice name)
{
	for (const struct param *p = params->first; p != NULL; p = p->next)
		if (slice_eq_nocase(p->name, name))
			return p;
	return NULL;
}

const struct param *
params_next(const struct param *p)
{
	struct slice name = p->name;

	for (p = p->next; p != NULL; p = p->next)
		if (slice_eq(p->name, name))
			return p;
	return NULL;
}
