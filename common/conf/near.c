#include "conf/near.h"

enum { WORD_MAX = 40 };

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Optimal string alignment distance, letter case not counted. */
static size_t
distance(struct slice a, struct slice b)
{
	size_t d[WORD_MAX + 1][WORD_MAX + 1];

	for (size_t i = 0; i <= a.len; i++)
		d[i][0] = i;
	for (size_t j = 0; j <= b.len; j++)
		d[0][j] = j;
	for (size_t i = 1; i <= a.len; i++)
		for (size_t j = 1; j <= b.len; j++) {
			char x = ascii_lower(a.ptr[i - 1]);
			char y = ascii_lower(b.ptr[j - 1]);

			d[i][j] = least(least(d[i - 1][j], d[i][j - 1]) + 1,
			    d[i - 1][j - 1] + (x != y));
			if (i > 1 && j > 1 &&
			    x == ascii_lower(b.ptr[j - 2]) &&
			    y == ascii_lower(a.ptr[i - 2]))
				d[i][j] = least(d[i][j], d[i - 2][j - 2] + 1);
		}
	return d[a.len][b.len];
}

struct near
near_to(struct slice word)
{
	size_t slips = word.len / 3;

	return (struct near){ word, NULL, (slips > 0 ? slips : 1) + 1 };
}

void
near_try(struct near *near, const char *candidate)
{
	struct slice other = slice_of(candidate);
	size_t d;

	if (near->word.len > WORD_MAX || other.len > WORD_MAX)
		return;
	d = distance(near->word, other);
	if (d < near->distance) {
		near->distance = d;
		near->best = candidate;
	}
}
