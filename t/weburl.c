/* URLs as browsers read them, and names in punycode. */
#include <arpa/inet.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text/punycode.h"
#include "text/weburl.h"
#include "t/tap.h"

static const struct {
	const char *text, *want;	/* NULL: none */
} urls[] = {
	{ "http://example.org/", "http://example.org/" },
	{ "HTTP:\\\\Example.ORG\\a\\..\\b", "http://example.org/b" },
	{ "  http:/\t/exa\tmple.org  ", "http://example.org/" },
	{ "https:example.org", "https://example.org/" },
	{ "https://///example.org//a", "https://example.org//a" },
	{ "http://bank.example@evil.example/", "http://evil.example/" },
	{ "http://bank.example\\@evil.example/",
	  "http://bank.example/@evil.example/" },
	{ "http://a@b@c.example/", "http://c.example/" },
	{ "http://%65xample.org", "http://example.org/" },
	{ "http://\xef\xbd\x85xample\xe3\x80\x82org", "http://example.org/" },
	{ "http://exa\xc2\xadmple.org", "http://example.org/" },
	{ "http://b\xc3\xbc" "cher.example",
	  "http://xn--bcher-kva.example/" },
	{ "http://\xf0\x9f\x92\xa9.example", "http://xn--ls8h.example/" },
	{ "http://ab--c\xc3\xa9.example", "http://xn--ab--c-fsa.example/" },
	{ "http://example.org./", "http://example.org/" },
	{ "http://127.1", "http://127.0.0.1/" },
	{ "http://0x7f.0.0.1", "http://127.0.0.1/" },
	{ "http://0177.0.0.01", "http://127.0.0.1/" },
	{ "http://2130706433", "http://127.0.0.1/" },
	{ "http://%30x7f.1", "http://127.0.0.1/" },
	{ "http://4294967296", NULL },
	{ "http://1.2.3.256", NULL },
	{ "http://1.2.3.4.5", NULL },
	{ "http://09", NULL },
	{ "http://[::1]:80/", "http://[::1]/" },
	{ "http://[0:0::1]:81/", "http://[::1]:81/" },
	{ "http://[::1", NULL },
	{ "http://a b.example", NULL },
	{ "http://", NULL },
	{ "http://@", NULL },
	{ "http://a:65536/", NULL },
	{ "http://a:08080/", "http://a:8080/" },
	{ "http://a/%2e%2E/b/./c?d e#f", "http://a/b/c?d%20e" },
	{ "mailto:a@b.example", "mailto:a@b.example" },
	{ "data:text/html,<b>", "data:text/html,<b>" },
	{ "javascript://%0aalert(1)", "javascript://%0aalert(1)" },
	{ "file:///etc/passwd", "file:///etc/passwd" },
	{ "file://server/share", "file://server/share" },
	{ "www.example.org", NULL },
	{ "//example.org/", NULL },
	{ "", NULL },
	{ ":", NULL },
};

static void
test_urls(struct arena *a)
{
	for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
		struct weburl url;
		bool good = weburl_read(a, slice_of(urls[i].text), &url);

		if (urls[i].want == NULL)
			tap_ok(!good, "%s is none", urls[i].text);
		else
			tap_is(good ? weburl_print(a, &url) : SLICE("none"),
			    slice_of(urls[i].want), "%s", urls[i].text);
	}
}

static void
test_parts(struct arena *a)
{
	struct weburl url;

	tap_ok(weburl_read(a, SLICE("https://u:p@h.example:444/p?q#f"), &url),
	    "an URL with all its parts");
	tap_is(url.scheme, SLICE("https"), "scheme");
	tap_ok(url.user && !url.numeric && url.special, "what it is");
	tap_is(url.userinfo, SLICE("u:p"), "userinfo");
	tap_is(url.host, SLICE("h.example"), "host");
	tap_is_int(url.port, 444, "port");
	tap_is(url.path, SLICE("/p"), "path");
	tap_is(url.query, SLICE("q"), "query");
	tap_is(url.fragment, SLICE("f"), "fragment");
	tap_ok(weburl_web(&url), "it is of the web");
	tap_ok(weburl_read(a, SLICE("data:,a"), &url) && !weburl_web(&url) &&
	    url.host.len == 0, "a data: URL is not, and has no host");
	tap_ok(weburl_read(a, SLICE("http://0x7f.1"), &url) && url.numeric &&
	    url.odd_numeric, "a number written to deceive");
	tap_ok(weburl_read(a, SLICE("http://127.0.0.1"), &url) && url.numeric &&
	    !url.odd_numeric, "and a plain one");
}

