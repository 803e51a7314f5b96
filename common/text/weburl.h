/*
 * weburl - an URL as browsers read it (WHATWG URL, of 2026)
 *
 * Who is led where is decided by the reader's browser, so its rules count, and
 * all its kindness: blanks and controls around, tabs and line ends within,
 * backslashes, any number of slashes, names in percent-encoding, full-width
 * letters, IDNA, IPv4 addresses as one number, in octal or in hexadecimal.
 *
 * weburl_read	an absolute URL of any scheme, from UTF-8. False: a browser
 *		would not go there (no scheme, a broken host or port). At most
 *		WEBURL_MAX bytes are read; `cut` says that there was more
 * weburl_print	as one text: the form in which two ways to write one URL are
 *		the same. No userinfo, no fragment
 *
 * Slices are in the arena. Names that browsers take though IDNA2008 does not
 * (emoji, hyphens) become A-labels as well. Pure; thread-safe; linear.
 */
#ifndef TEXT_WEBURL_H
#define TEXT_WEBURL_H

#include "base/arena.h"

enum { WEBURL_MAX = 8192 };

struct weburl {
	struct slice scheme;		/* lower case, no colon */
	bool user;			/* something@ before the host */
	struct slice userinfo;		/* that, as written; or none */
	struct slice host;		/* A-labels in lower case, no final dot;
					   an address; empty: leads to none */
	bool numeric;			/* dotted quad, or IPv6 (RFC 5952) without
					   brackets */
	bool odd_numeric;		/* and it was written another way */
	unsigned port;			/* 0: the usual one of its scheme */
	struct slice path;		/* dots resolved; opaque for data: */
	struct slice query, fragment;	/* without '?' and '#'; or none */
	bool special;			/* http, https, ftp, ws, wss, file */
	bool cut;
};

bool weburl_read(struct arena *a, struct slice text, struct weburl *url_r);
struct slice weburl_print(struct arena *a, const struct weburl *url);
/* http or https, with a host. */
bool weburl_web(const struct weburl *url);

/* For weburl.c: the host of a special URL. False: there is no such host. */
bool weburl_host(struct arena *a, struct slice written, struct weburl *url_r);

#endif
