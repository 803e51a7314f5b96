#include "number.h"

#include <math.h>

enum { NUMBER = 40 };

/* Digits at the front of *text; false when there is none. scale, where it is
 * wanted, says how many there were. */
static bool
digits(struct slice *text, double *value, int *scale)
{
	size_t n = 0;

	for (; n < text->len && ascii_digit(text->ptr[n]); n++)
		*value = *value * 10 + (text->ptr[n] - '0');
	*scale += (int)n;
	*text = slice_after(*text, n);
	return n > 0;
}

static int
sign(struct slice *text)
{
	bool minus = slice_starts(*text, SLICE("-"));

	if (minus || slice_starts(*text, SLICE("+")))
		*text = slice_after(*text, 1);
	return minus ? -1 : 1;
}

bool
number_read(struct slice text, double min, double max, double *value_r)
{
	double value = 0, power = 0;
	int unused = 0, places = 0, minus, power_minus;

	if (text.len > NUMBER)
		return false;
	minus = sign(&text);
	if (!digits(&text, &value, &unused))
		return false;
	if (slice_starts(text, SLICE("."))) {
		text = slice_after(text, 1);
		if (!digits(&text, &value, &places))
			return false;
	}
	if (slice_starts_nocase(text, SLICE("e"))) {
		text = slice_after(text, 1);
		power_minus = sign(&text);
		if (text.len > 3 || !digits(&text, &power, &unused))
			return false;
		power *= power_minus;
	}
	value = minus * value * pow(10, power - places);
	if (text.len > 0 || !isfinite(value) || value < min || value > max)
		return false;
	*value_r = value;
	return true;
}
