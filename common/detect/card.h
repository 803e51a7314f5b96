/*
 * card - numbers of payment cards (ISO/IEC 7812)
 *
 * card_issuer	the issuer whose range and length the n digits have, when the
 *		check digit is right as well; NULL: no card. Static
 * card_bare	such a number may be believed without any word about cards near
 *		it; lengths that are rare, and ranges that telephone numbers
 *		and dates fall into, may not
 *
 * Pure; thread-safe.
 */
#ifndef DETECT_CARD_H
#define DETECT_CARD_H

#include "base/slice.h"

enum { CARD_MIN = 12, CARD_MAX = 19 };

struct card_issuer;

const struct card_issuer *card_issuer(const char *digits, size_t n);
const char *card_name(const struct card_issuer *issuer);
bool card_bare(const struct card_issuer *issuer, size_t n);

#endif
