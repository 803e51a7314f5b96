#include "html/ref.h"

#include <string.h>

#include "text/charset.h"
#include "text/utf8.h"

enum { NAME_MAX_LEN = 32, BARE_MAX = 6 };

/* What numbers 0x80 to 0x9f mean: windows-1252, where that has something. */
static const uint16_t gap[32] = {
	0x20ac, 0x81, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021,
	0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0x8d, 0x017d, 0x8f,
	0x90, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
	0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0x9d, 0x017e, 0x0178,
};

static uint32_t
code(uint32_t n)
{
	if (n == 0 || n > 0x10ffff || (n >= 0xd800 && n < 0xe000))
		return 0xfffd;
	return n >= 0x80 && n < 0xa0 ? gap[n - 0x80] : n;
}

static bool
number(struct slice in, struct html_ref *ref_r)
{
	size_t at = 2, from;
	bool hex = at < in.len && ascii_lower(in.ptr[at]) == 'x';
	uint32_t n = 0;

	at += hex;
	for (from = at; at < in.len; at++) {
		char c = in.ptr[at];

		if (hex ? ascii_hex(c) < 0 : !ascii_digit(c))
			break;
		if (n <= 0x10ffff)
			n = n * (hex ? 16 : 10) + (uint32_t)ascii_hex(c);
	}
	if (at == from)
		return false;
	*ref_r = (struct html_ref){ .cp = { code(n) },
		.len = at + (at < in.len && in.ptr[at] == ';') };
	return true;
}

/* A table entry begins at p: its name against `name`. */
static int
compare(const char *p, struct slice name)
{
	size_t i = 0;

	for (; i < name.len && ascii_alnum(p[i]); i++)
		if (p[i] != name.ptr[i])
			return (unsigned char)p[i] < (unsigned char)name.ptr[i]
			    ? -1 : 1;
	if (i < name.len)
		return -1;
	return ascii_alnum(p[i]) ? 1 : 0;
}

/* Behind the name in its entry: the mark; NULL for an unknown name. */
static const char *
look_up(struct slice name)
{
	size_t low = 0, high = html_ref_lines;

	while (high - low > 1) {
		size_t mid = low + (high - low) / 2;

		if (compare(html_ref_names[mid], name) <= 0)
			low = mid;
		else
			high = mid;
	}
	for (const char *p = html_ref_names[low]; p != NULL;) {
		if (compare(p, name) == 0)
			return p + name.len;
		p = strchr(p, ' ');
		if (p != NULL)
			p++;
	}
	return NULL;
}

static void
codes(const char *p, struct html_ref *ref_r)
{
	size_t n = 0;

	ref_r->cp[0] = ref_r->cp[1] = 0;
	for (; *p != '\0' && *p != ' ' && n < 2; p++) {
		if (*p == '.')
			n++;
		else
			ref_r->cp[n] = ref_r->cp[n] << 4 |
			    (uint32_t)ascii_hex(*p);
	}
}

static bool
named(struct slice in, bool attribute, struct html_ref *ref_r)
{
	size_t run = 0;
	const char *mark = NULL;

	while (run < NAME_MAX_LEN && 1 + run < in.len &&
	    ascii_alnum(in.ptr[1 + run]))
		run++;
	if (1 + run < in.len && in.ptr[1 + run] == ';')
		mark = look_up(slice_sub(in, 1, run));
	if (mark != NULL) {
		ref_r->len = run + 2;
		codes(mark + 1, ref_r);
		return true;
	}
	for (size_t n = run < BARE_MAX ? run : BARE_MAX; n >= 2; n--) {
		char next = 1 + n < in.len ? in.ptr[1 + n] : '\0';

		mark = look_up(slice_sub(in, 1, n));
		if (mark == NULL || *mark != '!')
			continue;
		/* ?a=1&copy=2 is a query, not a copyright sign. */
		if (attribute && (next == '=' || ascii_alnum(next)))
			return false;
		ref_r->len = 1 + n;
		codes(mark + 1, ref_r);
		return true;
	}
	return false;
}

bool
html_ref(struct slice in, size_t at, bool attribute, struct html_ref *ref_r)
{
	in = slice_after(in, at);
	if (in.len < 3 || in.ptr[0] != '&')
		return false;
	if (in.ptr[1] == '#')
		return number(in, ref_r);
	return ascii_alpha(in.ptr[1]) && named(in, attribute, ref_r);
}

size_t
html_ref_put(char out[8], const struct html_ref *ref)
{
	size_t n = utf8_put(out, ref->cp[0]);

	if (ref->cp[1] != 0)
		n += utf8_put(out + n, ref->cp[1]);
	return n;
}

/* The next reference from `at` on; raw.len: there is none. */
static size_t
next_ref(struct slice raw, size_t at, bool attribute, struct html_ref *ref_r)
{
	for (; at < raw.len; at++) {
		at += slice_find(slice_after(raw, at), '&');
		if (at < raw.len && html_ref(raw, at, attribute, ref_r))
			break;
	}
	return at < raw.len ? at : raw.len;
}

bool
html_unref(struct slice charset, struct slice raw, bool attribute, size_t max,
    struct buf *out)
{
	size_t end = out->len + max;
	struct html_ref ref;

	for (size_t from = 0, at; from < raw.len; from = at + ref.len) {
		char bytes[8];
		size_t n;

		at = next_ref(raw, from, attribute, &ref);
		if (at > from && (charset_utf8(charset, slice_sub(raw, from,
		    at - from), end - out->len, out) & CHARSET_CUT) != 0)
			return false;
		if (at == raw.len)
			break;
		n = html_ref_put(bytes, &ref);
		if (n > end - out->len)
			return false;
		buf_add(out, slice_make(bytes, n));
	}
	return true;
}
