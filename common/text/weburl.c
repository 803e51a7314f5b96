#include "text/weburl.h"

#include <string.h>

#include "base/buf.h"

static const struct scheme {
	struct slice name;
	unsigned port;
} specials[] = {
	{ { "http", 4 }, 80 }, { { "https", 5 }, 443 }, { { "ftp", 3 }, 21 },
	{ { "ws", 2 }, 80 }, { { "wss", 3 }, 443 }, { { "file", 4 }, 0 },
};

static const struct scheme *
special(struct slice name)
{
	for (size_t i = 0; i < sizeof specials / sizeof *specials; i++)
		if (slice_eq(specials[i].name, name))
			return &specials[i];
	return NULL;
}

/* Without what is around it, and without tabs and line ends within. */
static struct slice
clean(struct arena *a, struct slice s)
{
	char *out;
	size_t n = 0;

	while (s.len > 0 && (unsigned char)s.ptr[0] <= ' ')
		s = slice_after(s, 1);
	while (s.len > 0 && (unsigned char)s.ptr[s.len - 1] <= ' ')
		s.len--;
	out = arena_alloc(a, s.len + 1);
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] != '\t' && s.ptr[i] != '\r' && s.ptr[i] != '\n')
			out[n++] = s.ptr[i];
	return slice_make(out, n);
}

static bool
take_scheme(struct arena *a, struct slice *rest, struct slice *scheme_r)
{
	size_t colon = slice_find(*rest, ':');
	struct slice name = slice_sub(*rest, 0, colon);
	char *out;

	if (colon == rest->len || colon == 0 || !ascii_alpha(name.ptr[0]) ||
	    !ascii_all_of(name, "+-."))
		return false;
	out = arena_alloc(a, name.len + 1);
	for (size_t i = 0; i < name.len; i++)
		out[i] = ascii_lower(name.ptr[i]);
	*scheme_r = slice_make(out, name.len);
	*rest = slice_after(*rest, colon + 1);
	return true;
}

static bool
slash(const struct weburl *url, char c)
{
	return c == '/' || (url->special && c == '\\');
}

static size_t
until_slash(const struct weburl *url, struct slice s)
{
	size_t n = 0;

	while (n < s.len && !slash(url, s.ptr[n]) && s.ptr[n] != '?' &&
	    s.ptr[n] != '#')
		n++;
	return n;
}

/* What stands as %XX in each part, beside controls and bytes over 0x7e. */
static const char in_opaque[] = "", in_fragment[] = " \"<>`",
    in_query[] = " \"#<>'", in_path[] = " \"#<>?`{}^";

static void
encode(struct buf *out, struct slice s, const char *these)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];

		if (c < 0x20 || c > 0x7e || strchr(these, c) != NULL)
			buf_addf(out, "%%%02X", c);
		else
			buf_addc(out, (char)c);
	}
}

static struct slice
encoded(struct arena *a, struct slice s, const char *these)
{
	struct buf out = buf_in(a);

	encode(&out, s, these);
	return buf_slice(&out);
}

/* "Forbidden host code points": of hosts that no scheme of ours explains. */
static bool
opaque_host(struct arena *a, struct slice written, struct weburl *url)
{
	static const char never[] = "\t\n\r #/:<>?@[\\]^|";

	for (size_t i = 0; i < written.len; i++)
		if (strchr(never, written.ptr[i]) != NULL)
			return false;
	url->host = encoded(a, written, in_opaque);
	return true;
}

static bool
read_host(struct arena *a, struct slice written, struct weburl *url)
{
	return url->special || slice_starts(written, SLICE("[")) ?
	    weburl_host(a, written, url) : opaque_host(a, written, url);
}

/* host[:port]; the colons of an IPv6 address are in brackets. */
static bool
read_host_port(struct arena *a, struct slice s, struct weburl *url)
{
	const struct scheme *known = special(url->scheme);
	size_t at = 0;
	bool bracket = false;
	uint64_t port = 0;

	for (; at < s.len && (s.ptr[at] != ':' || bracket); at++) {
		bracket = bracket || s.ptr[at] == '[';
		bracket = bracket && s.ptr[at] != ']';
	}
	if (at == 0 && (url->special || at < s.len))
		return false;
	if (at > 0 && !read_host(a, slice_sub(s, 0, at), url))
		return false;
	s = slice_after(s, at + 1);
	if (s.len > 0 && !slice_number(s, 65535, &port))
		return false;
	url->port = known != NULL && known->port == port ? 0 : (unsigned)port;
	return true;
}

static bool
read_authority(struct arena *a, struct slice *rest, struct weburl *url)
{
	size_t end = until_slash(url, *rest), at;
	struct slice s = slice_sub(*rest, 0, end);

	*rest = slice_after(*rest, end);
	at = slice_find_last(s, '@');
	if (at < s.len) {
		url->user = true;
		url->userinfo = slice_sub(s, 0, at);
		s = slice_after(s, at + 1);
		if (s.len == 0)
			return false;
	}
	return read_host_port(a, s, url);
}

