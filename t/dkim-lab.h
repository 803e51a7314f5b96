/*
 * dkim-lab - keys made for this run, and messages signed as a test wants
 *
 * The table of a test says what a signature looks like, however wrong; the
 * lab fills in the hashes. It uses our canonical forms: that those are right
 * is shown by the vectors of the RFCs and by other implementations.
 */
#ifndef T_DKIM_LAB_H
#define T_DKIM_LAB_H

#include <openssl/evp.h>

#include "dkim/arc.h"
#include "dkim/dkim.h"
#include "dkim/key.h"

enum lab_key { LAB_RSA, LAB_ED25519, LAB_SMALL, LAB_WEAK, LAB_LARGE,
    LAB_OTHER, LAB_KEYS };

/* Makes the keys: 2048, ed25519, 512, 1024 and 3072 bits, 2048 again. */
void lab_open(void);
void lab_close(void);
EVP_PKEY *lab_pkey(enum lab_key key);
/* p= of its record. */
struct slice lab_p(enum lab_key key);
/* A whole record; in `text` %p is replaced; NULL: one that is good. */
struct slice lab_record(struct arena *a, const char *text, enum lab_key key);
/* p= of an RSA key with a modulus of so many bits that nobody has. */
struct slice lab_p_bits(struct arena *a, unsigned bits, unsigned exponent);

/*
 * The message with a field above it: `text` is its body, in which %h stands
 * for the body hash and %b for the signature. How it is canonicalised and what
 * is signed is read from the text.
 */
struct slice lab_sign(struct arena *a, struct slice head, struct slice body,
    const char *name, const char *text, enum lab_key key);
struct slice lab_replace(struct arena *a, struct slice in, const char *what,
    struct slice with);
/*
 * An ARC set above the message: bodies of AAR, AMS and AS, in which %n stands
 * for the instance; NULL: that field is left out. The seal signs all ARC fields
 * from the bottom up, whatever they are.
 */
struct slice lab_arc(struct arena *a, struct slice head, struct slice body,
    unsigned instance, const char *const texts[3], enum lab_key key);
struct dns_answer *lab_answer(struct arena *a, struct slice record);

#endif
