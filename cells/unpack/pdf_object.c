#include "cells/unpack/pdf_object.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "cells/unpack/pdf_filter.h"
#include "cells/unpack/pdf_font.h"

enum {
	OBJECTS = 200000, NESTED = 60, INFLATED = 64 << 20, FILTERS = 4,
	LAST = 4096, TRAILERS = 50,
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

/* A name may have any of its characters as #xx (ISO 32000-1, 7.3.5). */
bool
pdf_name_is(struct slice name, const char *key)
{
	size_t at = 0, len = strlen(key);

	if (name.len == len)
		return memcmp(name.ptr, key, len) == 0;
	for (size_t i = 0; i < name.len; i++, at++) {
		char c = name.ptr[i];

		if (c == '#' && i + 2 < name.len &&
		    ascii_hex(name.ptr[i + 1]) >= 0 &&
		    ascii_hex(name.ptr[i + 2]) >= 0) {
			c = (char)(ascii_hex(name.ptr[i + 1]) * 16 +
			    ascii_hex(name.ptr[i + 2]));
			i += 2;
		}
		if (at == len || c != key[at])
			return false;
	}
	return at == len;
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
		if (pdf_name_is(slice_after(name, 1), key))
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

static int
by_order(const void *a, const void *b)
{
	const struct pdf_object *x = a, *y = b;

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

/* Number and generation of "N G obj" whose word begins at `at`; false: it is
 * none. */
static bool
number_before(struct slice bytes, size_t at, uint64_t number_r[2])
{
	size_t i = at, end;

	for (int n = 1; n >= 0; n--) {
		while (i > 0 && blank(bytes.ptr[i - 1]))
			i--;
		end = i;
		while (i > 0 && ascii_digit(bytes.ptr[i - 1]) && end - i < 10)
			i--;
		if (!slice_number(slice_sub(bytes, i, end - i), UINT32_MAX - 1,
		    &number_r[n]))
			return false;
	}
	return true;
}

static void
top_objects(struct pdf *pdf, struct slice bytes)
{
	struct slice word = SLICE("obj");
	size_t at = 0, last = SIZE_MAX;
	uint64_t number = 0, next_number[2];

	for (;;) {
		size_t next = at + slice_search(slice_after(bytes, at), word);

		if (next >= bytes.len)
			break;
		at = next + word.len;
		if ((next >= 3 && slice_eq(slice_sub(bytes, next - 3, 3),
		    SLICE("end"))) ||
		    !number_before(bytes, next, next_number))
			continue;
		if (last != SIZE_MAX)
			add(pdf, number, slice_sub(bytes, last, next - last));
		last = at;
		number = next_number[0];
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

static void
sort(struct pdf *pdf, int (*by)(const void *a, const void *b))
{
	if (pdf->n > 0)
		qsort(pdf->objects, pdf->n, sizeof *pdf->objects, by);
}

/* How it is encrypted, by one trailer. A file whose trailers differ in that is
 * one thing to one reader and another to the next: it is locked. */
static void
unlock_by(struct pdf *pdf, struct slice trailer, unsigned *plain)
{
	struct slice how = pdf_find(pdf, pdf_get(trailer, "Encrypt"));
	struct slice ids = pdf_find(pdf, pdf_get(trailer, "ID")), id, rest;
	struct buf first = buf_in(pdf->arena);
	struct pdf_crypt before = pdf->crypt;

	*plain += how.len == 0 && pdf_get(trailer, "Root").len > 0;
	if (how.len == 0 || before.lock == PDF_LOCKED)
		return;
	if (slice_starts(ids, SLICE("[")) && pdf_value(slice_after(ids, 1),
	    &id, &rest))
		pdf_string(id, &first);
	pdf_crypt_open(pdf, how, buf_slice(&first), &pdf->crypt);
	if (before.lock == PDF_OPEN && memcmp(before.key, pdf->crypt.key,
	    sizeof before.key) != 0)
		pdf->crypt.lock = PDF_LOCKED;
}

/* A trailer is behind its word, or the dictionary of a table's stream. */
static void
unlock(struct pdf *pdf)
{
	struct slice word = SLICE("trailer"), rest = pdf->bytes;
	unsigned plain = 0, n = 0;

	for (; n < TRAILERS; n++) {
		size_t at = slice_search(rest, word);

		if (at == rest.len)
			break;
		rest = slice_after(rest, at + word.len);
		unlock_by(pdf, slice_sub(rest, 0, LAST), &plain);
	}
	for (size_t i = 0; i < pdf->n && n < TRAILERS; i++) {
		if (!slice_eq(pdf_get(pdf->objects[i].body, "Type"),
		    SLICE("/XRef")))
			continue;
		unlock_by(pdf, pdf->objects[i].body, &plain);
		n++;
	}
	if (pdf->crypt.lock == PDF_OPEN && (plain > 0 || n == TRAILERS))
		pdf->crypt.lock = PDF_LOCKED;
}

void
pdf_index(struct pdf *pdf, struct slice bytes, struct arena *a)
{
	size_t n;

	*pdf = (struct pdf){ .arena = a, .whole = true, .bytes = bytes,
	    .left = INFLATED };
	top_objects(pdf, bytes);
	sort(pdf, by_number);
	unlock(pdf);
	if (pdf->crypt.lock == PDF_LOCKED)
		return;
	/* Of streams of objects, too, the last one in the file counts. */
	sort(pdf, by_order);
	n = pdf->n;
	for (size_t i = 0; i < n; i++)
		if (slice_eq(pdf_get(pdf->objects[i].body, "Type"),
		    SLICE("/ObjStm")))
			inner_objects(pdf, pdf->objects[i].body);
	sort(pdf, by_number);
}

/* ---- streams ---- */

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

/* Whose object a body is: what stands before it in the file. Those of object
 * streams have no number of their own there, and are encrypted with these. */
static bool
identity(const struct pdf *pdf, struct slice body, uint64_t number_r[2])
{
	struct slice bytes = pdf->bytes;
	size_t at;

	if (body.ptr < bytes.ptr || body.ptr >= bytes.ptr + bytes.len)
		return false;
	at = (size_t)(body.ptr - bytes.ptr);
	while (at > 0 && blank(bytes.ptr[at - 1]))
		at--;
	return at >= 3 && slice_eq(slice_sub(bytes, at - 3, 3),
	    SLICE("obj")) && number_before(bytes, at - 3, number_r);
}

struct slice
pdf_decrypted(const struct pdf *pdf, struct slice body, bool string,
    struct slice s)
{
	uint64_t number[2];

	if (pdf->crypt.lock != PDF_OPEN || !identity(pdf, body, number))
		return s;
	return pdf_crypt_bytes(&pdf->crypt, string, (uint32_t)number[0],
	    (uint32_t)number[1], s, pdf->arena);
}

/* What is encrypted of a document that is: not its own tables, and not what
 * says so. */
static struct slice
opened(const struct pdf *pdf, struct slice body, struct slice filter,
    struct slice s)
{
	struct slice type = pdf_get(body, "Type");

	if (slice_eq(type, SLICE("/XRef")) ||
	    slice_search(filter, SLICE("/Crypt")) < filter.len ||
	    (slice_eq(type, SLICE("/Metadata")) && !pdf->crypt.metadata))
		return s;
	return pdf_decrypted(pdf, body, false, s);
}

/* The next value of a list, or the only one. */
static struct slice
next_of(const struct pdf *pdf, struct slice *list, bool *only)
{
	struct slice one = SLICE("");

	if (*only || !pdf_value(*list, &one, list) ||
	    slice_eq(one, SLICE("]")))
		return SLICE("");
	return pdf_find(pdf, one);
}

struct slice
pdf_stream(struct pdf *pdf, struct slice body, bool *whole_r)
{
	struct slice filters = pdf_find(pdf, pdf_get(body, "Filter"));
	struct slice parameters = pdf_find(pdf, pdf_get(body, "DecodeParms"));
	struct slice s = opened(pdf, body, filters, raw(body)), name;
	bool list = slice_starts(filters, SLICE("[")), done = false;
	bool parameters_list = slice_starts(parameters, SLICE("["));

	*whole_r = pdf->left >= s.len;
	if (!*whole_r)
		return SLICE("");
	pdf->left -= s.len;
	filters = slice_after(filters, list);
	parameters = slice_after(parameters, parameters_list);
	for (int i = 0; i < FILTERS && slice_starts(name = next_of(pdf,
	    &filters, &done), SLICE("/")); i++) {
		bool one = !parameters_list;
		struct slice p = one ? parameters : next_of(pdf, &parameters,
		    &one);

		name = slice_sub(name, 0, word_end(name));
		if (!slice_eq(name, SLICE("/Crypt")))
			s = pdf_filter_undo(pdf->arena, name, p, s,
			    &pdf->left, whole_r);
		done = !list;
	}
	return s;
}