/* file://host/path, file:/path, file:path; localhost is none. */
static bool
read_file(struct arena *a, struct slice *rest, struct weburl *url)
{
	struct slice s = *rest;
	size_t end;

	if (s.len < 2 || !slash(url, s.ptr[0]) || !slash(url, s.ptr[1]))
		return true;
	s = slice_after(s, 2);
	end = until_slash(url, s);
	/* C: is the first part of a path (Windows). */
	if (end == 2 && ascii_alpha(s.ptr[0]) &&
	    (s.ptr[1] == ':' || s.ptr[1] == '|')) {
		*rest = s;
		return true;
	}
	*rest = slice_after(s, end);
	if (end == 0)
		return true;
	if (!weburl_host(a, slice_sub(s, 0, end), url))
		return false;
	if (slice_eq(url->host, SLICE("localhost")))
		url->host = SLICE("");
	return true;
}

/* ".", "..", with any of the dots as %2e: how many dots; 0: another name. */
static unsigned
dots(struct slice s)
{
	unsigned n = 0;

	while (s.len > 0 && n < 3) {
		if (s.ptr[0] == '.')
			s = slice_after(s, 1);
		else if (slice_starts_nocase(s, SLICE("%2e")))
			s = slice_after(s, 3);
		else
			return 0;
		n++;
	}
	return n < 3 ? n : 0;
}

static void
drop_last(struct buf *path)
{
	size_t at = slice_find_last(buf_slice(path), '/');

	path->len = at < path->len ? at : 0;
}

static struct slice
read_path(struct arena *a, struct slice s, const struct weburl *url)
{
	struct buf path = buf_in(a);
	bool more = s.len > 0;

	if (!more)
		return url->special ? SLICE("/") : SLICE("");
	if (slash(url, s.ptr[0]))
		s = slice_after(s, 1);
	while (more) {
		size_t end = until_slash(url, s);
		struct slice part = slice_sub(s, 0, end);
		unsigned n = dots(part);

		more = end < s.len;
		s = slice_after(s, end + 1);
		if (n == 2)
			drop_last(&path);
		if (n == 0 || !more)
			buf_addc(&path, '/');
		if (n == 0)
			encode(&path, part, in_path);
	}
	return buf_slice(&path);
}

/* Opaque paths stay as they are; else dots are resolved. */
static void
read_rest(struct arena *a, struct slice rest, bool opaque, struct weburl *url)
{
	size_t hash = slice_find(rest, '#'), ask;

	if (hash < rest.len)
		url->fragment = encoded(a, slice_after(rest, hash + 1),
		    in_fragment);
	rest = slice_sub(rest, 0, hash);
	ask = slice_find(rest, '?');
	if (ask < rest.len)
		url->query = encoded(a, slice_after(rest, ask + 1), in_query);
	rest = slice_sub(rest, 0, ask);
	url->path = opaque ? encoded(a, rest, in_opaque) :
	    read_path(a, rest, url);
}

bool
weburl_read(struct arena *a, struct slice text, struct weburl *url_r)
{
	struct slice rest = clean(a, slice_sub(text, 0, WEBURL_MAX));
	bool opaque = false, good = true;

	*url_r = (struct weburl){ .host = SLICE(""),
	    .cut = text.len > WEBURL_MAX };
	if (!take_scheme(a, &rest, &url_r->scheme))
		return false;
	url_r->special = special(url_r->scheme) != NULL;
	if (slice_eq(url_r->scheme, SLICE("file"))) {
		good = read_file(a, &rest, url_r);
	} else if (url_r->special) {
		while (rest.len > 0 && slash(url_r, rest.ptr[0]))
			rest = slice_after(rest, 1);
		good = read_authority(a, &rest, url_r);
	} else if (slice_starts(rest, SLICE("//"))) {
		rest = slice_after(rest, 2);
		good = read_authority(a, &rest, url_r);
	} else {
		opaque = !slice_starts(rest, SLICE("/"));
	}
	if (good)
		read_rest(a, rest, opaque, url_r);
	return good;
}

struct slice
weburl_print(struct arena *a, const struct weburl *url)
{
	struct buf out = buf_in(a);
	bool brackets = slice_has(url->host, ':');

	buf_add(&out, url->scheme);
	buf_adds(&out, ":");
	if (url->host.len > 0 || url->special)
		buf_addf(&out, "//%s%.*s%s", brackets ? "[" : "",
		    SLICE_ARG(url->host), brackets ? "]" : "");
	if (url->port != 0)
		buf_addf(&out, ":%u", url->port);
	buf_add(&out, url->path);
	if (url->query.ptr != NULL) {
		buf_addc(&out, '?');
		buf_add(&out, url->query);
	}
	return buf_slice(&out);
}

bool
weburl_web(const struct weburl *url)
{
	return url->host.len > 0 && (slice_eq(url->scheme, SLICE("http")) ||
	    slice_eq(url->scheme, SLICE("https")));
}
