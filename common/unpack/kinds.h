/*
 * kinds - what libmagic calls some files: a further voice
 *
 * The library reads hostile bytes by a program in its data base, so it does
 * that in the unpack cell.
 *
 * unpack_kinds	asks for n files at once, at most KINDS. Of each the cell gets
 *		the first KINDS_HEAD bytes; the library looks at the end only of
 *		files with a descriptor of their own, for zip. kinds_r[i] is a
 *		MIME type in lower case, in the arena;
 *		"application/octet-stream" and "text/plain" are the library's
 *		words for what it does not know. Any other end than
 *		CELL_ANSWERED: it holds for all of them, and all are ""
 *
 * What goes to and fro: the request is "kinds", and the lengths of what stands
 * one behind the other in the descriptor, one blank before each; the answer, a
 * line for each. The second pair reads these, as hostile as they are.
 *
 * Thread-safe.
 */
#ifndef UNPACK_KINDS_H
#define UNPACK_KINDS_H

#include "base/buf.h"
#include "cell/cell.h"

enum { KINDS = 64, KINDS_HEAD = 16 * 1024, KINDS_NAME = 100 };

enum cell_end unpack_kinds(struct cell *cell, const struct slice *files,
    size_t n, deadline_t until, struct arena *a, struct slice *kinds_r);

/* False: no such request, or lengths that are not those of the bytes. */
bool kinds_read_request(struct slice request, struct slice bytes,
    struct slice files_r[KINDS], size_t *n_r);
/* False: not n types. */
bool kinds_read_answer(struct slice answer, size_t n, struct slice *kinds_r);

#endif
