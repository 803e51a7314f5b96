/* Answers of HTTP servers, whole, torn, and wrong. */
#include <string.h>

#include "net/http.h"
#include "t/tap.h"

static const struct {
	const char *name, *bytes;
	enum http_got want;
	int status;
	bool keep;
	const char *body;
} cases[] = {
	{ "plain", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
	  HTTP_WHOLE, 200, true, "ok" },
	{ "no reason", "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n",
	  HTTP_WHOLE, 200, true, "" },
	{ "bare LF", "HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
	  HTTP_WHOLE, 200, true, "ok" },
	{ "no body by its status", "HTTP/1.1 204 No\r\n\r\n", HTTP_WHOLE, 204,
	  true, "" },
	{ "closes", "HTTP/1.1 200 OK\r\nConnection: x, Close\r\n"
	  "Content-Length: 0\r\n\r\n", HTTP_WHOLE, 200, false, "" },
	{ "HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
	  HTTP_WHOLE, 200, false, "" },
	{ "chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	  "2;a=b\r\nok\r\nA\r\n0123456789\r\n0\r\nX: y\r\n\r\n", HTTP_WHOLE,
	  200, true, "ok0123456789" },
	{ "100 first", "HTTP/1.1 100 Continue\r\nX: y\r\n\r\n"
	  "HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n",
	  HTTP_WHOLE, 503, true, "" },
	{ "to its end", "HTTP/1.1 200 OK\r\n\r\nall of it", HTTP_MORE, 200,
	  false, "all of it" },
	{ "not all there", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok",
	  HTTP_MORE, 200, true, "ok" },
	{ "no HTTP", "SSH-2.0-x\r\n", HTTP_BROKEN, 0, false, "" },
	{ "HTTP/2", "HTTP/2.0 200 OK\r\n", HTTP_BROKEN, 0, false, "" },
	{ "a status of four digits", "HTTP/1.1 2000 OK\r\n", HTTP_BROKEN, 0,
	  false, "" },
	{ "status 600", "HTTP/1.1 600 OK\r\n", HTTP_BROKEN, 0, false, "" },
	{ "switching", "HTTP/1.1 101 X\r\n\r\n", HTTP_BROKEN, 101, true, "" },
	{ "two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"
	  "Content-Length: 3\r\n\r\n", HTTP_BROKEN, 200, true, "" },
	{ "length and chunks", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"
	  "Transfer-Encoding: chunked\r\n\r\n", HTTP_BROKEN, 200, true, "" },
	{ "another coding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, "
	  "chunked\r\n\r\n", HTTP_BROKEN, 200, true, "" },
	{ "a length with a sign", "HTTP/1.1 200 OK\r\nContent-Length: "
	  "+2\r\n\r\n", HTTP_BROKEN, 200, true, "" },
	{ "too long", "HTTP/1.1 200 OK\r\nContent-Length: 1048577\r\n\r\n",
	  HTTP_BROKEN, 200, true, "" },
	{ "chunk too long", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
	  "\r\nffffffffffffffffff\r\n", HTTP_BROKEN, 200, true, "" },
	{ "no chunk size", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
	  "\r\n\r\n", HTTP_BROKEN, 200, true, "" },
	{ "chunk without its end", "HTTP/1.1 200 OK\r\nTransfer-Encoding: "
	  "chunked\r\n\r\n1\r\nabc\r\n", HTTP_BROKEN, 200, true, "a" },
	{ "a fold", "HTTP/1.1 200 OK\r\nX: y\r\n z\r\n\r\n", HTTP_BROKEN, 200,
	  true, "" },
	{ "blank before the colon", "HTTP/1.1 200 OK\r\nContent-Length : 2"
	  "\r\n\r\n", HTTP_BROKEN, 200, true, "" },
	{ "no colon", "HTTP/1.1 200 OK\r\nX\r\n\r\n", HTTP_BROKEN, 200, true,
	  "" },
	{ "bare CR", "HTTP/1.1 200 OK\r\nX: a\rb\r\n\r\n", HTTP_BROKEN, 200,
	  true, "" },
	{ "nothing", "", HTTP_MORE, 0, false, "" },
};

