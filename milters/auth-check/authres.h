/*
 * authres - the Authentication-Results field (RFC 8601)
 *
 * Writing: authres_begin, then for each method authres_result, perhaps
 * authres_reason, and its properties; authres_end gives the field's body, with
 * the space after the colon and CRLF folds. Whatever the values hold, what
 * comes out is printable ASCII and follows the grammar: a value that is no
 * token becomes a quoted string, a byte that could not stand there a '?'. No
 * line is over 78 bytes unless one word is.
 *
 * authres_address	local@domain; a local part with bytes outside ASCII is
 *			left out (RFC 8601, 2.2: it is optional)
 *
 * Reading: authres_claim says whose results a field's body gives, as lax as
 * any reader may be: comments, folds, quotes, NUL and control bytes, missing
 * semicolons, letter case, a final dot, U-labels and what stands before the
 * first letter do not hide the name.
 *	AUTHRES_OURS	somebody could take it as from one of ids
 *	AUTHRES_BROKEN	no authserv-id that follows the grammar
 *	AUTHRES_OTHER	of somebody else
 */
#ifndef AUTH_CHECK_AUTHRES_H
#define AUTH_CHECK_AUTHRES_H

#include "base/buf.h"

struct authres {
	struct buf out;
	size_t column;
	bool results;			/* is there one yet? */
};

void authres_begin(struct authres *w, struct arena *a,
    struct slice authserv_id);
void authres_result(struct authres *w, const char *method, const char *result);
void authres_reason(struct authres *w, struct slice text);
/* name: "smtp.helo" */
void authres_value(struct authres *w, const char *name, struct slice value);
void authres_address(struct authres *w, const char *name, struct slice local,
    struct slice domain);
struct slice authres_end(struct authres *w);

/* Words folded as above, for the body of another field of ours. */
struct slice authres_fold(struct arena *a, const char *field,
    struct slice words);

enum authres_claim { AUTHRES_OTHER, AUTHRES_OURS, AUTHRES_BROKEN };

enum authres_claim authres_claim(struct arena *a, struct slice body,
    const struct slice *ids, size_t nids);

/*
 * Does the body (or that of an ARC-Authentication-Results behind its i=) give
 * this one result for the method, with that domain as the property's value?
 * False when it gives several results for the method.
 */
bool authres_says(struct arena *a, struct slice body, struct slice method,
    struct slice result, struct slice property, struct slice domain);

#endif
