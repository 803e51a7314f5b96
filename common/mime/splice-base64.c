#include <string.h>

#include "base/buf.h"
#include "mime/splice.h"

enum { LINE_MAX_BASE64 = 76 };

/* A stretch of quanta that is written anew. */
struct region {
	bool open;
	size_t start, column;		/* where, and how far into its line */
	size_t skip;			/* decoded bytes below this one go */
	struct buf bytes;		/* the new content */
};

struct walk {
	struct slice in;
	size_t at, decoded;
	size_t column;			/* in the edited line, at `at` */
	size_t width;			/* of the lines */
	struct region region;
	const struct patch *edits;
	struct edit edit;
	bool more;			/* is there an edit? */
};

/* Lines are kept as long as the first one is. */
static size_t
line_width(struct slice in)
{
	size_t n = slice_find(slice_sub(in, 0, LINE_MAX_BASE64 + 1), '\n');

	if (n > 0 && n < in.len && in.ptr[n - 1] == '\r')
		n--;
	return n >= 4 && n < LINE_MAX_BASE64 ? n : LINE_MAX_BASE64;
}

static void
walk_columns(struct walk *w, size_t to)
{
	for (; w->at < to; w->at++) {
		if (w->in.ptr[w->at] == '\n')
			w->column = 0;
		else if (w->in.ptr[w->at] != '\r')
			w->column++;
	}
}

static size_t
tail_length(const struct walk *w)
{
	size_t n = 0;

	while (n <= LINE_MAX_BASE64 && w->at + n < w->in.len &&
	    w->in.ptr[w->at + n] != '\r' && w->in.ptr[w->at + n] != '\n')
		n++;
	return n;
}

/* The region ends before w->at. */
static void
region_close(struct walk *w, struct splices *s, struct arena *a, size_t base)
{
	struct region *r = &w->region;
	struct buf coded = { 0 }, out = buf_in(a);
	size_t tail = tail_length(w), column = r->column;

	encode_base64(&coded, buf_slice(&r->bytes));
	for (size_t i = 0; i < coded.len; i++) {
		if (ascii_space(coded.ptr[i]))
			continue;
		if (column >= w->width) {
			buf_add(&out, SLICE("\r\n"));
			column = 0;
		}
		buf_addc(&out, coded.ptr[i]);
		column++;
	}
	buf_free(&coded);
	if (out.len > w->at - r->start && tail > 0 &&
	    column + tail > LINE_MAX_BASE64) {
		buf_add(&out, SLICE("\r\n"));
		column = 0;
	}
	splice_add(s, a, base + r->start, w->at - r->start, buf_slice(&out));
	w->column = column;
	r->open = false;
}

static void
region_open(struct walk *w, size_t start)
{
	struct region *r = &w->region;

	r->open = true;
	r->start = start;
	r->column = w->column;
	r->bytes.len = 0;
}

/* Puts in the edit that begins at the decoded offset, if one does. */
static void
take_edit(struct walk *w, struct arena *a, size_t off)
{
	if (!w->more || w->edit.off != off)
		return;
	buf_add(&w->region.bytes, w->edit.text);
	w->region.skip = off + w->edit.len;
	w->more = splice_next_edit(&w->edits, a, &w->edit);
}

/*
 * Does the next edit need this quantum? Also one that appends needs a last
 * quantum that is not full.
 */
static bool
is_touched(const struct walk *w, const struct base64_unit *u, size_t length)
{
	size_t end = w->decoded + u->count;

	if (!w->more)
		return false;
	return w->edit.off < end ||
	    (w->edit.off == length && end == length && u->count < 3);
}

static void
walk_unit(struct walk *w, struct splices *s, struct arena *a, size_t base,
    const struct base64_unit *u, size_t length)
{
	struct region *r = &w->region;

	walk_columns(w, u->start);
	if (!r->open && is_touched(w, u, length))
		region_open(w, u->start);
	if (!r->open) {
		walk_columns(w, u->end);
		w->decoded += u->count;
		return;
	}
	for (unsigned i = 0; i < u->count; i++) {
		take_edit(w, a, w->decoded + i);
		if (w->decoded + i >= r->skip)
			buf_addc(&r->bytes, u->bytes[i]);
	}
	w->at = u->end;
	w->decoded += u->count;
	if (r->bytes.len % 3 == 0 && w->decoded >= r->skip &&
	    w->decoded < length)
		region_close(w, s, a, base);
}

void
base64_splices(struct splices *s, struct arena *a, struct slice in,
    size_t base, const struct patch *edits)
{
	struct walk w = { .in = in, .edits = edits };
	size_t length = base64_length(in);

	w.width = line_width(in);
	w.more = splice_next_edit(&w.edits, a, &w.edit);
	while (w.at < in.len) {
		struct base64_unit u = base64_next(in, w.at);

		if (u.start >= in.len || (!w.more && !w.region.open))
			break;
		walk_unit(&w, s, a, base, &u, length);
	}
	/* What is appended; and the region that found no end before. */
	if (w.more && !w.region.open)
		region_open(&w, w.at);
	take_edit(&w, a, w.decoded);
	if (w.region.open)
		region_close(&w, s, a, base);
	buf_free(&w.region.bytes);
}

size_t
base64_length(struct slice in)
{
	size_t length = 0;

	for (size_t at = 0; at < in.len; ) {
		struct base64_unit u = base64_next(in, at);

		length += u.count;
		at = u.end;
	}
	return length;
}
