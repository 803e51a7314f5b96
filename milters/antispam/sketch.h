/*
 * sketch - what two texts have in common, in 64 bytes
 *
 * Runs of three words ("shingles") of a text have hashes, and of those in each
 * of SKETCH_BINS ranges the smallest one is kept (Broder, "On the resemblance
 * and containment of documents", 1997; one permutation with bins: Li, Owen and
 * Zhang, "One permutation hashing", 2012). Two texts agree in about as many
 * bins as they share shingles of all that they have.
 *
 * What a mailer changes from copy to copy is no word here: whatever holds a
 * digit, addresses, links; letter case and signs do not count.
 *
 * sketch_text	of a text as plain_text() gives it. False: fewer than
 *		SKETCH_LEAST different shingles; of so little all that is said
 *		by many would look like one campaign
 * sketch_message	of the longest text of a message that its reader sees
 * sketch_alike	in how many bins two agree
 * sketch_band	a number for SKETCH_ROWS bins: texts that agree in
 *		SKETCH_SAME bins have one of SKETCH_BANDS in common nearly
 *		always
 *
 * Pure; linear; at most SKETCH_TEXT bytes are read.
 */
#ifndef ANTISPAM_SKETCH_H
#define ANTISPAM_SKETCH_H

#include "content/content.h"

enum {
	SKETCH_BINS = 32, SKETCH_ROWS = 2,
	SKETCH_BANDS = SKETCH_BINS / SKETCH_ROWS,
	SKETCH_SAME = 20,		/* this many: the same text, varied */
	SKETCH_SURE = 24,		/* nothing else */
	SKETCH_LEAST = 12,
	SKETCH_TEXT = 1 << 18,
};

struct sketch {
	uint16_t bin[SKETCH_BINS];
};

bool sketch_text(struct slice text, struct sketch *s_r);
bool sketch_message(const struct content *content, struct sketch *s_r);
unsigned sketch_alike(const struct sketch *a, const struct sketch *b);
uint64_t sketch_band(const struct sketch *s, unsigned band);

#endif
