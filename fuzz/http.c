/* Answers of HTTP servers: the first byte says in pieces of what size they
 * come; that makes no difference. */
#include <stdlib.h>

#include "net/http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum http_got
feed(struct http_answer *r, struct slice in, size_t piece, size_t *all)
{
	enum http_got got = HTTP_MORE;
	size_t used;

	*all = 0;
	http_answer_begin(r);
	for (size_t at = 0; at < in.len && got == HTTP_MORE; at += piece) {
		got = http_answer_feed(r, slice_sub(in, at, piece), &used);
		*all += used;
	}
	if (r->body.len > HTTP_KEPT)
		abort();
	return got;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_answer a, b;
	size_t m, n;
	struct slice in;

	if (size == 0)
		return 0;
	in = slice_make(data + 1, size - 1);
	if (feed(&a, in, in.len + 1, &m) != feed(&b, in, (size_t)data[0] + 1,
	    &n) || a.status != b.status || m != n ||
	    !slice_eq(buf_slice(&a.body), buf_slice(&b.body)))
		abort();
	http_answer_free(&a);
	http_answer_free(&b);
	return 0;
}
