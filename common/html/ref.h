/*
 * ref - character references (WHATWG HTML, 13.2.5.72 and what follows)
 *
 * html_ref	reads the reference at in[at], which is a '&'; false where it
 *		stands for itself. All of WHATWG's rules: 2125 names, those
 *		that count without a semicolon, and within an attribute not
 *		before '=' or a letter; numbers in windows-1252's gap, beyond
 *		Unicode, surrogates
 * html_unref	appends raw bytes with all references decoded, as UTF-8, at
 *		most max bytes; false: cut there. The bytes between references
 *		are of `charset` and are converted (text/charset.h)
 *
 * The names are looked up by halving: a reference costs at most 7 look-ups.
 */
#ifndef HTML_REF_H
#define HTML_REF_H

#include "base/buf.h"

struct html_ref {
	size_t len;			/* bytes of the source, '&' included */
	uint32_t cp[2];			/* code points; the second one may be
					   0: there is none */
};

bool html_ref(struct slice in, size_t at, bool attribute,
    struct html_ref *ref_r);
/* The code points of a reference as UTF-8. */
size_t html_ref_put(char out[8], const struct html_ref *ref);
bool html_unref(struct slice charset, struct slice raw, bool attribute,
    size_t max, struct buf *out);

/* For ref.c: the table. */
extern const char *const html_ref_names[];
extern const size_t html_ref_lines;

#endif
