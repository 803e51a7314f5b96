/*
 * hex - bytes as hexadecimal digits
 *
 * hex_write	2n lower-case digits and a NUL
 * hex_read	exactly n bytes from exactly 2n digits of either case; false for
 *		anything else
 * hex_copy	n digits and a NUL, when s is exactly n digits; else false, and
 *		nothing is written
 */
#ifndef BASE_HEX_H
#define BASE_HEX_H

#include "base/slice.h"

void hex_write(char *to, const void *bytes, size_t n);
bool hex_read(void *to, size_t n, struct slice s);
bool hex_copy(char *to, size_t n, struct slice s);

#endif
