/*
 * numbers - valid numbers for tests, made and not copied
 *
 * numbers_remainder	of a decimal string, by long division: another way than
 *			the one that is tested
 * numbers_countries	the IBAN registry's, each with its length
 * numbers_iban		a valid one; false: none could be made
 */
#ifndef T_NUMBERS_H
#define T_NUMBERS_H

#include "base/slice.h"

extern const char numbers_countries[];

unsigned numbers_remainder(const char *digits, unsigned by);
bool numbers_iban(const char *country, unsigned len, unsigned seed,
    char *iban);

#endif
