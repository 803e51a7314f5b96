/*
 * HTML: tokens follow each other without a gap, slices lie within the text,
 * each attribute within its tag; links and pieces stand where they say, and
 * each byte of text comes from a place in the source. The last byte picks a
 * charset.
 */
#include <stdlib.h>

#include "html/links.h"
#include "html/text.h"
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

static void
links(struct slice in)
{
	struct html_links l;
	struct html_link link;
	struct buf out = { 0 };

	html_links_open(&l, in);
	for (size_t n = 0; html_link_next(&l, &link); n++) {
		within(link.raw, in);
		if (n > in.len || (link.raw.len > 0 &&
		    in.ptr + link.off != link.raw.ptr))
			abort();
		html_link_url(SLICE("utf-8"), &link, 300, &out);
		buf_clear(&out);
	}
	buf_free(&out);
}

static void
places(const struct html_text *t, struct slice source)
{
	size_t off, len, before = 0;

	if (!utf8_valid(t->text))
		abort();
	for (size_t at = 0; at < t->text.len; at++) {
		html_text_place(t, at, 1, &off, &len);
		if (len == 0 || off + len > source.len || off < before)
			abort();
		before = off;
	}
}

static void
texts(struct slice in)
{
	static const char *const charsets[] = { "utf-8", "koi8-r", "utf-16",
	    "shift_jis", "iso-2022-jp", "nobody-knows", "iso-8859-1", "" };
	struct arena *a = arena_new();
	struct html_texts t;
	unsigned char last = in.len > 0 ? (unsigned char)in.ptr[in.len - 1] : 0;

	html_text_read(a, slice_of(charsets[last % 8]), in, 4096, &t);
	places(&t.visible, t.source);
	places(&t.hidden, t.source);
	arena_free(a);
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
	links(in);
	texts(in);
	return 0;
}
