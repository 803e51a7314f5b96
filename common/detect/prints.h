/*
 * prints - fingerprints of documents, and how much of one stands in a text
 *
 * Winnowing (Schleimer, Wilkerson, Aiken, "Winnowing: local algorithms for
 * document fingerprinting", 2003) over words: each PRINTS_WORDS words in a row
 * have a hash, and of each PRINTS_WINDOW hashes in a row the smallest one is
 * kept. So whatever PRINTS_WORDS + PRINTS_WINDOW - 1 words in a row two texts
 * share, they share a fingerprint. Letter case, signs, blanks and line ends do
 * not count.
 *
 * A set is one file: documents, and all fingerprints in order, mapped and then
 * only read.
 *
 *	"gatehouse prints 1\n"	19 bytes and a NUL
 *	documents, prints, 0	three numbers of 32 bits
 *	documents		64 bytes of name (NULs behind it), 32 bits: how
 *				many prints it has, 32 bits of nothing
 *	prints			64 bits of hash, 32 bits: the document, 32 bits
 *				of nothing; in order of hash, then document
 *
 * Numbers are of the machine's byte order; a file of another one is refused.
 *
 * prints_each	calls take for the fingerprints of a text, some at a time, in
 *		their order
 * prints_open	maps a set and checks all of it. RC_BAD, RC_RETRY, *why_r. Given
 *		back with the arena
 * prints_add	a set with one document more, or that one anew, as the bytes of
 *		a file; `to` may be NULL: a first one. False, *why_r: the
 *		name, no text in it, or a set over its limits
 * prints_seen	notes what of a text is in the set; `seen` has prints_bytes()
 *		zeroed bytes, the same for all texts of one message
 * prints_share	of a document, in percent, as that says
 *
 * A set is read-only: any thread. It is no secret keeper: who has it can tell
 * whether a text he has is in it.
 */
#ifndef DETECT_PRINTS_H
#define DETECT_PRINTS_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/rc.h"

enum {
	PRINTS_WORDS = 5, PRINTS_WINDOW = 8,
	PRINTS_NAME = 64,
	PRINTS_DOCUMENTS = 100000,
	PRINTS_MAX = 20 * 1000 * 1000,	/* in a set */
};

struct prints;

void prints_each(struct slice text, void (*take)(const uint64_t *hashes,
    size_t n, void *arg), void *arg);
enum rc prints_open(const char *path, const struct prints **set_r,
    struct arena *a, struct slice *why_r);
bool prints_add(const struct prints *to, struct slice name, struct slice text,
    struct buf *out, struct arena *a, struct slice *why_r);
size_t prints_bytes(const struct prints *set);
void prints_seen(const struct prints *set, struct slice text,
    unsigned char *seen);
/* The i-th document; absent: there is none. */
struct slice prints_name(const struct prints *set, size_t i);
/* Of all documents at once: share_r has one byte for each. */
void prints_share(const struct prints *set, const unsigned char *seen,
    unsigned char *share_r);
size_t prints_documents(const struct prints *set);

#endif
