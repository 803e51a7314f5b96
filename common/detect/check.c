#include "detect/check.h"

bool
check_luhn(const char *digits, size_t n)
{
	unsigned sum = 0;

	for (size_t i = 0; i < n; i++) {
		unsigned d = check_digit(digits[n - 1 - i]);

		if (i % 2 == 1) {
			d *= 2;
			if (d > 9)
				d -= 9;
		}
		sum += d;
	}
	return sum % 10 == 0;
}

/* The product of the dihedral group of ten, by its rule instead of a table:
 * below 5 turns, from 5 on a turn and a flip. */
static unsigned
times(unsigned a, unsigned b)
{
	if (a < 5)
		return b < 5 ? (a + b) % 5 : 5 + (a + b) % 5;
	return b < 5 ? 5 + (a + 5 - b) % 5 : (a + 5 - b) % 5;
}

bool
check_verhoeff(const char *digits, size_t n)
{
	static const unsigned char turn[10] = { 1, 5, 7, 6, 2, 8, 3, 0, 9, 4 };
	unsigned sum = 0;

	for (size_t i = 0; i < n; i++) {
		unsigned d = check_digit(digits[n - 1 - i]);

		for (size_t k = i % 8; k > 0; k--)
			d = turn[d];
		sum = times(sum, d);
	}
	return sum == 0;
}

bool
check_mod97(const char *chars, size_t n)
{
	unsigned rest = 0;

	for (size_t i = 0; i < n; i++) {
		char c = ascii_lower(chars[i]);

		if (ascii_digit(c))
			rest = (rest * 10 + check_digit(c)) % 97;
		else if (ascii_alpha(c))
			rest = (rest * 100 + (unsigned)(c - 'a') + 10) % 97;
		else
			return false;
	}
	return rest == 1;
}

bool
check_mod11_10(const char *digits, size_t n)
{
	unsigned p = 10;

	for (size_t i = 0; i + 1 < n; i++) {
		p = (p + check_digit(digits[i])) % 10;
		p = (p == 0 ? 10 : p) * 2 % 11;
	}
	return n > 0 && (p + check_digit(digits[n - 1])) % 10 == 1;
}

unsigned
check_sum(const char *digits, const unsigned char *weights, size_t n)
{
	unsigned sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += check_digit(digits[i]) * weights[i];
	return sum;
}

unsigned
check_rest(const char *digits, size_t n, unsigned m)
{
	unsigned rest = 0;

	for (size_t i = 0; i < n; i++)
		rest = (rest * 10 + check_digit(digits[i])) % m;
	return rest;
}
