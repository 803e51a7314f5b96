#include "base/slice.h"

#include <string.h>

struct slice
slice_of(const char *str)
{
	if (str == NULL)
		return SLICE_NONE;
	return (struct slice){ str, strlen(str) };
}

struct slice
slice_make(const void *ptr, size_t len)
{
	return (struct slice){ ptr, len };
}

bool
slice_eq(struct slice a, struct slice b)
{
	return a.len == b.len &&
	    (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

bool
slice_eq_nocase(struct slice a, struct slice b)
{
	return a.len == b.len && slice_starts_nocase(a, b);
}

int
slice_cmp(struct slice a, struct slice b)
{
	size_t least = a.len < b.len ? a.len : b.len;
	int order = least > 0 ? memcmp(a.ptr, b.ptr, least) : 0;

	if (order != 0)
		return order;
	return a.len < b.len ? -1 : a.len > b.len;
}

bool
slice_starts(struct slice s, struct slice with)
{
	return s.len >= with.len && slice_eq(slice_sub(s, 0, with.len), with);
}

bool
slice_starts_nocase(struct slice s, struct slice with)
{
	if (s.len < with.len)
		return false;
	for (size_t i = 0; i < with.len; i++)
		if (ascii_lower(s.ptr[i]) != ascii_lower(with.ptr[i]))
			return false;
	return true;
}

bool
slice_ends(struct slice s, struct slice with)
{
	return s.len >= with.len &&
	    slice_eq(slice_after(s, s.len - with.len), with);
}

bool
slice_ends_nocase(struct slice s, struct slice with)
{
	return s.len >= with.len &&
	    slice_eq_nocase(slice_after(s, s.len - with.len), with);
}

struct slice
slice_sub(struct slice s, size_t from, size_t len)
{
	if (s.ptr == NULL)
		return s;
	if (from > s.len)
		from = s.len;
	if (len > s.len - from)
		len = s.len - from;
	return (struct slice){ s.ptr + from, len };
}

struct slice
slice_after(struct slice s, size_t n)
{
	return slice_sub(s, n, s.len);
}

size_t
slice_find(struct slice s, char c)
{
	const char *at = s.len > 0 ? memchr(s.ptr, c, s.len) : NULL;

	return at != NULL ? (size_t)(at - s.ptr) : s.len;
}

size_t
slice_find_last(struct slice s, char c)
{
	const char *at = s.len > 0 ? memrchr(s.ptr, c, s.len) : NULL;

	return at != NULL ? (size_t)(at - s.ptr) : s.len;
}

/* memmem has a table to fill for each needle, and looks at nearly each byte for
 * a short one: memchr is quicker where its first byte is rare. Where it is not,
 * *from_r tells how far we came, and memmem goes on. */
static bool
hop(struct slice s, struct slice what, size_t *from_r)
{
	size_t at = 0, hops = 0;
	const char *p;

	while (s.len - at >= what.len) {
		p = memchr(s.ptr + at, what.ptr[0], s.len - at - what.len + 1);
		if (p == NULL)
			break;
		at = (size_t)(p - s.ptr);
		*from_r = at;
		if (memcmp(p, what.ptr, what.len) == 0)
			return true;
		if (++hops > 8 && at < hops * 16)
			return false;
		at++;
	}
	*from_r = s.len;
	return true;
}

size_t
slice_search(struct slice s, struct slice needle)
{
	const char *at;
	size_t from = 0;

	if (needle.len == 0)
		return 0;
	if (s.len < needle.len)
		return s.len;
	if (hop(s, needle, &from))
		return from;
	at = memmem(s.ptr + from, s.len - from, needle.ptr, needle.len);
	return at != NULL ? (size_t)(at - s.ptr) : s.len;
}

bool
slice_has(struct slice s, char c)
{
	return slice_find(s, c) < s.len;
}

struct slice
slice_trim(struct slice s)
{
	while (s.len > 0 && ascii_space(s.ptr[0])) {
		s.ptr++;
		s.len--;
	}
	while (s.len > 0 && ascii_space(s.ptr[s.len - 1]))
		s.len--;
	return s;
}

struct slice
slice_cut(struct slice s, char sep, struct slice *rest_r)
{
	size_t at = slice_find(s, sep);

	*rest_r = at < s.len ? slice_after(s, at + 1) : SLICE_NONE;
	return slice_sub(s, 0, at);
}

bool
slice_line(struct slice *rest, struct slice *line_r)
{
	if (rest->ptr == NULL || rest->len == 0)
		return false;
	*line_r = slice_cut(*rest, '\n', rest);
	if (line_r->len > 0 && line_r->ptr[line_r->len - 1] == '\r')
		line_r->len--;
	return true;
}

bool
slice_number(struct slice s, uint64_t max, uint64_t *value_r)
{
	uint64_t value = 0;

	if (s.len == 0)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		unsigned digit = (unsigned char)s.ptr[i] - '0';

		if (digit > 9 || value > (max - digit) / 10 || digit > max)
			return false;
		value = value * 10 + digit;
	}
	*value_r = value;
	return true;
}

bool
ascii_all_of(struct slice s, const char *also)
{
	for (size_t i = 0; i < s.len; i++)
		if (!ascii_alnum(s.ptr[i]) && !slice_has(slice_of(also),
		    s.ptr[i]))
			return false;
	return true;
}
