#include "cells/unpack/kind.h"

#include <magic.h>

#include "unpack/kinds.h"

/* It opens no compressed file and reads no container: that is done here, and
 * better. What is left is its data base, and text by its words. */
enum { FLAGS = MAGIC_MIME_TYPE | MAGIC_ERROR | MAGIC_NO_CHECK_COMPRESS |
    MAGIC_NO_CHECK_TAR | MAGIC_NO_CHECK_ELF | MAGIC_NO_CHECK_CDF |
    MAGIC_NO_CHECK_APPTYPE | MAGIC_NO_CHECK_CSV | MAGIC_NO_CHECK_JSON |
    MAGIC_NO_CHECK_TOKENS };

/* Its expressions take time by the square of what they look at: with these, 34
 * ms for 16 kB of blanks, where its own limits take 336 ms for 64. Of 4000
 * files 36 get another type by that, nearly all of them C that is called text. */
static const struct { int param; size_t value; } limits[] = {
	{ MAGIC_PARAM_BYTES_MAX, KINDS_HEAD },
	{ MAGIC_PARAM_ENCODING_MAX, 8192 },
	{ MAGIC_PARAM_REGEX_MAX, 2048 },
	{ MAGIC_PARAM_INDIR_MAX, 15 },
	{ MAGIC_PARAM_NAME_MAX, 50 },
};

static magic_t cookie;
static char said[KINDS_NAME];

bool
kind_prepare(struct arena *a, struct slice *why_r)
{
	cookie = magic_open(FLAGS);
	if (cookie == NULL || magic_load(cookie, NULL) != 0) {
		*why_r = arena_printf(a, "the data base of libmagic cannot be "
		    "loaded: %s; is libmagic-mgc installed?", cookie != NULL &&
		    magic_error(cookie) != NULL ? magic_error(cookie) :
		    "no memory");
		return false;
	}
	for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++)
		if (magic_setparam(cookie, limits[i].param,
		    &limits[i].value) != 0) {
			*why_r = SLICE("libmagic does not take its limits");
			return false;
		}
	return true;
}

/* Of several it makes one line each; the first is the strongest. An error is
 * told as a type by nobody: to us it is "not known". */
struct slice
kind_of(struct slice bytes)
{
	const char *text = magic_buffer(cookie, bytes.ptr, bytes.len);
	size_t n = 0;

	while (text != NULL && n < sizeof said && text[n] > ' ' &&
	    text[n] <= '~' && text[n] != '\\') {
		said[n] = ascii_lower(text[n]);
		n++;
	}
	if (n == 0 || n == sizeof said || !slice_has(slice_make(said, n), '/'))
		return SLICE("application/octet-stream");
	return slice_make(said, n);
}
