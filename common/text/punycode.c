#include "text/punycode.h"

#include <string.h>

#include "text/utf8.h"

/* RFC 3492, 5. */
enum { BASE = 36, TMIN = 1, TMAX = 26, SKEW = 38, DAMP = 700, BIAS = 72,
    FIRST = 128 };

static uint32_t
adapt(uint32_t delta, uint32_t count, bool first)
{
	uint32_t k = 0;

	delta = first ? delta / DAMP : delta / 2;
	delta += delta / count;
	for (; delta > (BASE - TMIN) * TMAX / 2; k += BASE)
		delta /= BASE - TMIN;
	return k + (BASE - TMIN + 1) * delta / (delta + SKEW);
}

static uint32_t
threshold(uint32_t k, uint32_t bias)
{
	return k <= bias ? TMIN : k >= bias + TMAX ? TMAX : k - bias;
}

static char
digit(uint32_t d)
{
	return (char)(d < 26 ? 'a' + d : '0' + d - 26);
}

static void
put_number(struct buf *out, uint32_t q, uint32_t bias)
{
	for (uint32_t k = BASE;; k += BASE) {
		uint32_t t = threshold(k, bias);

		if (q < t)
			break;
		buf_addc(out, digit(t + (q - t) % (BASE - t)));
		q = (q - t) / (BASE - t);
	}
	buf_addc(out, digit(q));
}

/* Code points of the label; 0: ill-formed or too many. */
static size_t
read_label(struct slice label, uint32_t cps[PUNYCODE_MAX], size_t *ascii_r)
{
	size_t n = 0;
	uint32_t cp;

	*ascii_r = 0;
	while (utf8_next(&label, &cp)) {
		if (cp == UTF8_BAD || n == PUNYCODE_MAX)
			return 0;
		*ascii_r += cp < FIRST;
		cps[n++] = cp;
	}
	return n;
}

static uint32_t
next_above(const uint32_t *cps, size_t n, uint32_t least)
{
	uint32_t m = UINT32_MAX;

	for (size_t i = 0; i < n; i++)
		if (cps[i] >= least && cps[i] < m)
			m = cps[i];
	return m;
}

static void
put_rest(struct buf *out, const uint32_t *cps, size_t n, size_t ascii)
{
	uint32_t now = FIRST, delta = 0, bias = BIAS;
	size_t done = ascii;

	while (done < n) {
		uint32_t m = next_above(cps, n, now);

		/* 256 x 0x110000 fits. */
		delta += (m - now) * (uint32_t)(done + 1);
		now = m;
		for (size_t i = 0; i < n; i++) {
			delta += cps[i] < now;
			if (cps[i] != now)
				continue;
			put_number(out, delta, bias);
			bias = adapt(delta, (uint32_t)done + 1, done == ascii);
			delta = 0;
			done++;
		}
		delta++;
		now++;
	}
}

bool
punycode_encode(struct slice label, struct buf *out)
{
	uint32_t cps[PUNYCODE_MAX];
	size_t ascii, n = read_label(label, cps, &ascii);

	if (n == 0)
		return false;
	if (ascii == n) {
		buf_add(out, label);
		return true;
	}
	buf_adds(out, "xn--");
	for (size_t i = 0; i < n; i++)
		if (cps[i] < FIRST)
			buf_addc(out, (char)cps[i]);
	if (ascii > 0)
		buf_addc(out, '-');
	put_rest(out, cps, n, ascii);
	return true;
}

static uint32_t
value_of(char c)
{
	if (ascii_digit(c))
		return (uint32_t)(c - '0') + 26;
	return ascii_alpha(c) ? (uint32_t)(ascii_lower(c) - 'a') : BASE;
}

/* One number; false: it is cut, or too large for a code point. */
static bool
take_number(struct slice *rest, uint32_t bias, uint32_t *number_r)
{
	uint64_t number = 0, weight = 1;

	for (uint32_t k = BASE; rest->len > 0; k += BASE) {
		uint32_t d = value_of(rest->ptr[0]), t = threshold(k, bias);

		*rest = slice_after(*rest, 1);
		if (d >= BASE)
			return false;
		number += d * weight;
		if (number > (uint64_t)0x110000 * (PUNYCODE_MAX + 1))
			return false;
		*number_r = (uint32_t)number;
		if (d < t)
			return true;
		weight *= BASE - t;
	}
	return false;
}

/* Puts the rest of the label among its n ASCII characters. */
static bool
take_rest(struct slice rest, uint32_t cps[PUNYCODE_MAX], size_t *n)
{
	uint32_t cp = FIRST, i = 0, bias = BIAS;

	while (rest.len > 0) {
		uint32_t more, room = (uint32_t)*n + 1;

		if (*n == PUNYCODE_MAX || !take_number(&rest, bias, &more))
			return false;
		bias = adapt(more, room, bias == BIAS && i == 0 &&
		    cp == FIRST);
		i += more;
		cp += i / room;
		i %= room;
		if (cp > 0x10ffff || (cp >= 0xd800 && cp < 0xe000))
			return false;
		memmove(cps + i + 1, cps + i, (*n - i) * sizeof *cps);
		cps[i++] = cp;
		++*n;
	}
	return true;
}

bool
punycode_decode(struct slice label, struct buf *out)
{
	uint32_t cps[PUNYCODE_MAX];
	size_t n = 0, dash;
	char bytes[4];

	if (!slice_starts_nocase(label, SLICE("xn--")) ||
	    label.len > PUNYCODE_MAX)
		return false;
	label = slice_after(label, 4);
	dash = slice_find_last(label, '-');
	if (dash < label.len) {
		for (; n < dash; n++) {
			if ((unsigned char)label.ptr[n] >= FIRST)
				return false;
			cps[n] = (unsigned char)ascii_lower(label.ptr[n]);
		}
		label = slice_after(label, dash + 1);
	}
	if (label.len == 0 || !take_rest(label, cps, &n))
		return false;
	for (size_t i = 0; i < n; i++)
		buf_add(out, slice_make(bytes, utf8_put(bytes, cps[i])));
	return true;
}
