#include "net/url.h"

static bool
host_good(struct slice s, bool literal)
{
	for (size_t i = 0; i < s.len; i++)
		if (!ascii_alnum(s.ptr[i]) && s.ptr[i] != '.' &&
		    s.ptr[i] != '-' && s.ptr[i] != '_' &&
		    !(literal && s.ptr[i] == ':'))
			return false;
	return s.len > 0 && s.len < 256;
}

/* HOST[:PORT], the whole of it. */
static bool
host_port(struct slice s, unsigned none, struct url *u)
{
	uint64_t port = none;
	bool literal = s.len > 0 && s.ptr[0] == '[';

	if (literal) {
		size_t end = slice_find(s, ']');

		u->host = slice_sub(s, 1, end - 1);
		if (end == s.len)
			return false;
		s = slice_after(s, end + 1);
	} else {
		u->host = slice_sub(s, 0, slice_find(s, ':'));
		s = slice_after(s, u->host.len);
	}
	if (s.len > 0 && (s.ptr[0] != ':' ||
	    !slice_number(slice_after(s, 1), 65535, &port)))
		return false;
	u->port = (unsigned)port;
	return port > 0 && host_good(u->host, literal);
}

bool
url_parse(struct slice text, struct url *url_r)
{
	struct slice rest;
	bool tls = slice_starts(text, SLICE("https://"));
	size_t at;

	if (!tls && !slice_starts(text, SLICE("http://")))
		return false;
	url_r->scheme = slice_sub(text, 0, tls ? 5 : 4);
	rest = slice_after(text, url_r->scheme.len + 3);
	at = slice_find(rest, '/');
	url_r->path = at < rest.len ? slice_after(rest, at) : SLICE("/");
	for (size_t i = 0; i < url_r->path.len; i++)
		if (url_r->path.ptr[i] <= ' ' || url_r->path.ptr[i] > '~' ||
		    url_r->path.ptr[i] == '#')
			return false;
	return host_port(slice_sub(rest, 0, at), tls ? 443 : 80, url_r);
}

bool
syslog_parse(struct slice text, struct url *url_r)
{
	struct slice rest;

	url_r->scheme = slice_cut(text, ':', &rest);
	url_r->path = SLICE("/");
	if (slice_eq(url_r->scheme, SLICE("unix"))) {
		url_r->path = rest;
		return rest.len > 1 && rest.len < 100 && rest.ptr[0] == '/';
	}
	if (!slice_eq(url_r->scheme, SLICE("udp")) &&
	    !slice_eq(url_r->scheme, SLICE("tcp")))
		return false;
	return rest.ptr != NULL && host_port(rest, 0, url_r);
}