static void
test_bounds(struct arena *a)
{
	size_t len = 10 << 20;
	char *text = mem_alloc(len);
	struct weburl url;
	size_t used = arena_used(a);

	memset(text, '/', len);
	memcpy(text, "http://a.example", 16);
	tap_ok(weburl_read(a, slice_make(text, len), &url) && url.cut,
	    "10 MB of slashes are cut");
	tap_ok(url.path.len <= WEBURL_MAX, "at the limit");
	for (size_t i = 16; i + 3 <= len; i += 3)
		memcpy(text + i, "/..", 3);
	tap_ok(weburl_read(a, slice_make(text, len), &url), "and of dots");
	tap_ok(arena_used(a) - used < 200000, "little memory is used");
	memset(text + 7, '%', len - 7);
	tap_ok(!weburl_read(a, slice_make(text, len), &url),
	    "a host is no 10 MB of percent signs");
	free(text);
}

static const struct {
	const char *utf8, *label;
} labels[] = {
	{ "b\xc3\xbc" "cher", "xn--bcher-kva" },
	{ "\xd0\xbf\xd1\x80\xd0\xb8\xd0\xbc\xd0\xb5\xd1\x80",
	  "xn--e1afmkfd" },
	{ "\xe4\xbe\x8b\xe5\xad\x90", "xn--fsqu00a" },
	{ "\xf0\x9f\x92\xa9", "xn--ls8h" },
	{ "\xce\xb2\xcf\x8c\xce\xbb\xce\xbf\xcf\x82", "xn--nxasmm1c" },
};

static void
test_punycode(struct arena *a)
{
	struct buf out = buf_in(a);

	for (size_t i = 0; i < sizeof labels / sizeof *labels; i++) {
		buf_clear(&out);
		punycode_encode(slice_of(labels[i].utf8), &out);
		tap_is(buf_slice(&out), slice_of(labels[i].label),
		    "%s encoded", labels[i].utf8);
		buf_clear(&out);
		punycode_decode(slice_of(labels[i].label), &out);
		tap_is(buf_slice(&out), slice_of(labels[i].utf8),
		    "%s decoded", labels[i].label);
	}
	buf_clear(&out);
	tap_ok(!punycode_decode(SLICE("xn--"), &out) &&
	    !punycode_decode(SLICE("plain"), &out) &&
	    !punycode_decode(SLICE("xn--99999999"), &out) &&
	    !punycode_decode(SLICE("xn--a\xff"), &out) && out.len == 0,
	    "what is no label");
	tap_ok(!punycode_encode(SLICE(""), &out) &&
	    !punycode_encode(SLICE("\xff"), &out), "what is no text");
}

/* ---- WHATWG's own cases ---- */

static struct slice
str(const json_t *o, const char *key)
{
	return slice_of(json_string_value(json_object_get(o, key)));
}

static struct slice
plain_host(struct arena *a, struct slice host)
{
	struct in6_addr ip;
	char text[INET6_ADDRSTRLEN];

	if (slice_ends(host, SLICE(".")))
		host.len--;
	if (!slice_starts(host, SLICE("[")))
		return host;
	if (inet_pton(AF_INET6, arena_str(a, slice_sub(host, 1,
	    host.len - 2)), &ip) != 1)
		return host;
	inet_ntop(AF_INET6, &ip, text, sizeof text);
	return arena_copy(a, slice_of(text));
}

static bool
same_part(struct arena *a, const json_t *o, const char *key, const char *sign,
    struct slice got)
{
	struct slice want = str(o, key);

