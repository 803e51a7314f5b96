/*
 * psl - the public suffix list, through libpsl
 *
 * suffixes_open	path NULL or "": the newer of Debian's list and the one
 *			that libpsl brings along. Else that file alone, the text
 *			of publicsuffix.org or its compiled form (DAFSA). NULL
 *			with *why_r in plain words
 * suffixes_org		the organizational domain of RFC 7489, 3.2: one label
 *			more than the longest public suffix that the domain lies
 *			under; private section, wildcards and exceptions count.
 *			Where the list does not know the top-level domain, the
 *			last two labels. SLICE_NONE for a public suffix itself.
 *			The domain: A-labels, lower case, no final dot, as
 *			domain_ascii() gives it; the result is its end
 * suffixes_known	the list has a rule for its last label: it is one of the
 *			world's top-level domains
 *
 * The list NULL: the one that libpsl brings along.
 *
 * Read-only once open: any number of threads may use one list.
 */
#ifndef TEXT_PSL_H
#define TEXT_PSL_H

#include "base/arena.h"

struct suffixes;

struct suffixes *suffixes_open(const char *path, struct arena *a,
    struct slice *why_r);
struct slice suffixes_org(const struct suffixes *list, struct slice domain);
bool suffixes_known(const struct suffixes *list, struct slice domain);
/* NULL is allowed. */
void suffixes_close(struct suffixes *list);

#endif
