/*
 * sink - where the text of a document goes
 *
 * What a reader of it sees, and apart from that what he does not (instructions
 * of fields, hidden groups, what nothing refers to): so that the one does not
 * tear the other. UTF-8, together at most max bytes; what is over that is left
 * out, and `whole` false.
 *
 * sink_begin	both empty, on the heap
 * sink_put	a character. Private ones that Word uses for fonts of symbols
 *		are the ASCII they stand for
 * sink_add	text that is UTF-8
 * sink_utf16	text that is UTF-16LE; NULs in it are left out
 * sink_apart	a sign that parts (blank, tab, line end), unless one is there;
 *		a line end also behind blanks
 * sink_end	adds both to out, the unseen behind the seen, and frees them
 * sink_full	nothing more is taken
 */
#ifndef CELLS_UNPACK_SINK_H
#define CELLS_UNPACK_SINK_H

#include "base/buf.h"

struct sink {
	struct buf of[2];		/* seen, unseen */
	bool unseen;			/* what comes now */
	bool whole;			/* nothing was left out */
	size_t max;
};

void sink_begin(struct sink *s, size_t max);
void sink_put(struct sink *s, uint32_t cp);
void sink_add(struct sink *s, struct slice utf8);
void sink_utf16(struct sink *s, struct slice utf16);
void sink_apart(struct sink *s, char sign);
void sink_end(struct sink *s, struct buf *out);
bool sink_full(const struct sink *s);

#endif
