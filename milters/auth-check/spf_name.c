#include "spf_name.h"

#include <idn2.h>
#include <string.h>

/* Multi-label, no label empty or over 63 bytes, visible ASCII, and the last
 * one is no number: "[192.0.2.1]" and "192.0.2.1" are no domains (4.3). */
static bool
is_domain(struct slice s)
{
	struct slice rest = s, label = SLICE("");
	size_t labels = 0;
	uint64_t number;

	if (s.len > DNS_NAME_MAX || slice_has(s, '['))
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] < '!' || s.ptr[i] > '~')
			return false;
	while (rest.ptr != NULL) {
		label = slice_cut(rest, '.', &rest);
		if (label.len == 0 || label.len > 63)
			return false;
		labels++;
	}
	return labels > 1 && !slice_number(label, UINT64_MAX, &number);
}

static bool
is_ascii(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.ptr[i] >= 0x80)
			return false;
	return true;
}

/* U-labels become A-labels (4.3; RFC 5890). */
static bool
to_ascii(struct arena *a, struct slice text, struct slice *ascii_r)
{
	char *out = NULL;
	bool good;

	if (text.len > 4 * DNS_NAME_MAX ||
	    memchr(text.ptr, '\0', text.len) != NULL)
		return false;
	good = idn2_to_ascii_8z(arena_str(a, text), &out,
	    IDN2_NONTRANSITIONAL) == IDN2_OK;
	if (good)
		*ascii_r = arena_copy(a, slice_of(out));
	idn2_free(out);
	return good;
}

bool
spf_domain(struct arena *a, struct slice text, struct slice *domain_r)
{
	char *lower;

	if (!is_ascii(text) && !to_ascii(a, text, &text))
		return false;
	if (text.len > 0 && text.ptr[text.len - 1] == '.')
		text.len--;
	if (!is_domain(text))
		return false;
	lower = arena_alloc(a, text.len + 1);
	for (size_t i = 0; i < text.len; i++)
		lower[i] = ascii_lower(text.ptr[i]);
	*domain_r = slice_make(lower, text.len);
	return true;
}

bool
spf_askable(struct slice s)
{
	struct slice label;

	if (s.len == 0 || s.len > DNS_NAME_MAX)
		return false;
	while (s.ptr != NULL) {
		label = slice_cut(s, '.', &s);
		if (label.len == 0 || label.len > 63)
			return false;
	}
	return true;
}

struct slice
spf_helo(struct arena *a, struct slice helo)
{
	struct slice domain;

	return !is_ascii(helo) && spf_domain(a, helo, &domain) ? domain : helo;
}

bool
spf_identity(struct arena *a, const struct spf_query *q,
    struct slice *local_r, struct slice *domain_r)
{
	size_t at = slice_find_last(q->sender, '@');
	struct slice domain = q->helo;

	*local_r = SLICE("postmaster");
	if (q->sender.len > 0) {
		domain = slice_after(q->sender, at + 1);
		if (at > 0 && at < q->sender.len)
			*local_r = slice_sub(q->sender, 0, at);
	}
	*domain_r = domain;
	return spf_domain(a, domain, domain_r);
}

struct slice
spf_printable(struct arena *a, struct slice s, size_t max)
{
	char *copy;
	size_t len = s.len < max ? s.len : max;

	copy = arena_alloc(a, len + 1);
	for (size_t i = 0; i < len; i++)
		copy[i] = s.ptr[i] >= ' ' && s.ptr[i] <= '~' ? s.ptr[i] : '?';
	return slice_make(copy, len);
}

struct slice
spf_unescape(struct arena *a, struct slice name)
{
	char *out;
	size_t n = 0;
	uint64_t byte;

	if (!slice_has(name, '\\'))
		return name;
	out = arena_alloc(a, name.len + 1);
	for (size_t i = 0; i < name.len; i++) {
		if (name.ptr[i] == '\\' && slice_sub(name, i + 1, 3).len == 3 &&
		    slice_number(slice_sub(name, i + 1, 3), 255, &byte) &&
		    byte != '.') {
			out[n++] = (char)byte;
			i += 3;
		} else {
			out[n++] = name.ptr[i];
		}
	}
	return slice_make(out, n);
}
