/*
 * trailer - what stands behind LMDB's pages: magic, version, length, SHA-256
 *
 * Only this room uses it.
 */
#ifndef POLICY_TRAILER_H
#define POLICY_TRAILER_H

#include <stdbool.h>
#include <stdint.h>

#define TRAILER_MAGIC	"gatehouse-policy"
enum { TRAILER_DIGEST = 32, TRAILER_SIZE = 16 + 8 + 8 + TRAILER_DIGEST };

/* SHA-256 of the first len bytes. */
bool trailer_digest(int fd, uint64_t len,
    unsigned char digest_r[TRAILER_DIGEST]);

#endif
