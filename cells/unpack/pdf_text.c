#include "cells/unpack/pdf_text.h"

#include <stdlib.h>
#include <string.h>

#include "cells/unpack/pdf_font.h"

enum {
	FONTS = 1000,			/* of one document */
	PARENTS = 20,			/* above a page */
	CONTENTS = 10000,		/* streams of one page */
	OPERANDS = 8, NUMBER = 40,
	GAP = -180,			/* thousandths that are a blank */
	WORK = 1000 * 1000 * 1000,
};

struct known {
	const char *place;		/* of its dictionary */
	struct pdf_font *font;
};

struct reader {
	struct pdf *pdf;
	struct buf *out;
	size_t max;
	struct known fonts[FONTS];
	size_t nfonts;
	struct slice resources;		/* of the page */
	const struct pdf_font *font;	/* NULL: none was chosen */
	double line;			/* where text stands, from below */
	struct slice operands[OPERANDS];
	size_t noperands;
	uint64_t work;			/* bytes of dictionaries, for fonts */
	bool whole;
};

/* ---- where text goes ---- */

static void
put(struct reader *r, struct slice s)
{
	if (s.len > r->max - r->out->len) {
		s.len = r->max - r->out->len;
		r->whole = false;
	}
	buf_add(r->out, s);
}

static void
apart(struct reader *r, struct slice sign)
{
	if (r->out->len > 0 && !ascii_space(r->out->ptr[r->out->len - 1]))
		put(r, sign);
}

static const struct pdf_font *
font_of(struct reader *r, struct slice dictionary)
{
	struct known *k = &r->fonts[r->nfonts];

	for (size_t i = 0; i < r->nfonts; i++)
		if (r->fonts[i].place == dictionary.ptr)
			return r->fonts[i].font;
	if (r->nfonts == FONTS || dictionary.len == 0)
		return NULL;
	k->place = dictionary.ptr;
	k->font = arena_alloc(r->pdf->arena, sizeof *k->font);
	pdf_font_read(r->pdf, dictionary, k->font);
	r->nfonts++;
	return k->font;
}

static void
choose_font(struct reader *r)
{
	struct slice name = r->noperands >= 2 ?
	    r->operands[r->noperands - 2] : SLICE("");
	struct slice all = pdf_find(r->pdf, pdf_get(r->resources, "Font"));

	r->work += r->resources.len + all.len;
	if (r->work > WORK) {
		r->whole = false;
		r->font = NULL;
		return;
	}
	r->font = slice_starts(name, SLICE("/")) ? font_of(r, pdf_find(r->pdf,
	    pdf_get(all, arena_str(r->pdf->arena, slice_after(name, 1))))) :
	    NULL;
}

static void
show(struct reader *r, struct slice written)
{
	struct buf bytes = { 0 }, text = { 0 };

	pdf_string(written, &bytes);
	if (r->font == NULL)
		r->whole = r->whole && bytes.len == 0;
	else if (!pdf_font_put(r->font, buf_slice(&bytes), &text))
		r->whole = false;
	put(r, buf_slice(&text));
	buf_free(&bytes);
	buf_free(&text);
}

static double
number(struct slice s)
{
	char text[NUMBER];

	s = slice_sub(s, 0, NUMBER - 1);
	memcpy(text, s.ptr, s.len);
	text[s.len] = '\0';
	return strtod(text, NULL);
}

static bool
text(struct slice s)
{
	return slice_starts(s, SLICE("(")) || (slice_starts(s, SLICE("<")) &&
	    !slice_starts(s, SLICE("<<")));
}

static void
show_list(struct reader *r, struct slice list)
{
	struct slice value, rest = slice_after(list, 1);

	while (pdf_value(rest, &value, &rest) &&
	    !slice_eq(value, SLICE("]"))) {
		if (text(value))
			show(r, value);
		else if (number(value) < GAP)
			apart(r, SLICE(" "));
	}
}

/* ---- operators ---- */

static struct slice
operand(const struct reader *r, size_t from_last)
{
	return from_last < r->noperands ?
	    r->operands[r->noperands - 1 - from_last] : SLICE("");
}

static void
move_to(struct reader *r, double line)
{
	apart(r, line > r->line || line < r->line ? SLICE("\n") : SLICE(" "));
	r->line = line;
}

static void
operate(struct reader *r, struct slice op)
{
	if (slice_eq(op, SLICE("Tf")))
		choose_font(r);
	else if (slice_eq(op, SLICE("Tj")) && text(operand(r, 0)))
		show(r, operand(r, 0));
	else if (slice_eq(op, SLICE("TJ")) &&
	    slice_starts(operand(r, 0), SLICE("[")))
		show_list(r, operand(r, 0));
	else if (slice_eq(op, SLICE("'")) || slice_eq(op, SLICE("\""))) {
		apart(r, SLICE("\n"));
		if (text(operand(r, 0)))
			show(r, operand(r, 0));
	} else if (slice_eq(op, SLICE("Td")) || slice_eq(op, SLICE("TD")))
		move_to(r, r->line + number(operand(r, 0)));
	else if (slice_eq(op, SLICE("Tm")))
		move_to(r, number(operand(r, 0)));
	else if (slice_eq(op, SLICE("T*")))
		apart(r, SLICE("\n"));
}