static enum http_got
feed(struct http_answer *r, struct slice in, size_t piece)
{
	enum http_got got = HTTP_MORE;
	size_t used;

	http_answer_begin(r);
	for (size_t at = 0; at < in.len && got == HTTP_MORE; at += piece)
		got = http_answer_feed(r, slice_sub(in, at, piece), &used);
	return got;
}

static void
answers(void)
{
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct slice in = slice_of(cases[i].bytes);
		bool same = true;

		for (size_t piece = 1; piece <= in.len + 1; piece++) {
			struct http_answer r;
			enum http_got got = feed(&r, in, piece);

			same = same && got == cases[i].want && r.status ==
			    cases[i].status && r.keep == cases[i].keep &&
			    slice_eq(buf_slice(&r.body),
			    slice_of(cases[i].body));
			http_answer_free(&r);
		}
		tap_ok(same, "%s, in pieces of all sizes", cases[i].name);
	}
}

static void
limits(void)
{
	struct http_answer r;
	struct buf big = { 0 };
	size_t used;

	buf_adds(&big, "HTTP/1.1 200 OK\r\n");
	while (big.len < HTTP_HEAD + 100)
		buf_adds(&big, "X: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n");
	http_answer_begin(&r);
	tap_is_int(http_answer_feed(&r, buf_slice(&big), &used), HTTP_BROKEN,
	    "a head without an end");
	http_answer_free(&r);
	buf_clear(&big);
	buf_adds(&big, "HTTP/1.1 200 OK\r\n\r\n");
	while (big.len < HTTP_BODY + 1000)
		buf_adds(&big, "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz");
	http_answer_begin(&r);
	tap_is_int(http_answer_feed(&r, buf_slice(&big), &used), HTTP_BROKEN,
	    "a body without an end");
	tap_ok(r.body.len <= HTTP_KEPT, "of which little is kept");
	http_answer_free(&r);
	http_answer_begin(&r);
	http_answer_feed(&r, SLICE("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n"
	    "Retry-After: 9\r\n\r\nabc"), &used);
	tap_is_int((long long)used, 55, "what is behind it is not its");
	tap_is_int(r.retry_after, 9, "when to come again");
	tap_ok(!http_answer_end(&r), "its end does not end it");
	http_answer_free(&r);
	buf_free(&big);
}

/* Who asks for more than a reply gets all of it, and nothing beyond. */
static void
as_asked(void)
{
	struct buf big = { 0 };
	struct http_answer r;
	size_t used;

	buf_addf(&big, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n",
	    HTTP_BODY + 5);
	for (int i = 0; i < HTTP_BODY + 5; i++)
		buf_addc(&big, 'x');
	http_answer_begin(&r);
	tap_is_int(http_answer_feed(&r, buf_slice(&big), &used), HTTP_BROKEN,
	    "a long body, as usual");
	http_answer_free(&r);
	http_answer_begin(&r);
	r.most = r.kept = HTTP_BODY + 5;
	tap_is_int(http_answer_feed(&r, buf_slice(&big), &used), HTTP_WHOLE,
	    "where it was asked for");
	tap_is_int((long long)r.body.len, HTTP_BODY + 5, "it is kept whole");
	http_answer_free(&r);
	http_answer_begin(&r);
	r.most = r.kept = HTTP_BODY + 4;
	tap_is_int(http_answer_feed(&r, buf_slice(&big), &used), HTTP_BROKEN,
	    "but not a byte more");
	http_answer_free(&r);
	buf_free(&big);
}

int
main(void)
{
	answers();
	limits();
	as_asked();
	return tap_done();
}
