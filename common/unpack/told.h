/*
 * told - what unpack and its cell say to each other, as bytes
 *
 * A request: one line of five numbers (the limits, in the order of the
 * struct), the name's length and the number of passwords; the name; then for
 * each password a line with its length and its bytes. An answer: records, each
 * a line of numbers "parent depth why offset length formatlen pathlen", the
 * format, the path. Both ends are read as hostile: who answers may have been
 * taken over by what it read.
 *
 * Pure; thread-safe. False: malformed.
 */
#ifndef UNPACK_TOLD_H
#define UNPACK_TOLD_H

#include "base/buf.h"
#include "unpack/unpack.h"

struct told_request {
	struct unpack_limits limits;
	struct slice name;
	struct slice passwords[UNPACK_PASSWORDS];
	size_t npasswords;
};

struct told_record {
	uint64_t parent, depth, why, offset, len;
	bool member;			/* offset and len count */
	struct slice format, path;
};

void told_write_request(struct buf *out, const struct told_request *r);
bool told_read_request(struct slice bytes, struct told_request *r_r);
void told_write_record(struct buf *out, const struct told_record *r);
/* The next one; *rest moves behind it. False at the end too: rest is empty. */
bool told_read_record(struct slice *rest, struct told_record *r_r);

#endif
