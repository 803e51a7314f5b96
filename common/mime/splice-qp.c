#include <string.h>

#include "base/buf.h"
#include "mime/splice.h"

enum { LINE_MAX_QP = 76 };

struct walk {
	struct slice in;
	size_t at, decoded;
	size_t left;			/* of the literal run at `at` */
	size_t column;			/* in the edited line */
	size_t junk;			/* the last lone '=', or SIZE_MAX */
	size_t floor;			/* end of the last splice */
};

static size_t
line_end(struct slice in, size_t at)
{
	if (at < in.len && in.ptr[at] == '\n')
		return 1;
	if (in.len - at >= 2 && in.ptr[at] == '\r' && in.ptr[at + 1] == '\n')
		return 2;
	return 0;
}

/* Bytes that stand for themselves. */
static void
walk_literal(struct walk *w, size_t n)
{
	const char *lf = memrchr(w->in.ptr + w->at, '\n', n);

	w->column = lf != NULL ?
	    (size_t)(w->in.ptr + w->at + n - lf) - 1 : w->column + n;
	w->at += n;
	w->decoded += n;
	w->left -= n;
}

/* Over one unit, of a literal run at most n bytes. */
static void
walk_unit(struct walk *w, size_t n)
{
	struct qp_unit u = { QP_LITERAL, w->left, 0 };

	if (w->left == 0)
		u = qp_next(w->in, w->at);
	if (u.kind == QP_LITERAL) {
		w->left = u.len;
		walk_literal(w, u.len < n ? u.len : n);
		return;
	}
	if (u.kind == QP_JUNK)
		w->junk = w->at;
	if (u.kind == QP_JUNK || u.kind == QP_ESCAPE)
		w->decoded++;
	w->column = u.kind == QP_SOFT ? 0 : w->column + u.len;
	w->at += u.len;
}

/* To just behind the unit of the byte before `until`. */
static void
walk_to(struct walk *w, size_t until)
{
	while (w->decoded < until && w->at < w->in.len)
		walk_unit(w, until - w->decoded);
}

/* A soft break before the range stays: it is no part of any byte. */
static void
walk_soft(struct walk *w)
{
	while (w->left == 0 && w->at < w->in.len &&
	    qp_next(w->in, w->at).kind == QP_SOFT)
		walk_unit(w, 0);
}

/* Would a blank at the end of what is written be one before a line end? */
static bool
ends_line(const struct walk *w)
{
	return w->at >= w->in.len || line_end(w->in, w->at) > 0 ||
	    (w->left == 0 && qp_next(w->in, w->at).kind == QP_TRAILING);
}

/*
 * What stands before the range and must be written anew, since it would mean
 * something else beside the new text: a lone '=', a blank that comes to stand
 * at a line end, a CR that loses its LF or comes to stand before one. Its
 * start; the content of these bytes goes to text.
 */
static size_t
look_back(const struct walk *w, size_t start, size_t junk, struct slice new,
    struct buf *text)
{
	size_t from = start;
	bool lf = start < w->in.len && w->in.ptr[start] == '\n';
	char before;

	if (start <= w->floor)
		return start;
	before = w->in.ptr[start - 1];
	if (junk != SIZE_MAX && junk >= w->floor && start - junk <= 2)
		from = junk;
	else if (ascii_blank(before) &&
	    (new.len == 0 ? ends_line(w) : line_end(new, 0) == 2))
		from--;
	else if (before == '\r' && (lf || (new.len == 0 &&
	    w->at < w->in.len && w->in.ptr[w->at] == '\n')))
		from--;
	buf_add(text, slice_sub(w->in, from, start - from));
	/* The blanks that stood for nothing before this CRLF. */
	while (lf && from < start && before == '\r' && from > w->floor &&
	    ascii_blank(w->in.ptr[from - 1]))
		from--;
	return from;
}

static void
add_escape(struct buf *out, char c)
{
	static const char hex[] = "0123456789ABCDEF";

	buf_addc(out, '=');
	buf_addc(out, hex[(unsigned char)c >> 4]);
	buf_addc(out, hex[(unsigned char)c & 15]);
}

/* A '-' at the start of a line might begin a boundary. */
static bool
is_plain(struct slice text, size_t i, size_t column, bool ends)
{
	char c = text.ptr[i];

	if (ascii_blank(c))
		return i + 1 < text.len ? line_end(text, i + 1) != 2 : !ends;
	if (c == '-' && column <= 1)
		return false;
	return c > ' ' && c <= '~' && c != '=';
}

static size_t
add_encoded(struct buf *out, struct slice text, size_t column, bool ends)
{
	for (size_t i = 0; i < text.len; i++) {
		bool plain;

		if (line_end(text, i) == 2) {
			buf_add(out, SLICE("\r\n"));
			column = 0;
			i++;
			continue;
		}
		plain = is_plain(text, i, column, ends);
		if (column + (plain ? 1 : 3) > LINE_MAX_QP - 1) {
			buf_add(out, SLICE("=\r\n"));
			column = 0;
			plain = is_plain(text, i, column, ends);
		}
		if (plain)
			buf_addc(out, text.ptr[i]);
		else
			add_escape(out, text.ptr[i]);
		column += plain ? 1 : 3;
	}
	return column;
}

/* What follows on the line, counted no further than a line may be long. */
static size_t
tail_length(const struct walk *w)
{
	size_t n = 0;

	while (n <= LINE_MAX_QP && w->at + n < w->in.len &&
	    line_end(w->in, w->at + n) == 0)
		n++;
	return n;
}

static void
splice_edit(struct splices *s, struct arena *a, struct walk *w, size_t base,
    const struct edit *e)
{
	struct buf out = buf_in(a), text = buf_in(a);
	size_t start, from, column, tail, junk;

	walk_to(w, e->off);
	if (e->len > 0)
		walk_soft(w);
	start = w->at;
	column = w->column;
	junk = w->junk;
	walk_to(w, e->off + e->len);
	from = look_back(w, start, junk, e->text, &text);
	column -= start - from < column ? start - from : column;
	start = from;
	buf_add(&text, e->text);
	column = add_encoded(&out, buf_slice(&text), column, ends_line(w));
	tail = tail_length(w);
	if (out.len > w->at - start && tail > 0 &&
	    column + tail > LINE_MAX_QP) {
		buf_add(&out, SLICE("=\r\n"));
		column = 0;
	}
	if (column <= 1 && tail > 1 && w->in.ptr[w->at] == '-') {
		add_escape(&out, '-');
		column += 3;
		walk_unit(w, 1);
	}
	splice_add(s, a, base + start, w->at - start, buf_slice(&out));
	w->column = column;
	w->floor = w->at;
}

void
qp_splices(struct splices *s, struct arena *a, struct slice in, size_t base,
    const struct patch *edits)
{
	struct walk w = { .in = in, .junk = SIZE_MAX };
	struct edit e;

	while (splice_next_edit(&edits, a, &e))
		splice_edit(s, a, &w, base, &e);
}

size_t
qp_length(struct slice in)
{
	struct walk w = { .in = in, .junk = SIZE_MAX };

	while (w.at < in.len)
		walk_unit(&w, SIZE_MAX);
	return w.decoded;
}
