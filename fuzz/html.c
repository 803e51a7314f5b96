/*
 * HTML: tokens follow each other without a gap, slices lie within the text,
 * each attribute within its tag, and references are what they are in text.
 */
#include <stdlib.h>

#include "html/html.h"
#include "html/ref.h"
#include "text/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
within(struct slice s, struct slice of)
{
	if (s.ptr != NULL && s.len > 0 &&
	    (s.ptr < of.ptr || s.ptr + s.len > of.ptr + of.len))
		abort();
}

static void
look(const struct html_token *t, struct slice of, struct buf *out)
{
	struct slice all = slice_sub(of, t->off, t->len), inside;
	struct html_attr attr;
	size_t off;

	within(t->name, all);
	within(t->text, all);
	for (size_t at = 0; html_attr(t, &at, &attr);) {
		within(attr.name, all);
		within(attr.value, all);
		within(slice_sub(of, attr.off, attr.len), all);
	}
	if (html_conditional(t, &inside, &off))
		within(inside, t->text);
	html_unref(SLICE("utf-8"), t->text, false, 300, out);
	if (out->len > 300 || !utf8_valid(buf_slice(out)))
		abort();
	buf_clear(out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = slice_make(data, size);
	struct buf out = { 0 };
	struct html h;
	struct html_token t;
	size_t at = 0;

	html_open(&h, in);
	while (html_next(&h, &t)) {
		if (t.off != at || t.len == 0)
			abort();
		at += t.len;
		look(&t, in, &out);
	}
	if (at != size)
		abort();
	buf_free(&out);
	return 0;
}
