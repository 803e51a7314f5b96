/* Whatever an URL is: a host is one that DNS may be asked for, and what was
 * printed is read again as the same. */
#include <stdlib.h>
#include <string.h>

#include "text/punycode.h"
#include "text/weburl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool good)
{
	if (!good)
		abort();
}

static void
read_again(struct arena *a, const struct weburl *url)
{
	struct slice text = weburl_print(a, url);
	struct weburl again;

	/* Encoding makes an URL longer. */
	if (text.len > WEBURL_MAX || !weburl_web(url))
		return;
	must(weburl_read(a, text, &again));
	must(slice_eq(weburl_print(a, &again), text));
	must(slice_eq(again.host, url->host));
	must(again.numeric == url->numeric);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct slice in = slice_make(data, size);
	struct buf out = buf_in(a);
	struct weburl url;

	if (weburl_read(a, in, &url)) {
		for (size_t i = 0; i < url.host.len && url.special; i++)
			must((unsigned char)url.host.ptr[i] > ' ' &&
			    (unsigned char)url.host.ptr[i] < 0x7f &&
			    strchr("/\\?#@", url.host.ptr[i]) == NULL);
		read_again(a, &url);
	}
	if (punycode_encode(in, &out) &&
	    slice_starts(buf_slice(&out), SLICE("xn--")) &&
	    !slice_starts(in, SLICE("xn--")) && out.len <= PUNYCODE_MAX) {
		struct buf back = buf_in(a);

		must(punycode_decode(buf_slice(&out), &back));
	}
	arena_free(a);
	return 0;
}
