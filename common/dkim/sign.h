/*
 * sign - signatures of our own (RFC 6376, 5; RFC 8301; RFC 8463)
 *
 * dkim_sign	the body of a DKIM-Signature field for this message, as it will
 *		go out: begins with the space behind the colon, folded with
 *		CRLF, ready for patch_insert. bodies is of the same message.
 *		RC_BAD with *why_r when the key does not fit or the message has
 *		no From; RC_RETRY when libcrypto fails
 * sign_field	the same for any kind of signature: `tags` stands before h=,
 *		bh= and b=
 * sign_hash	signs this hash; the base64 of it. For ARC-Seal
 * sign_made	a field of these bytes, that no message holds
 * sign_fits	whether the key can sign this algorithm; why not, else NULL
 *
 * h= names each field of `signed_fields` as often as it stands in the message,
 * from the lowest up, and those of `oversigned` once more, so that nobody adds
 * one (8.15). From is always both. There is no l=, ever: what it leaves open
 * is abused.
 *
 * dkim_fields_signed and dkim_fields_oversigned are lists that suit most: all
 * that tells readers what a message is, nothing that is added on the way
 * (5.4.1).
 *
 * The key is parsed by the caller, once: parsing is slower than signing. A key
 * may be used by several threads.
 */
#ifndef DKIM_SIGN_H
#define DKIM_SIGN_H

#include <openssl/evp.h>

#include "base/buf.h"
#include "base/rc.h"
#include "dkim/dkim.h"

extern const struct slice dkim_fields_signed, dkim_fields_oversigned;

struct dkim_signer {
	struct slice domain, selector;
	struct slice identity;		/* i=; SLICE_NONE: none */
	EVP_PKEY *key;
	enum dkim_algorithm algorithm;
	enum dkim_canon header, body;
	struct slice signed_fields;	/* colon-separated; SLICE_NONE: the
					   list above */
	struct slice oversigned;	/* the same */
	int64_t now;			/* t= */
	int64_t expires;		/* x=; 0: none */
};

enum rc dkim_sign(struct arena *a, const struct message *msg,
    struct dkim_bodies *bodies, const struct dkim_signer *signer,
    struct slice *body_r, struct slice *why_r);

enum rc sign_field(struct arena *a, const struct message *msg,
    struct dkim_bodies *bodies, const struct dkim_signer *signer,
    struct slice name, struct slice tags, struct slice *body_r,
    struct slice *why_r);
enum rc sign_hash(struct arena *a, EVP_PKEY *key,
    const unsigned char hash[32], struct slice *base64_r,
    struct slice *why_r);
struct field sign_made(struct arena *a, struct slice name, struct slice body);
const char *sign_fits(EVP_PKEY *key, enum dkim_algorithm algorithm);
/* Base64 in lines below 78 bytes, folded; column: where the first begins. */
void sign_wrap(struct buf *out, struct slice base64, size_t column);

#endif
