#include "cells/unpack/pdf_object.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/buf.h"

enum {
	OBJECTS = 200000, NESTED = 60, INFLATED = 64 << 20, FILTERS = 4,
	PIECE = 64 * 1024, LAST = 4096,
};

/* ---- values ---- */

static bool
blank(char c)
{
	return ascii_space(c) || c == '\f' || c == '\0';
}

static bool
delimits(char c)
{
	return blank(c) || (c != '\0' && strchr("()<>[]{}/%", c) != NULL);
}

static struct slice
skip_blank(struct slice s)
{
	for (;;) {
		while (s.len > 0 && blank(s.ptr[0]))
			s = slice_after(s, 1);
		if (s.len == 0 || s.ptr[0] != '%')
			return s;
		while (s.len > 0 && s.ptr[0] != '\n' && s.ptr[0] != '\r')
			s = slice_after(s, 1);
	}
}

/* "(...)", with what is nested and escaped. */
static size_t
text_end(struct slice s)
{
	unsigned depth = 0;

	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] == '\\')
			i++;
		else if (s.ptr[i] == '(')
			depth++;
		else if (s.ptr[i] == ')' && --depth == 0)
			return i + 1;
	}
	return s.len;
}

static size_t
word_end(struct slice s)
{
	size_t i = 1;

	while (i < s.len && !delimits(s.ptr[i]))
		i++;
	return i;
}

/* "<<...>>" or "[...]": by counting, so that depth costs nothing. */
static size_t
group_end(struct slice s)
{
	unsigned depth = 0;

	for (size_t i = 0; i < s.len; ) {
		struct slice rest = slice_after(s, i);
		char c = rest.ptr[0];

		if (c == '(') {
			i += text_end(rest);
		} else if (c == '%') {
			i = s.len - skip_blank(rest).len;
		} else if (c == '[' || slice_starts(rest, SLICE("<<"))) {
			if (++depth > NESTED)
				return s.len;
			i += c == '[' ? 1 : 2;
		} else if (c == ']' || slice_starts(rest, SLICE(">>"))) {
			i += c == ']' ? 1 : 2;
			if (--depth == 0)
				return i;
		} else {
			i++;
		}
	}
	return s.len;
}

static size_t
value_end(struct slice s)
{
	char c = s.ptr[0];

	if (c == '(')
		return text_end(s);
	if (c == '[' || slice_starts(s, SLICE("<<")))
		return group_end(s);
	if (c == '<')
		return slice_find(s, '>') + (slice_find(s, '>') < s.len);
	return word_end(s);
}

/* "12 0 R" is one value; how long it is, 0: none. */
static size_t
reference(struct slice s)
{
	size_t i = 0;

	for (int n = 0; n < 2; n++) {
		size_t from = i;

		while (i < s.len && ascii_digit(s.ptr[i]))
			i++;
		if (i == from || i == s.len || !blank(s.ptr[i]))
			return 0;
		while (i < s.len && blank(s.ptr[i]))
			i++;
	}
	return i < s.len && s.ptr[i] == 'R' && (i + 1 == s.len ||
	    delimits(s.ptr[i + 1])) ? i + 1 : 0;
}

bool
pdf_value(struct slice s, struct slice *value_r, struct slice *rest_r)
{
	size_t n;

	s = skip_blank(s);
	if (s.len == 0)
		return false;
	n = ascii_digit(s.ptr[0]) ? reference(s) : 0;
	if (n == 0)
		n = value_end(s);
	*value_r = slice_sub(s, 0, n);
	*rest_r = slice_after(s, n);
	return true;
}

struct slice
pdf_get(struct slice dictionary, const char *key)
{
	struct slice rest = skip_blank(dictionary), name, value;

	if (!slice_starts(rest, SLICE("<<")))
		return SLICE("");
	rest = slice_after(rest, 2);
	while (pdf_value(rest, &name, &rest) &&
	    slice_starts(name, SLICE("/"))) {
		if (!pdf_value(rest, &value, &rest))
			break;
		if (slice_eq(slice_after(name, 1), slice_of(key)))
			return value;
	}
	return SLICE("");
}

/* ---- objects ---- */

