/*
 * diff - what changed between two texts, as lines (unified format)
 *
 * The common start and end are cut off first; what is left is compared line
 * by line (Myers, "An O(ND) Difference Algorithm", 1986), and shown as wholly
 * replaced where that would take too long. Bytes that are no text are shown
 * as \xNN.
 */
#ifndef TOOLS_DIFF_H
#define TOOLS_DIFF_H

#include "base/arena.h"
#include "base/buf.h"

void diff_lines(struct buf *out, struct arena *a, struct slice before,
    struct slice after);

#endif
