#include "backscatter_sent.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/sip.h"
#include "base/shared_file.h"

enum {
	VERSION_OF_FILE = 1,
	GENERATIONS = SENT_DAYS + 1,
	BITS = 20,			/* for each item */
	PROBES = 10,
	DAY = 86400,
};

struct sent_head {
	char magic[8];
	uint32_t version, words;	/* of a generation, a power of two */
	uint64_t secret[2];
	int64_t begun;			/* when the file was made */
	int64_t first;			/* when something was first added; 0 */
	int64_t last;
	int64_t day[GENERATIONS];	/* that each holds; 0: none */
};

struct ndr_sent {
	struct shared_file shared;
	unsigned pairs;
	struct sent_head *head;
	uint64_t *bits;			/* GENERATIONS times words */
};

/* Each message adds its id beside its pairs. */
static uint32_t
words_for(unsigned pairs)
{
	uint64_t want = (uint64_t)pairs * 2 * BITS / 64;
	uint32_t n = 64;

	while (n < want)
		n *= 2;
	return n;
}

static size_t
size_for(unsigned pairs)
{
	return sizeof (struct sent_head) + (size_t)words_for(pairs) *
	    GENERATIONS * sizeof (uint64_t);
}

static bool
whole(const void *memory, size_t size, const void *with)
{
	const struct sent_head *h = memory;
	unsigned pairs = *(const unsigned *)with;

	return size == size_for(pairs) &&
	    memcmp(h->magic, "GHsent\0", sizeof h->magic) == 0 &&
	    h->version == VERSION_OF_FILE && h->words == words_for(pairs);
}

static void
begin(void *memory, size_t size, const void *with)
{
	struct sent_head *h = memory;

	(void)size;
	h->version = VERSION_OF_FILE;
	h->words = words_for(*(const unsigned *)with);
	h->begun = clock_wall();
	sip_secret(h->secret);
	memcpy(h->magic, "GHsent\0", sizeof h->magic);
}

enum rc
ndr_sent_open(const char *path, unsigned pairs, struct ndr_sent **sent_r,
    const char **anew_r, struct arena *a, struct slice *why_r)
{
	static const struct shared_kind kind = { "filter", whole, begin };
	struct ndr_sent *s = mem_alloc(sizeof *s);
	enum rc rc = shared_open(&s->shared, path, size_for(pairs), &kind,
	    &pairs, anew_r, a, why_r);

	if (rc != RC_OK) {
		free(s);
		return rc;
	}
	s->pairs = pairs;
	s->head = s->shared.memory;
	s->bits = (uint64_t *)(s->head + 1);
	*sent_r = s;
	return RC_OK;
}

struct ndr_sent *
ndr_sent_hold(struct ndr_sent *s)
{
	if (s != NULL)
		shared_hold(&s->shared);
	return s;
}

void
ndr_sent_drop(struct ndr_sent *s)
{
	if (s != NULL && shared_drop(&s->shared))
		free(s);
}

unsigned
ndr_sent_pairs(const struct ndr_sent *s)
{
	return s->pairs;
}

/* Two hashes make all probes (Kirsch and Mitzenmacher, 2006). */
struct probes {
	uint64_t at, step;
};

static struct probes
probes_of(const struct ndr_sent *s, struct slice id, struct slice recipient)
{
	const uint64_t other[2] = { ~s->head->secret[0], s->head->secret[1] };
	unsigned char text[2][8];
	uint64_t hash;

	/* Each apart, so that no two pairs make the same bytes. */
	hash = sip_hash(s->head->secret, id);
	memcpy(text[0], &hash, sizeof text[0]);
	hash = sip_hash(s->head->secret, recipient);
	memcpy(text[1], &hash, sizeof text[1]);
	return (struct probes){
	    sip_hash(s->head->secret, slice_make(text, sizeof text)),
	    sip_hash(other, slice_make(text, sizeof text)) | 1 };
}

static struct slice
lower(char text[320], struct slice address)
{
	size_t n = address.len < 320 ? address.len : 320;

	for (size_t i = 0; i < n; i++)
		text[i] = ascii_lower(address.ptr[i]);
	return slice_make(text, n);
}

/* Where the i-th bit of it stands. */
static uint64_t *
word_of(struct ndr_sent *s, unsigned generation, const struct probes *p, int i)
{
	uint64_t n = p->at + (uint64_t)i * p->step;
	uint32_t words = s->head->words;

	return &s->bits[(size_t)generation * words + ((n >> 6) & (words - 1))];
}

static uint64_t
bit_of(const struct probes *p, int i)
{
	return UINT64_C(1) << ((p->at + (uint64_t)i * p->step) & 63);
}

void
ndr_sent_add(struct ndr_sent *s, struct slice id, struct slice recipient,
    int64_t now)
{
	char text[320];
	struct probes p = probes_of(s, id, lower(text, recipient));
	int64_t day = now / DAY;
	unsigned g = (unsigned)(day % GENERATIONS);

	shared_lock(&s->shared);
	if (s->head->day[g] != day) {
		memset(&s->bits[(size_t)g * s->head->words], 0,
		    s->head->words * sizeof (uint64_t));
		s->head->day[g] = day;
	}
	for (int i = 0; i < PROBES; i++)
		*word_of(s, g, &p, i) |= bit_of(&p, i);
	/* After a pause it is as at the beginning. */
	if (s->head->first == 0 || s->head->first > now ||
	    s->head->last < now - SENT_DAYS * DAY)
		s->head->first = now;
	s->head->last = now;
	shared_unlock(&s->shared);
}

static bool
holds(struct ndr_sent *s, unsigned g, const struct probes *p)
{
	for (int i = 0; i < PROBES; i++)
		if ((*word_of(s, g, p, i) & bit_of(p, i)) == 0)
			return false;
	return true;
}

bool
ndr_sent_has(struct ndr_sent *s, struct slice id, struct slice recipient,
    int64_t now)
{
	char text[320];
	struct probes p = probes_of(s, id, lower(text, recipient));
	int64_t today = now / DAY;
	bool has = false;

	shared_lock(&s->shared);
	for (unsigned g = 0; g < GENERATIONS && !has; g++) {
		int64_t day = s->head->day[g];

		/* A clock may have been a day ahead. */
		has = day > 0 && day >= today - SENT_DAYS &&
		    day <= today + 1 && holds(s, g, &p);
	}
	shared_unlock(&s->shared);
	return has;
}

int64_t
ndr_sent_age(const struct ndr_sent *s, int64_t now)
{
	/* Written once, before anybody else has it. */
	return now - s->head->begun;
}

int64_t
ndr_sent_since(struct ndr_sent *s, int64_t now)
{
	int64_t since;

	shared_lock(&s->shared);
	since = s->head->first == 0 || s->head->first > now ||
	    s->head->last < now - SENT_DAYS * DAY ? -1 : now - s->head->first;
	shared_unlock(&s->shared);
	return since;
}