/* The bytes of an inline image end with EI. */
static struct slice
past_image(struct slice rest)
{
	for (size_t i = 1; i + 3 < rest.len; i++)
		if (ascii_space(rest.ptr[i - 1]) && rest.ptr[i] == 'E' &&
		    rest.ptr[i + 1] == 'I' && ascii_space(rest.ptr[i + 2]))
			return slice_after(rest, i + 2);
	return SLICE("");
}

static void
read_content(struct reader *r, struct slice content)
{
	struct slice value, rest = content;

	r->noperands = 0;
	while (pdf_value(rest, &value, &rest) && r->out->len < r->max) {
		char c = value.ptr[0];

		if (slice_eq(value, SLICE("ID"))) {
			rest = past_image(rest);
			r->noperands = 0;
		} else if (ascii_alpha(c) || c == '\'' || c == '"') {
			operate(r, value);
			r->noperands = 0;
		} else {
			if (r->noperands == OPERANDS)
				memmove(r->operands, r->operands + 1,
				    --r->noperands * sizeof *r->operands);
			r->operands[r->noperands++] = value;
		}
	}
	apart(r, SLICE("\n"));
}

/* ---- pages ---- */

static struct slice
resources_of(const struct reader *r, struct slice page)
{
	for (int i = 0; i < PARENTS && page.len > 0; i++) {
		struct slice is = pdf_find(r->pdf, pdf_get(page, "Resources"));

		if (is.len > 0)
			return is;
		page = pdf_find(r->pdf, pdf_get(page, "Parent"));
	}
	return SLICE("");
}

static void
add_stream(struct reader *r, struct buf *content, struct slice body)
{
	bool whole;

	buf_add(content, pdf_stream(r->pdf, body, &whole));
	buf_addc(content, '\n');
	r->whole = r->whole && whole;
}

/* One content may be in several streams, cut anywhere between two values. */
static void
read_page(struct reader *r, struct slice page, struct slice contents)
{
	struct slice list = pdf_find(r->pdf, contents), one;
	struct buf content = { 0 };

	r->resources = resources_of(r, page);
	r->font = NULL;
	if (slice_starts(list, SLICE("["))) {
		list = slice_after(list, 1);
		for (int i = 0; i < CONTENTS && pdf_value(list, &one, &list) &&
		    !slice_eq(one, SLICE("]")); i++)
			add_stream(r, &content, pdf_find(r->pdf, one));
	} else {
		add_stream(r, &content, list);
	}
	read_content(r, buf_slice(&content));
	buf_free(&content);
}

static void
read_form(struct reader *r, struct slice form)
{
	struct buf content = { 0 };

	r->resources = pdf_find(r->pdf, pdf_get(form, "Resources"));
	r->font = NULL;
	add_stream(r, &content, form);
	read_content(r, buf_slice(&content));
	buf_free(&content);
}

/* A string of a dictionary, or an object of its own. */
static struct slice
string_bytes(const struct reader *r, struct slice dictionary,
    struct slice value, struct slice string)
{
	struct buf bytes = buf_in(r->pdf->arena);
	bool within = value.ptr >= dictionary.ptr &&
	    value.ptr < dictionary.ptr + dictionary.len;

	pdf_string(string, &bytes);
	return pdf_decrypted(r->pdf, within ? dictionary : value, true,
	    buf_slice(&bytes));
}

static void
read_words(struct reader *r, struct slice dictionary)
{
	static const char *const keys[] = { "Contents", "V", "TU", "Title",
	    "Subject", "Keywords", NULL };

	for (const char *const *key = keys; *key != NULL; key++) {
		struct slice value = pdf_find(r->pdf, pdf_get(dictionary,
		    *key)), string, rest;
		struct buf out = { 0 };

		if (!text(value) || !pdf_value(value, &string, &rest))
			continue;
		pdf_words(string_bytes(r, dictionary, value, string), &out);
		put(r, buf_slice(&out));
		apart(r, SLICE("\n"));
		buf_free(&out);
	}
}

bool
pdf_text(struct pdf *pdf, size_t max, struct buf *out)
{
	struct reader *r = arena_alloc(pdf->arena, sizeof *r);

	r->pdf = pdf;
	r->out = out;
	r->max = max;
	r->whole = true;
	for (size_t i = 0; i < pdf->n; i++) {
		struct slice body = pdf->objects[i].body;
		struct slice contents = pdf_get(body, "Contents");

		read_words(r, body);
		if (contents.len > 0 && !text(contents))
			read_page(r, body, contents);
		else if (slice_eq(pdf_get(body, "Subtype"), SLICE("/Form")))
			read_form(r, body);
	}
	return r->whole && pdf->whole;
}
