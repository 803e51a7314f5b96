#include "language.h"

#include <stdlib.h>

#include "base/buf.h"
#include "text/utf8.h"

struct row {
	uint64_t key;
	unsigned char weight[17];
};

#include "milters/predelivery/language_table.h"

_Static_assert((int)LANGUAGES == (int)sizeof ((struct row *)0)->weight,
    "a row has a weight for each of languages/");

enum {
	ROWS = sizeof rows / sizeof rows[0],
	LETTERS_MIN = 40,		/* less says too little */
	LIKE_MIN = 35,			/* of a hundred trigrams, that are in
					   the table at all */
	/* 16 times how much likelier, as a logarithm, the best language has to
	 * be than the next one: e^6 for the whole text. */
	LEAD_MIN = 96,
};

/* Lower case of the alphabets above; 0: no letter. */
static uint32_t
letter(uint32_t cp)
{
	if (cp < 0x80)
		return ascii_alpha((char)cp) ?
		    (uint32_t)ascii_lower((char)cp) : 0;
	if (cp >= 0xc0 && cp <= 0xde && cp != 0xd7)
		return cp + 0x20;
	if (cp >= 0x100 && cp <= 0x17f) {
		/* Pairs, whose parity changes on the way. */
		bool odd_is_upper = (cp >= 0x139 && cp <= 0x148) ||
		    (cp >= 0x179 && cp <= 0x17e);

		if (cp == 0x138 || cp == 0x149 || cp == 0x17f)
			return cp;
		if (cp == 0x178)
			return 0xff;
		return odd_is_upper ? cp + (cp & 1) : cp | 1;
	}
	if (cp >= 0x218 && cp <= 0x21b)
		return cp | 1;		/* Romanian, with comma below */
	if (cp >= 0x391 && cp <= 0x3a9)
		return cp + 0x20;
	if (cp >= 0x386 && cp <= 0x38f) {
		static const uint16_t accented[] = { 0x3ac, 0, 0x3ad, 0x3ae,
		    0x3af, 0, 0x3cc, 0, 0x3cd, 0x3ce };

		return accented[cp - 0x386];
	}
	if (cp >= 0x400 && cp <= 0x40f)
		return cp + 0x50;
	if (cp >= 0x410 && cp <= 0x42f)
		return cp + 0x20;
	return cp >= 0xdf && cp != 0xf7 && cp != UTF8_BAD &&
	    (cp < 0x2000 || cp > 0x2bff) ? cp : 0;
}

static int
by_key(const void *a, const void *b)
{
	const uint64_t *key = a;
	const struct row *row = b;

	return *key < row->key ? -1 : *key > row->key;
}

struct tally {
	uint64_t cost[LANGUAGES];
	size_t all, like;
};

static void
count(struct tally *t, const uint32_t three[3])
{
	uint64_t key = (uint64_t)three[0] << 42 | (uint64_t)three[1] << 21 |
	    three[2];
	const struct row *row;

	if (three[1] == ' ')
		return;
	row = bsearch(&key, rows, ROWS, sizeof rows[0], by_key);
	t->all++;
	t->like += row != NULL;
	for (int i = 0; i < LANGUAGES; i++)
		t->cost[i] += row != NULL ? row->weight[i] : never[i];
}

/* All trigrams of the text; how many letters it had. */
static size_t
read_text(struct slice text, struct tally *t)
{
	uint32_t three[3] = { ' ', ' ', ' ' }, cp;
	size_t letters = 0;

	while (letters < LANGUAGE_LETTERS && utf8_next(&text, &cp)) {
		uint32_t next = letter(cp);

		if (next == 0)
			next = ' ';
		if (next == ' ' && three[2] == ' ')
			continue;
		letters += next != ' ';
		three[0] = three[1];
		three[1] = three[2];
		three[2] = next;
		count(t, three);
	}
	return letters;
}

const char *
language_of(struct slice text)
{
	struct tally t = { .all = 0 };
	size_t letters = read_text(text, &t);
	int best = 0, next = -1;

	if (letters < LETTERS_MIN || t.like * 100 < t.all * LIKE_MIN)
		return "unknown";
	for (int i = 1; i < LANGUAGES; i++)
		if (t.cost[i] < t.cost[best])
			best = i;
	for (int i = 0; i < LANGUAGES; i++)
		if (i != best && (next < 0 || t.cost[i] < t.cost[next]))
			next = i;
	if (t.cost[next] - t.cost[best] < LEAD_MIN)
		return "unknown";
	return names[best];
}

bool
language_known(struct slice name)
{
	for (int i = 0; i < LANGUAGES; i++)
		if (slice_eq(name, slice_of(names[i])))
			return true;
	return slice_eq(name, SLICE("unknown"));
}

/* Past <style> and <script>, whose content nobody reads as text. */
static struct slice
skip_element(struct slice rest, struct slice name)
{
	for (size_t i = 0; i + 2 + name.len <= rest.len; i++)
		if (rest.ptr[i] == '<' && rest.ptr[i + 1] == '/' &&
		    slice_starts_nocase(slice_after(rest, i + 2), name))
			return slice_after(rest, i);
	return SLICE("");
}

struct slice
language_visible(struct arena *a, struct slice html)
{
	struct buf out = buf_in(a);

	while (html.len > 0) {
		size_t tag = slice_find(html, '<');

		buf_add(&out, slice_sub(html, 0, tag));
		html = slice_after(html, tag);
		if (slice_starts_nocase(html, SLICE("<style")))
			html = skip_element(html, SLICE("style"));
		else if (slice_starts_nocase(html, SLICE("<script")))
			html = skip_element(html, SLICE("script"));
		html = slice_after(html, slice_find(html, '>') + 1);
		buf_addc(&out, ' ');
	}
	return buf_slice(&out);
}
