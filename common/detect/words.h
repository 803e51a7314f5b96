/*
 * words - many words looked for at once (Aho and Corasick, "Efficient string
 * matching", 1975)
 *
 * words_new	an empty set
 * words_add	one more, with a number that hits are told by; letter case does
 *		not count, nor does any hiding that plain_text() undoes. A
 *		blank in it stands for any blanks and line ends. False: empty,
 *		or more than WORDS_BYTES in all; then nothing is added
 * words_ready	once, when all are added; from then on any thread may scan
 * words_begin	a text, as plain_text() gives it
 * words_next	the next hit, in the order in which they end; a word inside
 *		another one is told as well. Only whole words: no letter or
 *		digit stands right before or behind. False at the end
 *
 * A step a byte, whatever the number of words.
 */
#ifndef DETECT_WORDS_H
#define DETECT_WORDS_H

#include "base/slice.h"

enum { WORDS_BYTES = 1 << 16 };

struct words;

struct words_hit {
	unsigned number;
	size_t at, len;
};

struct words_scan {
	const struct words *words;
	struct slice text;
	size_t pos;
	uint32_t node;			/* where we are */
	uint32_t ends, word;		/* what is told of what ends here */
	uint64_t starts;		/* of words, in a block (block.h) */
	size_t started;			/* where that begins, plus 1; 0: none */
};

struct words *words_new(void);
bool words_add(struct words *w, struct slice word, unsigned number);
void words_ready(struct words *w);
void words_free(struct words *w);
void words_begin(struct words_scan *s, const struct words *w,
    struct slice text);
bool words_next(struct words_scan *s, struct words_hit *hit_r);

#endif
