/*
 * iban - account numbers of ISO 13616, and bank codes of ISO 9362
 *
 * iban_length	how long an IBAN of that country is; 0: no such country
 * iban_valid	n characters without separators, letters of either case:
 *		country, length, what stands where letters or digits must
 *		(the registry's BBAN structure), check digits
 * bic_valid	eight or eleven characters: letters, a country, letters or
 *		digits. Any word in capitals may be one, so who asks wants more
 *		than this
 * country_known	an ISO 3166-1 code that banks use (XK too)
 *
 * Pure; thread-safe.
 */
#ifndef DETECT_IBAN_H
#define DETECT_IBAN_H

#include "base/slice.h"

enum { IBAN_MIN = 15, IBAN_MAX = 34 };

unsigned iban_length(const char country[2]);
bool iban_valid(const char *chars, size_t n);
bool bic_valid(const char *chars, size_t n);
bool country_known(const char country[2]);

#endif
