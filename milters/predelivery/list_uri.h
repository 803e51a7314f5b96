/*
 * list_uri - the addresses in a field of a mailing list (RFC 2369; RFC 8058)
 *
 *	List-Unsubscribe: <mailto:off@example.org?subject=x>,
 *	    (or click) <https://example.org/u/17>
 *
 * list_uris	the addresses in angle brackets, in order, blanks within taken
 *		out (RFC 2369, 2); comments and what else stands between them
 *		are passed over. At most LIST_URIS: more are not read.
 *		uri is what stands in the brackets, in the arena; good: mailto
 *		with an address, http and https with a host, and no character
 *		that no URI has
 *
 * Pure and linear.
 */
#ifndef PREDELIVERY_LIST_URI_H
#define PREDELIVERY_LIST_URI_H

#include "base/arena.h"

enum { LIST_URIS = 20 };

enum list_scheme { LIST_OTHER, LIST_MAILTO, LIST_HTTP, LIST_HTTPS };

struct list_uri {
	enum list_scheme scheme;
	struct slice uri;
	bool good;
};

size_t list_uris(struct arena *a, struct slice value,
    struct list_uri uris_r[LIST_URIS]);

#endif
