/*
 * number - a decimal number, as scores and weights are written
 *
 * number_read	"-2.5", "12", "1e3" (RFC 8259, 6, and a + or leading zeros),
 *		whatever the locale; at most 40 bytes. False for anything else,
 *		and for what is not from min to max: so neither infinity nor
 *		what is no number
 */
#ifndef ANTISPAM_NUMBER_H
#define ANTISPAM_NUMBER_H

#include "base/slice.h"

bool number_read(struct slice text, double min, double max,
    double *value_r);

#endif
