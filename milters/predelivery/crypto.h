/*
 * crypto - is there anything encrypted or signed in a message?
 *
 * By what the message says of itself; nothing is opened or verified.
 *
 *	S/MIME	application/pkcs7-mime by its smime-type, or by its content
 *		where that is missing (RFC 8551, 3.2; the outer ContentType of
 *		the CMS); multipart/signed with pkcs7-signature; a part whose
 *		name ends in .p7m or .p7s
 *	PGP	multipart/encrypted and multipart/signed of RFC 3156; armour in
 *		a text, whole lines (RFC 9580, 6.2 and 7)
 *
 * What a lax reader would see counts too. Bounded: the first CRYPTO_TEXT bytes
 * of each text, all parts of the message.
 */
#ifndef PREDELIVERY_CRYPTO_H
#define PREDELIVERY_CRYPTO_H

#include "mime/message.h"

enum crypto {
	CRYPTO_SMIME_ENCRYPTED = 1 << 0,
	CRYPTO_SMIME_SIGNED = 1 << 1,
	CRYPTO_PGP_ENCRYPTED = 1 << 2,	/* PGP/MIME */
	CRYPTO_PGP_SIGNED = 1 << 3,
	CRYPTO_INLINE_ENCRYPTED = 1 << 4,	/* PGP in a text */
	CRYPTO_INLINE_SIGNED = 1 << 5,
	CRYPTO_INCOMPLETE = 1 << 6,	/* not all parts could be read */
};
#define CRYPTO_ENCRYPTED	(CRYPTO_SMIME_ENCRYPTED | \
				CRYPTO_PGP_ENCRYPTED | CRYPTO_INLINE_ENCRYPTED)
#define CRYPTO_SIGNED		(CRYPTO_SMIME_SIGNED | CRYPTO_PGP_SIGNED | \
				CRYPTO_INLINE_SIGNED)

enum { CRYPTO_TEXT = 1 << 20 };

unsigned crypto_look(struct message *msg, struct arena *a);

#endif
