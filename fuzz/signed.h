/*
 * signed - any text as the tags of a field of ours, behind a MAC that is right
 *
 * So that a fuzzer gets past the MAC: what stands behind it must be sound too.
 */
#ifndef FUZZ_SIGNED_H
#define FUZZ_SIGNED_H

#include "base/arena.h"

extern const struct slice signed_key;

struct slice signed_text(struct arena *a, const char *field,
    struct slice text);

#endif
