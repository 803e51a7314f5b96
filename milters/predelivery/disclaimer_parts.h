/*
 * disclaimer_parts - which parts of a message are its text
 *
 * For disclaimer.c. Fills in the parts that a reader shows as the message, in
 * document order, at most DISCLAIMER_PARTS; or says why there is nothing to
 * edit. Pure.
 *
 * Readers who see parts that others do not see (part.h: lax) make it
 * DISCLAIMER_REFUSED only where that concerns where the text is: two types,
 * two transfer encodings, a doubtful boundary, limits.
 */
#ifndef PREDELIVERY_DISCLAIMER_PARTS_H
#define PREDELIVERY_DISCLAIMER_PARTS_H

#include "disclaimer.h"

enum { DISCLAIMER_PARTS = 8 };

struct disclaimer_parts {
	const struct part *list[DISCLAIMER_PARTS];
	size_t n;
};

enum disclaimer_done disclaimer_parts(struct message *msg,
    struct disclaimer_parts *parts);

#endif