	/* An empty query or fragment is not told from none. */
	if (want.len == 0)
		return got.len == 0;
	return slice_eq(want, arena_printf(a, "%s%.*s", sign,
	    SLICE_ARG(got)));
}

static bool
same(struct arena *a, const json_t *o, const struct weburl *url)
{
	uint64_t port = 0;
	bool file = slice_eq(url->scheme, SLICE("file"));

	slice_number(str(o, "port"), 65535, &port);
	return slice_eq(str(o, "protocol"), arena_printf(a, "%.*s:",
	    SLICE_ARG(url->scheme))) && port == url->port &&
	    slice_eq(plain_host(a, str(o, "hostname")), url->host) &&
	    (!url->special || file ||
	    (same_part(a, o, "pathname", "", url->path) &&
	    same_part(a, o, "search", "?", url->query) &&
	    same_part(a, o, "hash", "#", url->fragment)));
}

/* Halves of surrogate pairs, which are no text, become U+FFFD: jansson takes no
 * file with them. */
static json_t *
load(const char *file)
{
	struct slice s = tap_file(file);
	char *at = (char *)(uintptr_t)s.ptr;
	json_t *all;

	for (size_t i = 0; i + 12 < s.len; i++) {
		bool escape = at[i] == '\\' && at[i + 1] == 'u' &&
		    ascii_lower(at[i + 2]) == 'd' && at[i + 3] >= '8';
		bool pair = escape && ascii_lower(at[i + 3]) <= 'b' &&
		    at[i + 6] == '\\' && at[i + 7] == 'u' &&
		    ascii_lower(at[i + 8]) == 'd' &&
		    ascii_lower(at[i + 9]) >= 'c';

		if (escape && !pair)
			memcpy(at + i + 2, "fffd", 4);
		i += pair ? 11 : 0;
	}
	all = json_loadb(s.ptr, s.len, JSON_ALLOW_NUL, NULL);
	free(at);
	return all;
}

/* What the cases want refused: we follow a name where some browser may. */
static unsigned
run_cases(struct arena *a, const char *file, unsigned *differ,
    unsigned *followed)
{
	json_t *all = load(file), *o;
	unsigned n = 0;
	size_t i;

	json_array_foreach(all, i, o) {
		struct weburl url;
		bool fails, good;

		if (!json_is_object(o) || json_is_string(json_object_get(o,
		    "base")) || !json_is_string(json_object_get(o, "input")))
			continue;
		fails = json_is_true(json_object_get(o, "failure"));
		good = weburl_read(a, slice_make(json_string_value(
		    json_object_get(o, "input")), json_string_length(
		    json_object_get(o, "input"))), &url);
		n++;
		if (fails && good) {
			++*followed;
			tap_diag("followed: %s", str(o, "input").ptr);
		} else if (!fails && (!good || !same(a, o, &url))) {
			++*differ;
			tap_diag("differs: %s, not %.*s", str(o, "href").ptr,
			    SLICE_ARG(good ? weburl_print(a, &url) :
			    SLICE("none")));
		}
	}
	json_decref(all);
	return n;
}

static void
test_cases(struct arena *a)
{
	static const char *const files[] = { "urltestdata.json",
	    "ada_extra_urltestdata.json", NULL };
	const char *data = tap_data();
	unsigned n = 0, differ = 0, followed = 0;

	if (data == NULL) {
		tap_skip(2, "NO CASES: the shared data is absent");
		return;
	}
	for (const char *const *f = files; *f != NULL; f++)
		n += run_cases(a, arena_printf(a,
		    "%s/url-html-spec/whatwg-url/%s", data, *f).ptr, &differ,
		    &followed);
	tap_diag("%u cases, %u differ, %u followed", n, differ, followed);
	tap_ok(n > 500, "there are %u cases of WHATWG", n);
	/* A host with an empty label leads nowhere, and is none to us. */
	tap_ok(differ <= 4 && followed == 0,
	    "they are read as browsers read them");
}

int
main(void)
{
	struct arena *a = arena_new();

	test_urls(a);
	test_parts(a);
	test_bounds(a);
	test_punycode(a);
	test_cases(a);
	arena_free(a);
	return tap_done();
}