static int
by_number(const void *a, const void *b)
{
	const struct pdf_object *x = a, *y = b;

	if (x->number != y->number)
		return x->number < y->number ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

struct slice
pdf_find(const struct pdf *pdf, struct slice value)
{
	size_t low = 0, high = pdf->n, digits = 0;
	uint64_t number;

	if (reference(value) == 0)
		return value;
	while (ascii_digit(value.ptr[digits]))
		digits++;
	if (!slice_number(slice_sub(value, 0, digits), UINT32_MAX - 1,
	    &number))
		return SLICE("");
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (pdf->objects[mid].number <= number)
			low = mid + 1;
		else
			high = mid;
	}
	return low > 0 && pdf->objects[low - 1].number == number ?
	    skip_blank(pdf->objects[low - 1].body) : SLICE("");
}

static void
add(struct pdf *pdf, uint64_t number, struct slice body)
{
	if (pdf->n == OBJECTS) {
		pdf->whole = false;
		return;
	}
	if (pdf->n == pdf->cap) {
		struct pdf_object *more = arena_array(pdf->arena,
		    pdf->cap * 2 + 256, sizeof *more);

		if (pdf->n > 0)
			memcpy(more, pdf->objects, pdf->n * sizeof *more);
		pdf->objects = more;
		pdf->cap = pdf->cap * 2 + 256;
	}
	pdf->objects[pdf->n] = (struct pdf_object){ (uint32_t)number,
	    (uint32_t)pdf->n, body };
	pdf->n++;
}

/* The number of "N G obj" whose word begins at `at`; false: it is none. */
static bool
number_before(struct slice bytes, size_t at, uint64_t *number_r)
{
	size_t i = at, end;

	for (int n = 0; n < 2; n++) {
		while (i > 0 && blank(bytes.ptr[i - 1]))
			i--;
		end = i;
		while (i > 0 && ascii_digit(bytes.ptr[i - 1]) && end - i < 10)
			i--;
		if (i == end)
			return false;
	}
	return slice_number(slice_sub(bytes, i, end - i), UINT32_MAX - 1,
	    number_r);
}

static void
top_objects(struct pdf *pdf, struct slice bytes)
{
	struct slice word = SLICE("obj");
	size_t at = 0, last = SIZE_MAX;
	uint64_t number = 0, next_number;

	for (;;) {
		size_t next = at + slice_search(slice_after(bytes, at), word);

		if (next >= bytes.len)
			break;
		at = next + word.len;
		if ((next >= 3 && slice_eq(slice_sub(bytes, next - 3, 3),
		    SLICE("end"))) ||
		    !number_before(bytes, next, &next_number))
			continue;
		if (last != SIZE_MAX)
			add(pdf, number, slice_sub(bytes, last, next - last));
		last = at;
		number = next_number;
	}
	if (last != SIZE_MAX)
		add(pdf, number, slice_after(bytes, last));
}

/* Number and place of the next one in an object stream. */
static bool
pair(struct slice *head, struct slice s, uint64_t first, uint64_t *number_r,
    uint64_t *at_r)
{
	struct slice value;

	return head->ptr < s.ptr + first && pdf_value(*head, &value, head) &&
	    slice_number(value, UINT32_MAX - 1, number_r) &&
	    pdf_value(*head, &value, head) &&
	    slice_number(value, s.len, at_r);
}

/* An object stream: pairs of number and place, then the objects. */
static void
inner_objects(struct pdf *pdf, struct slice body)
{
	bool whole;
	struct slice s = pdf_stream(pdf, body, &whole), head = s;
	uint64_t first, number, at, next;

	if (!whole)
		pdf->whole = false;
	if (!slice_number(pdf_get(body, "First"), s.len, &first) ||
	    !pair(&head, s, first, &number, &at))
		return;
	/* One ends where the next begins, so all are read once. */
	for (bool more = true; more && pdf->n < OBJECTS; at = next) {
		uint64_t this = number;

		more = pair(&head, s, first, &number, &next);
		if (!more)
			next = s.len;
		add(pdf, this, slice_sub(s, (size_t)(first + at),
		    next > at ? (size_t)(next - at) : LAST));
	}
}

void
pdf_index(struct pdf *pdf, struct slice bytes, struct arena *a)
{
	size_t n;

	*pdf = (struct pdf){ .arena = a, .whole = true };
	top_objects(pdf, bytes);
	n = pdf->n;
	for (size_t i = 0; i < n; i++)
		if (slice_eq(pdf_get(pdf->objects[i].body, "Type"),
		    SLICE("/ObjStm")))
			inner_objects(pdf, pdf->objects[i].body);
	if (pdf->n > 0)
		qsort(pdf->objects, pdf->n, sizeof *pdf->objects, by_number);
}

/* ---- streams ---- */

