/*
 * bytes - what json_bytes (text/json.h) wrote, read again with jansson; only
 * for those who link it
 *
 * json_get_bytes	false: it is neither a text nor { "hex": "..." }
 */
#ifndef STORE_BYTES_H
#define STORE_BYTES_H

#include <jansson.h>

#include "base/arena.h"

bool json_get_bytes(const json_t *value, struct arena *a,
    struct slice *bytes_r);

#endif
