/*
 * pdf_crypt - PDF that is encrypted so that anybody can open it
 *
 * A document whose user password is empty opens without a question; its owner's
 * only forbids to print, say. So what is in it is read. The standard handler in
 * its revisions 2 to 6 (ISO 32000-2, 7.6.4): RC4 and AES.
 *
 * pdf_crypt_prepare	once, in the zygote: what OpenSSL reads from files
 * pdf_crypt_open	of the encryption dictionary and the first string of the
 *			trailer's ID, as bytes. PDF_LOCKED: it wants a password,
 *			or another handler
 * pdf_crypt_bytes	of the object with that number and generation: a stream's
 *			bytes, or those of a string
 */
#ifndef CELLS_PDF_CRYPT_H
#define CELLS_PDF_CRYPT_H

#include "base/arena.h"
#include "base/slice.h"

struct pdf;

enum pdf_lock { PDF_PLAIN, PDF_OPEN, PDF_LOCKED };
enum pdf_cipher { PDF_NONE, PDF_RC4, PDF_AES };

struct pdf_crypt {
	enum pdf_lock lock;
	enum pdf_cipher streams, strings;
	bool metadata;			/* encrypted too */
	bool direct;			/* one key for all (AES-256) */
	unsigned char key[32];
	size_t nkey;
};

void pdf_crypt_prepare(void);
void pdf_crypt_open(const struct pdf *pdf, struct slice dictionary,
    struct slice id, struct pdf_crypt *c_r);
struct slice pdf_crypt_bytes(const struct pdf_crypt *c, bool string,
    uint32_t number, uint32_t generation, struct slice s, struct arena *a);

#endif
