/*
 * reserve - memory that messages under way may take together
 *
 * A filter that decodes messages counts what it may need for each of them
 * before it begins, against one sum of the process.
 *
 * job_reserve	adds bytes to *used, until the message is done. False: they
 *		would be more than `most`, so it has to wait (RC_RETRY). What
 *		alone is more than `most` passes: it would wait for ever
 *
 * Thread-safe.
 */
#ifndef MILTER_RESERVE_H
#define MILTER_RESERVE_H

#include <stdatomic.h>

#include "milter/filter.h"

bool job_reserve(struct job *job, _Atomic uint64_t *used, uint64_t most,
    uint64_t bytes);

#endif
