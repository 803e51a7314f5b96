#include "list_uri.h"

#include "base/buf.h"
#include "text/address.h"

enum { URI_MAX = 4000, DEPTH = 50 };

/* Behind the comment that begins there; the end where it does not end. */
static size_t
skip_comment(struct slice s, size_t at)
{
	unsigned depth = 0;

	for (; at < s.len; at++) {
		char c = s.ptr[at];

		if (c == '\\')
			at++;
		else if (c == '(' && ++depth > DEPTH)
			return s.len;
		else if (c == ')' && --depth == 0)
			return at + 1;
	}
	return s.len;
}

/* RFC 3986: unreserved, reserved and percent signs. */
static bool
uri_bytes(struct slice s)
{
	return s.len <= URI_MAX &&
	    ascii_all_of(s, "-._~:/?#[]@!$&'()*+,;=%");
}

/* A host: no name of a user before it, which would hide it. */
static bool
good_web(struct slice behind)
{
	size_t end = 0;
	struct slice host;

	if (!slice_starts(behind, SLICE("//")))
		return false;
	behind = slice_after(behind, 2);
	while (end < behind.len && behind.ptr[end] != '/' &&
	    behind.ptr[end] != '?' && behind.ptr[end] != '#')
		end++;
	host = slice_sub(behind, 0, end);
	return host.len > 0 && host.ptr[0] != ':' && !slice_has(host, '@');
}

static bool
good_mail(struct slice behind)
{
	struct slice local, domain, rest;

	behind = slice_cut(behind, '?', &rest);
	return address_split(behind, &local, &domain) && local.len > 0 &&
	    domain.len > 0;
}

static void
read_uri(struct arena *a, struct slice inside, struct list_uri *u)
{
	struct buf b = buf_in(a);
	struct slice scheme, behind;

	for (size_t i = 0; i < inside.len; i++)
		if (!ascii_space(inside.ptr[i]))
			buf_addc(&b, inside.ptr[i]);
	u->uri = buf_slice(&b);
	scheme = slice_cut(u->uri, ':', &behind);
	u->scheme = LIST_OTHER;
	u->good = false;
	if (behind.ptr == NULL || !uri_bytes(u->uri))
		return;
	if (slice_eq_nocase(scheme, SLICE("mailto"))) {
		u->scheme = LIST_MAILTO;
		u->good = good_mail(behind);
	} else if (slice_eq_nocase(scheme, SLICE("https"))) {
		u->scheme = LIST_HTTPS;
		u->good = good_web(behind);
	} else if (slice_eq_nocase(scheme, SLICE("http"))) {
		u->scheme = LIST_HTTP;
		u->good = good_web(behind);
	}
}

size_t
list_uris(struct arena *a, struct slice value,
    struct list_uri uris_r[LIST_URIS])
{
	size_t n = 0, at = 0;

	while (at < value.len && n < LIST_URIS) {
		struct slice rest = slice_after(value, at);

		if (rest.ptr[0] == '(') {
			at = skip_comment(value, at);
			continue;
		}
		at++;
		if (rest.ptr[0] != '<')
			continue;
		rest = slice_after(value, at);
		if (slice_find(rest, '>') == rest.len)
			break;
		read_uri(a, slice_sub(rest, 0, slice_find(rest, '>')),
		    &uris_r[n++]);
		at += slice_find(rest, '>') + 1;
	}
	return n;
}
