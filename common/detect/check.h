/*
 * check - the check digits of numbers that people write down
 *
 * All take n digits (or letters where said) without separators, the check
 * digit included, and are true when it is right.
 *
 * check_luhn		ISO/IEC 7812-1, annex B
 * check_verhoeff	Verhoeff, "Error detecting decimal codes", 1969
 * check_mod97		ISO/IEC 7064 MOD 97-10 over digits and letters (A is 10),
 *			whose value is 1; of an IBAN the first four stand last
 * check_mod11_10	ISO/IEC 7064 MOD 11,10 (hybrid)
 * check_sum		the sum of digit times weight, for the many of their own
 * check_rest		the number that n digits are, modulo m; n up to any
 *
 * Pure; thread-safe.
 */
#ifndef DETECT_CHECK_H
#define DETECT_CHECK_H

#include "base/slice.h"

bool check_luhn(const char *digits, size_t n);
bool check_verhoeff(const char *digits, size_t n);
bool check_mod97(const char *chars, size_t n);
bool check_mod11_10(const char *digits, size_t n);
unsigned check_sum(const char *digits, const unsigned char *weights, size_t n);
unsigned check_rest(const char *digits, size_t n, unsigned m);

static inline unsigned
check_digit(char c)
{
	return (unsigned)(c - '0');
}

#endif
