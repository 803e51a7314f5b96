/*
 * dkim_guard - what libopendkim must not be given, or not as it is
 *
 * guard_field		a header field as dkim_header() wants it: no final CRLF,
 *			folds with CRLF. Empty: leave it out (it asserts)
 * guard_size		NULL, or why it is too much for the library; then the
 *			signature must not be shown to it at all
 * guard_signature	NULL, or why the library's verdict on this signature
 *			would not be that of RFC 6376. whole: all DKIM-Signature
 *			fields of the message are shown to it
 * guard_body		the same for a body
 * guard_record		the key alone, as a record of as few tags as there can
 *			be; NULL when that is still too long for its buffer
 *
 * Why each is there, in words that stand in the result's reason, is said
 * beside it in dkim_guard.c; t/auth-check-opendkim.c shows it happen.
 */
#ifndef AUTH_CHECK_DKIM_GUARD_H
#define AUTH_CHECK_DKIM_GUARD_H

#include "dkim/dkim.h"

enum {
	GUARD_RECORD = 1024,		/* its buffer for a key record */
	GUARD_FIELD = 60000,		/* of a signature; it takes 64 kB */
	GUARD_NAMES = 4000,		/* bytes of h=; it cuts at 4095 */
	GUARD_WORK = 100000		/* names in h= times fields: it compares
					   each with each */
};

struct slice guard_field(struct arena *a, const struct field *f);
const char *guard_size(const struct message *msg,
    const struct dkim_signature *sig);
const char *guard_signature(const struct message *msg,
    const struct dkim_signature *sig, bool whole);
const char *guard_body(struct slice body);
const char *guard_record(struct arena *a, struct slice record);

#endif