static struct slice
inflated(struct pdf *pdf, struct slice s, bool *whole_r)
{
	struct buf out = buf_in(pdf->arena);
	z_stream z = { .next_in = (Bytef *)(uintptr_t)s.ptr,
	    .avail_in = s.len < UINT32_MAX ? (uInt)s.len : UINT32_MAX };
	int rc = Z_OK;

	if (inflateInit(&z) != Z_OK)
		return SLICE("");
	while (rc == Z_OK && pdf->inflated < INFLATED) {
		z.next_out = (Bytef *)buf_room(&out, PIECE);
		z.avail_out = PIECE;
		rc = inflate(&z, Z_NO_FLUSH);
		buf_took(&out, PIECE - z.avail_out);
		pdf->inflated += PIECE - z.avail_out;
	}
	inflateEnd(&z);
	*whole_r = *whole_r && rc == Z_STREAM_END;
	return buf_slice(&out);
}

static struct slice
from_hex(struct pdf *pdf, struct slice s)
{
	struct buf out = buf_in(pdf->arena);
	int high = -1;

	for (size_t i = 0; i < s.len && s.ptr[i] != '>'; i++) {
		int digit = ascii_hex(s.ptr[i]);

		if (digit < 0)
			continue;
		if (high >= 0)
			buf_addc(&out, (char)(high << 4 | digit));
		high = high >= 0 ? -1 : digit;
	}
	if (high >= 0)
		buf_addc(&out, (char)(high << 4));
	return buf_slice(&out);
}

static struct slice
from_ascii85(struct pdf *pdf, struct slice s)
{
	struct buf out = buf_in(pdf->arena);
	uint32_t group = 0;
	unsigned n = 0;

	for (size_t i = 0; i < s.len && s.ptr[i] != '~'; i++) {
		if (s.ptr[i] == 'z' && n == 0)
			buf_add(&out, slice_make("\0\0\0\0", 4));
		if (s.ptr[i] < '!' || s.ptr[i] > 'u')
			continue;
		group = group * 85 + (uint32_t)(s.ptr[i] - '!');
		if (++n < 5)
			continue;
		for (n = 4; n > 0; n--)
			buf_addc(&out, (char)(group >> (n - 1) * 8));
		group = 0;
	}
	for (unsigned k = n; k > 0 && k < 5; k++)
		group = group * 85 + 84;
	for (unsigned k = 1; k < n; k++)
		buf_addc(&out, (char)(group >> (4 - k) * 8));
	return buf_slice(&out);
}

static struct slice
undo(struct pdf *pdf, struct slice filter, struct slice s, bool *whole_r)
{
	if (slice_eq(filter, SLICE("/FlateDecode")) ||
	    slice_eq(filter, SLICE("/Fl")))
		return inflated(pdf, s, whole_r);
	if (slice_eq(filter, SLICE("/ASCIIHexDecode")) ||
	    slice_eq(filter, SLICE("/AHx")))
		return from_hex(pdf, s);
	if (slice_eq(filter, SLICE("/ASCII85Decode")) ||
	    slice_eq(filter, SLICE("/A85")))
		return from_ascii85(pdf, s);
	*whole_r = false;
	return SLICE("");
}

static struct slice
raw(struct slice body)
{
	struct slice dictionary, s;
	size_t at;

	if (!pdf_value(body, &dictionary, &s))
		return SLICE("");
	s = skip_blank(s);
	if (!slice_starts(s, SLICE("stream")))
		return SLICE("");
	s = slice_after(s, 6);
	if (slice_starts(s, SLICE("\r\n")))
		s = slice_after(s, 2);
	else if (s.len > 0 && (s.ptr[0] == '\n' || s.ptr[0] == '\r'))
		s = slice_after(s, 1);
	at = slice_search(s, SLICE("endstream"));
	return slice_sub(s, 0, at);
}

struct slice
pdf_stream(struct pdf *pdf, struct slice body, bool *whole_r)
{
	struct slice s = raw(body), filter = pdf_find(pdf,
	    pdf_get(body, "Filter")), one;

	*whole_r = pdf->inflated < INFLATED;
	if (!*whole_r)
		return SLICE("");
	pdf->inflated += s.len;
	if (slice_starts(filter, SLICE("/")))
		return undo(pdf, slice_sub(filter, 0, word_end(filter)), s,
		    whole_r);
	if (slice_starts(filter, SLICE("[")))
		filter = slice_after(filter, 1);
	for (int i = 0; i < FILTERS && pdf_value(filter, &one, &filter) &&
	    slice_starts(one, SLICE("/")); i++)
		s = undo(pdf, one, s, whole_r);
	return s;
}
