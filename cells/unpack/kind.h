/*
 * kind - libmagic, as the cell uses it
 *
 * kind_prepare	loads the data base, once, in the zygote: mapped, so that the
 *		workers share it. False with *why_r: it is not there
 * kind_of	the MIME type of these bytes, in lower case; valid until the
 *		next call. Never NULL. One thread
 */
#ifndef CELLS_UNPACK_KIND_H
#define CELLS_UNPACK_KIND_H

#include "base/arena.h"

bool kind_prepare(struct arena *a, struct slice *why_r);
struct slice kind_of(struct slice bytes);

#endif
