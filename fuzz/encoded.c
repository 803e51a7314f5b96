/*
 * Encoded words: what comes out is UTF-8 whatever went in. The first byte
 * picks a charset, into which all the rest is read once more.
 */
#include <stdlib.h>

#include "text/charset.h"
#include "text/encoded.h"
#include "text/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const charsets[] = {
	"utf-8", "us-ascii", "iso-8859-1", "iso-8859-7", "iso-2022-jp",
	"iso-2022-kr", "iso-2022-cn", "gb2312", "big5", "shift_jis", "euc-jp",
	"euc-kr", "utf-7", "utf-16", "utf-32", "windows-1255", "viscii",
	"tcvn", "johab", "euc-tw", "iso-2022-jp-2", "unknown",
};

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct buf out = { 0 };
	struct slice in, text;
	unsigned flags;

	if (size == 0) {
		arena_free(a);
		return 0;
	}
	in = slice_make(data + 1, size - 1);
	text = encoded_decode(a, in, &flags);
	if (!utf8_valid(text) || text.len > ENCODED_MAX)
		abort();
	if ((flags & ENCODED_WORDS) == 0 && utf8_valid(in) &&
	    !slice_eq(in, text))
		abort();
	charset_utf8(slice_of(charsets[data[0] %
	    (sizeof charsets / sizeof *charsets)]), in, 100, &out);
	if (!utf8_valid(buf_slice(&out)) || out.len > 100)
		abort();
	buf_free(&out);
	arena_free(a);
	return 0;
}
