#include "sketch.h"

#include <string.h>

enum { SHINGLE = 3, WORD_MAX = 40, IDEOGRAPH = 3 };

struct reading {
	uint64_t last[SHINGLE];		/* hashes of words, newest first */
	size_t words;
	uint64_t least[SKETCH_BINS];
	bool full[SKETCH_BINS];
	size_t nfull;
	uint64_t seen[4];		/* which shingles: a bit each */
};

/* FNV's step and the end of splitmix64: no secret, for the file with what was
 * learned is made by another program than the one that reads it. */
static uint64_t
mix(uint64_t h)
{
	h = (h ^ (h >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	h = (h ^ (h >> 27)) * UINT64_C(0x94d049bb133111eb);
	return h ^ (h >> 31);
}

static void
add_shingle(struct reading *r)
{
	uint64_t h = mix(r->last[0] + 3 * r->last[1] + 7 * r->last[2]);
	unsigned bin = (unsigned)(h >> 59), bit = (unsigned)(h & 0xff);

	r->seen[bit / 64] |= UINT64_C(1) << bit % 64;
	h = h << 5 >> 5;
	if (r->full[bin] && r->least[bin] <= h)
		return;
	r->nfull += !r->full[bin];
	r->full[bin] = true;
	r->least[bin] = h;
}

static void
add_word(struct reading *r, uint64_t word)
{
	r->last[2] = r->last[1];
	r->last[1] = r->last[0];
	r->last[0] = word;
	if (++r->words >= SHINGLE)
		add_shingle(r);
}

static bool
word_byte(char c)
{
	return ascii_alnum(c) || (unsigned char)c >= 0x80;
}

/* Where scripts have no blanks between words, a character is one. */
static size_t
ideograph(struct slice s, size_t at)
{
	unsigned char c = (unsigned char)s.ptr[at];

	return c >= 0xe3 && c <= 0xed && s.len - at >= IDEOGRAPH ? IDEOGRAPH :
	    0;
}

/* The word at `at`, and its end. 0: it is of one letter, or holds a digit. */
static uint64_t
read_word(struct slice s, size_t at, size_t *end_r)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);
	bool digit = false;
	size_t i = at, n = ideograph(s, at);

	for (; i < s.len && word_byte(s.ptr[i]); i++) {
		if (n > 0 ? i - at >= n : ideograph(s, i) > 0)
			break;
		digit = digit || ascii_digit(s.ptr[i]);
		if (i - at < WORD_MAX)
			h = (h ^ (unsigned char)ascii_lower(s.ptr[i])) *
			    UINT64_C(0x100000001b3);
	}
	*end_r = i;
	return digit || i - at < 2 ? 0 : mix(h) | 1;
}

/* Addresses and links: another one in each copy. */
static bool
changes(struct slice chunk)
{
	size_t colon = slice_find(chunk, ':');

	return slice_has(chunk, '@') || (colon < chunk.len &&
	    slice_search(slice_after(chunk, colon), SLICE("://")) <
	    chunk.len - colon) || slice_starts_nocase(chunk, SLICE("www."));
}

static void
read_chunk(struct reading *r, struct slice chunk)
{
	for (size_t i = 0, end; i < chunk.len; i = end) {
		uint64_t word;

		if (!word_byte(chunk.ptr[i])) {
			end = i + 1;
			continue;
		}
		word = read_word(chunk, i, &end);
		if (word != 0)
			add_word(r, word);
	}
}

/* What a bin lacks it borrows from the next one that has something, told by
 * how far that is (Shrivastava and Li, "Densifying one permutation hashing",
 * 2014). */
static void
finish(const struct reading *r, struct sketch *s_r)
{
	for (unsigned i = 0; i < SKETCH_BINS; i++) {
		unsigned far = 0;

		while (!r->full[(i + far) % SKETCH_BINS])
			far++;
		s_r->bin[i] = (uint16_t)mix(r->least[(i + far) %
		    SKETCH_BINS] + far);
	}
}

bool
sketch_text(struct slice text, struct sketch *s_r)
{
	struct reading r = { .words = 0 };
	unsigned different = 0;
	size_t at = 0;

	text = slice_sub(text, 0, SKETCH_TEXT);
	while (at < text.len) {
		size_t from = at;

		while (at < text.len && !ascii_space(text.ptr[at]))
			at++;
		if (!changes(slice_sub(text, from, at - from)))
			read_chunk(&r, slice_sub(text, from, at - from));
		at++;
	}
	for (size_t i = 0; i < sizeof r.seen / sizeof *r.seen; i++)
		different += (unsigned)__builtin_popcountll(r.seen[i]);
	*s_r = (struct sketch){ { 0 } };
	if (different < SKETCH_LEAST)
		return false;
	finish(&r, s_r);
	return true;
}

bool
sketch_message(const struct content *content, struct sketch *s_r)
{
	struct slice longest = SLICE("");

	for (const struct content_text *t = content->first; t != NULL;
	    t = t->next)
		if ((t->kind == CONTENT_PLAIN || t->kind == CONTENT_HTML) &&
		    t->text.len > longest.len)
			longest = t->text;
	return sketch_text(longest, s_r);
}

unsigned
sketch_alike(const struct sketch *a, const struct sketch *b)
{
	unsigned n = 0;

	for (unsigned i = 0; i < SKETCH_BINS; i++)
		n += a->bin[i] == b->bin[i];
	return n;
}

uint64_t
sketch_band(const struct sketch *s, unsigned band)
{
	uint64_t h = band + 1;

	for (unsigned i = 0; i < SKETCH_ROWS; i++)
		h = mix(h << 16 | s->bin[band * SKETCH_ROWS + i]);
	return h;
}
