/*
 * tenant-key - the key that a tenant's mail is signed by
 *
 * key_make	a new one, written to path, which must not be there: PEM, mode
 *		0600, on the disk before the name is. RC_RETRY with *why_r
 * key_load	that of a file, which nobody but its owner and group may read
 * key_record	its DNS record (RFC 6376, 3.6.1; RFC 8463, 4.2)
 * key_same	is this record, as DNS has it, of this key? *why_r: why not
 */
#ifndef TOOLS_TENANT_KEY_H
#define TOOLS_TENANT_KEY_H

#include <openssl/evp.h>

#include "base/arena.h"
#include "base/rc.h"
#include "tools/tenant-conf.h"

enum rc key_make(const char *path, enum tenant_algorithm algorithm,
    struct arena *a, EVP_PKEY **key_r, struct slice *why_r);
enum rc key_load(const char *path, struct arena *a, EVP_PKEY **key_r,
    struct slice *why_r);
enum rc key_record(EVP_PKEY *key, struct arena *a, struct slice *record_r,
    struct slice *why_r);
bool key_same(EVP_PKEY *key, struct slice record, struct arena *a,
    struct slice *why_r);

#endif
