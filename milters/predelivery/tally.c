#include "tally.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/sip.h"

enum {
	VERSION_OF_TABLE = 1,
	COUNT_BITS = 20, TIME_BITS = 32,
	AHEAD = 3600,			/* s; a clock may have been so wrong */
};

/*
 * word: count, seconds since 1970 when its message was first seen, and 12 bits
 * of a check sum over both and the key. 0: the cell is free.
 */
struct cell {
	uint64_t key;
	_Atomic uint64_t word;
};

struct tally {
	char magic[8];
	uint32_t version, nsets;
	uint64_t secret[2];
	struct cell cells[];
};

_Static_assert(sizeof (struct cell) == 16, "four of them to a cache line");
_Static_assert(sizeof (struct tally) == 32, "no holes in the file");

/* ---- the memory ---- */

static uint32_t
sets_for(unsigned cells)
{
	uint32_t n = 1;

	while (n * TALLY_WAYS < cells && n < TALLY_CELLS / TALLY_WAYS)
		n *= 2;
	return n;
}

size_t
tally_size(unsigned cells)
{
	return sizeof (struct tally) + (size_t)sets_for(cells) * TALLY_WAYS *
	    sizeof (struct cell);
}

void
tally_begin(void *memory, unsigned cells)
{
	struct tally *t = memory;

	memset(memory, 0, tally_size(cells));
	t->version = VERSION_OF_TABLE;
	t->nsets = sets_for(cells);
	sip_secret(t->secret);
	/* Last: what is not ready has no name. */
	memcpy(t->magic, "GHtally1", sizeof t->magic);
}

bool
tally_whole(const void *memory, size_t size)
{
	const struct tally *t = memory;

	return size >= sizeof *t &&
	    memcmp(t->magic, "GHtally1", sizeof t->magic) == 0 &&
	    t->version == VERSION_OF_TABLE && t->nsets > 0 &&
	    t->nsets <= TALLY_CELLS / TALLY_WAYS &&
	    (t->nsets & (t->nsets - 1)) == 0 &&
	    size == tally_size(t->nsets * TALLY_WAYS);
}

uint64_t
tally_key(const struct tally *t, uint64_t of, struct slice name)
{
	uint64_t secret[2] = { t->secret[0], t->secret[1] ^ of };

	return sip_hash(secret, name);
}

/* ---- cells ---- */

static uint64_t
word_of(const struct tally *t, uint64_t key, uint64_t count, int64_t when)
{
	uint64_t word = (count & TALLY_MAX) |
	    (uint64_t)(uint32_t)when << COUNT_BITS;
	uint64_t both[2] = { key, word };
	uint64_t check = sip_hash(t->secret, slice_make(both, sizeof both));

	/* A free cell is 0, so the check sum of one in use is odd. */
	return word | (check | 1) << (COUNT_BITS + TIME_BITS);
}

static unsigned
count_of(uint64_t word)
{
	return (unsigned)(word & TALLY_MAX);
}

static int64_t
when_of(uint64_t word)
{
	return (int64_t)(uint32_t)(word >> COUNT_BITS);
}

/* Its word, or 0: free or damaged. */
static uint64_t
read_cell(const struct tally *t, const struct cell *c)
{
	uint64_t word = atomic_load_explicit(&c->word, memory_order_relaxed);

	return word != 0 && word == word_of(t, c->key, count_of(word),
	    when_of(word)) ? word : 0;
}

/* Never half of it: while the key changes, the cell is free. */
static void
write_cell(struct tally *t, struct cell *c, uint64_t key, uint64_t count,
    int64_t when)
{
	if (c->key != key) {
		atomic_store(&c->word, 0);
		c->key = key;
	}
	atomic_store(&c->word, word_of(t, key, count, when));
}

static struct cell *
set_of(struct tally *t, uint64_t key)
{
	return &t->cells[(key & (t->nsets - 1)) * TALLY_WAYS];
}

static bool
over(int64_t when, int64_t window, int64_t now)
{
	return now - when >= window || when - now > AHEAD;
}

static struct cell *
find(struct tally *t, uint64_t key)
{
	struct cell *set = set_of(t, key);

	for (int i = 0; i < TALLY_WAYS; i++)
		if (set[i].key == key && read_cell(t, &set[i]) != 0)
			return &set[i];
	return NULL;
}

/* What a cell is worth: a free or old one nothing, else count before age. */
static uint64_t
worth(const struct tally *t, const struct cell *c,
    const struct tally_offer *o)
{
	uint64_t word = read_cell(t, c);

	if (word == 0 || over(when_of(word), o->keep, o->now))
		return 0;
	return ((uint64_t)count_of(word) << TIME_BITS |
	    (uint32_t)when_of(word)) + 1;
}

/* The cell of that key, or the one to take for it; never `kept`. */
static struct cell *
place(struct tally *t, uint64_t key, const struct tally_offer *o,
    const struct cell *kept)
{
	struct cell *set = set_of(t, key), *least = NULL, *found = find(t, key);
	uint64_t lowest = UINT64_MAX;

	if (found != NULL)
		return found;
	for (int i = 0; i < TALLY_WAYS; i++) {
		uint64_t w = worth(t, &set[i], o);

		if (&set[i] != kept && w < lowest) {
			lowest = w;
			least = &set[i];
		}
	}
	return least;
}

/* ---- counting ---- */

static int
by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Each of them once; how many that are. */
static size_t
distinct(uint64_t *keys, size_t n)
{
	size_t kept = 0;

	if (n > 1)
		qsort(keys, n, sizeof *keys, by_value);
	for (size_t i = 0; i < n; i++)
		if (kept == 0 || keys[i] != keys[kept - 1])
			keys[kept++] = keys[i];
	return kept;
}

/* A recipient counts for the run of his message that is under way. */
static bool
counted(struct tally *t, uint64_t key, int64_t since)
{
	const struct cell *c = find(t, key);

	return c != NULL && when_of(read_cell(t, c)) == since;
}

static void
take(struct tally *t, const struct tally_offer *o, size_t n,
    struct tally_view *v)
{
	struct cell *m = place(t, o->message, o, NULL);
	unsigned count = v->before;

	write_cell(t, m, o->message, count, v->since);
	for (size_t i = 0; i < n; i++) {
		uint64_t key = o->recipients[i];

		if (counted(t, key, v->since))
			continue;
		write_cell(t, place(t, key, o, m), key, 1, v->since);
		count += count < TALLY_MAX;
		write_cell(t, m, o->message, count, v->since);
	}
	v->taken = true;
}

void
tally_offer(struct tally *t, const struct tally_offer *o,
    struct tally_view *v)
{
	size_t n = distinct(o->recipients, o->n);
	const struct cell *m = find(t, o->message);
	uint64_t word = m != NULL ? read_cell(t, m) : 0;

	*v = (struct tally_view){ .since = o->now };
	if (word != 0 && !over(when_of(word), o->window, o->now)) {
		v->before = count_of(word);
		v->since = when_of(word);
	}
	for (size_t i = 0; i < n; i++)
		v->fresh += !counted(t, o->recipients[i], v->since);
	if ((uint64_t)v->before + v->fresh <= o->limit)
		take(t, o, n, v);
}
