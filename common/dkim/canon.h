/*
 * canon - canonical forms (RFC 6376, 3.4), and SHA-256 over them
 *
 * canon_body		hashes the body as it stands, nothing is copied but
 *			what relaxed changes, through a small window. *length_r
 *			is the length of the whole canonical form; at most
 *			`limit` bytes of it are hashed
 * canon_field		appends a header field and CRLF
 * canon_signature	appends the field of a signature with the bytes of
 *			`span` (the value of its b=) gone, and no CRLF (3.7)
 * dkim_sha256		the algorithm, fetched once for the process: fetching
 *			is slower than hashing a small mail. NULL only where
 *			libcrypto has none
 *
 * Lines end in CRLF; a CR or LF that stands alone is a byte like any other in
 * the body. Safe from any thread.
 */
#ifndef DKIM_CANON_H
#define DKIM_CANON_H

#include <openssl/evp.h>

#include "base/buf.h"
#include "dkim/dkim.h"
#include "text/field.h"

enum { DKIM_HASH = 32 };

const EVP_MD *dkim_sha256(void);
bool canon_body(enum dkim_canon canon, struct slice body, uint64_t limit,
    unsigned char hash_r[DKIM_HASH], uint64_t *length_r);
void canon_field(struct buf *out, enum dkim_canon canon,
    const struct field *f);
void canon_signature(struct buf *out, enum dkim_canon canon,
    const struct field *f, struct slice span);

#endif
