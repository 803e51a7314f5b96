#include "campaign.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/keyed_table.h"

enum { LAYOUT = 1, FIELD_BITS = 128 };

/* A set of which only the size matters: a bit for each hash. */
struct field_set {
	uint64_t bits[FIELD_BITS / 64];
};

/* What is in the file. */
struct entry {
	struct sketch sketch;
	int64_t since, counted;		/* s */
	double messages, recipients;	/* as they were then */
	int64_t turn;			/* which hour `now` is of */
	struct field_set clients[2], senders[2];	/* now, before */
};

struct campaigns {
	struct keyed_table *bands, *texts;
	unsigned entries;
};

static const struct keyed_shape bands_shape = { "GHbands", LAYOUT,
    sizeof(uint64_t), 0 };
static const struct keyed_shape texts_shape = { "GHtexts", LAYOUT,
    sizeof(struct entry), 0 };

enum rc
campaign_open(const char *dir, unsigned entries, struct campaigns *before,
    struct campaigns **c_r, const char **anew_r, struct arena *a,
    struct slice *why_r)
{
	struct keyed_shape bands = bands_shape, texts = texts_shape;
	struct campaigns *c = mem_alloc(sizeof *c);
	const char *anew[2] = { NULL, NULL };
	enum rc rc = RC_OK;

	*c = (struct campaigns){ .entries = before != NULL ? before->entries :
	    entries };
	*anew_r = NULL;
	bands.entries = entries * SKETCH_BANDS;
	texts.entries = entries;
	if (before != NULL) {
		c->bands = keyed_hold(before->bands);
		c->texts = keyed_hold(before->texts);
	} else {
		rc = keyed_open(arena_printf(a, "%s/bands", dir).ptr, &bands,
		    &c->bands, &anew[0], a, why_r);
		if (rc == RC_OK)
			rc = keyed_open(arena_printf(a, "%s/campaigns",
			    dir).ptr, &texts, &c->texts, &anew[1], a, why_r);
		*anew_r = anew[0] != NULL ? anew[0] : anew[1];
	}
	if (rc != RC_OK) {
		campaign_drop(c);
		c = NULL;
	}
	*c_r = c;
	return rc;
}

void
campaign_drop(struct campaigns *c)
{
	if (c == NULL)
		return;
	keyed_drop(c->bands);
	keyed_drop(c->texts);
	free(c);
}

unsigned
campaign_entries(const struct campaigns *c)
{
	return c->entries;
}

/* ---- of one text ---- */

static uint64_t
band_key(const struct campaigns *c, const struct sketch *s, unsigned band)
{
	uint64_t number = sketch_band(s, band);
	struct slice part = slice_make(&number, sizeof number);

	return keyed_hash(c->bands, &part, 1);
}

/* The text that is most like it; its key, 0: none is the same. */
static uint64_t
find(struct campaigns *c, const struct sketch *s, unsigned *alike_r)
{
	uint64_t best = 0;

	*alike_r = SKETCH_SAME - 1;
	for (unsigned i = 0; i < SKETCH_BANDS; i++) {
		const uint64_t *key = keyed_find(c->bands, band_key(c, s, i));
		const struct entry *e = key != NULL && *key != best ?
		    keyed_find(c->texts, *key) : NULL;
		unsigned alike = e != NULL ? sketch_alike(&e->sketch, s) : 0;

		if (alike > *alike_r) {
			*alike_r = alike;
			best = *key;
		}
	}
	return best;
}

/* Its bands lead to that text from now on. */
static void
lead(struct campaigns *c, const struct sketch *s, uint64_t to, int64_t now)
{
	for (unsigned i = 0; i < SKETCH_BANDS; i++) {
		uint64_t *key = keyed_touch(c->bands, band_key(c, s, i), now,
		    NULL);

		*key = to;
	}
}

static void
turn(struct entry *e, int64_t now)
{
	int64_t hour = now / CAMPAIGN_TURN;
	const struct field_set none = { { 0 } };

	if (e->turn == hour)
		return;
	e->clients[1] = hour == e->turn + 1 ? e->clients[0] : none;
	e->senders[1] = hour == e->turn + 1 ? e->senders[0] : none;
	e->clients[0] = e->senders[0] = none;
	e->turn = hour;
}

/* What is left of the counts; a file may hold any numbers. */
static double
left(double count, int64_t then, int64_t now)
{
	double age = now > then ? (double)(now - then) : 0;
	double now_left = count * exp2(-age / CAMPAIGN_HALF);

	return isfinite(now_left) && now_left > 0 ? now_left : 0;
}

static void
put(struct field_set *set, uint64_t hash)
{
	unsigned bit = (unsigned)(hash % FIELD_BITS);

	set->bits[bit / 64] |= UINT64_C(1) << bit % 64;
}

/* How many there are behind so many bits (linear counting). */
static unsigned
size_of(const struct field_set sets[2])
{
	double unset = FIELD_BITS;

	for (size_t i = 0; i < FIELD_BITS / 64; i++)
		unset -= __builtin_popcountll(sets[0].bits[i] |
		    sets[1].bits[i]);
	if (unset < 1)
		unset = 1;
	return (unsigned)lround(-FIELD_BITS * log(unset / FIELD_BITS));
}

static void
view(const struct entry *e, int64_t now, unsigned alike,
    struct campaign_seen *seen_r)
{
	struct entry turned = *e;

	turn(&turned, now);
	*seen_r = (struct campaign_seen){
		.messages = left(e->messages, e->counted, now),
		.recipients = left(e->recipients, e->counted, now),
		.clients = size_of(turned.clients),
		.senders = size_of(turned.senders),
		.alike = alike, .since = e->since,
	};
}

/* A text's entry, made where there is none. */
static struct entry *
entry_of(struct campaigns *c, const struct sketch *s, int64_t now,
    unsigned *alike_r)
{
	struct slice part = slice_make(s, sizeof *s);
	uint64_t key = find(c, s, alike_r);
	struct entry *e;
	bool fresh;

	if (key == 0)
		key = keyed_hash(c->texts, &part, 1);
	e = keyed_touch(c->texts, key, now, &fresh);
	if (fresh) {
		e->sketch = *s;
		e->since = e->counted = now;
		*alike_r = SKETCH_BINS;
	}
	lead(c, s, key, now);
	return e;
}

static void
lock(struct campaigns *c)
{
	keyed_lock(c->bands);
	keyed_lock(c->texts);
}

static void
unlock(struct campaigns *c)
{
	keyed_unlock(c->texts);
	keyed_unlock(c->bands);
}

static uint64_t
hash_of(const struct campaigns *c, const char *what, struct slice name)
{
	const struct slice parts[] = { slice_of(what), name };

	return keyed_hash(c->texts, parts, 2);
}

void
campaign_count(struct campaigns *c, const struct sketch *s,
    const struct campaign_by *by, struct campaign_seen *seen_r)
{
	uint64_t client = hash_of(c, "client", by->client);
	uint64_t sender = hash_of(c, "sender", by->sender);
	struct entry *e;
	unsigned alike;

	lock(c);
	e = entry_of(c, s, by->now, &alike);
	e->messages = left(e->messages, e->counted, by->now) + 1;
	e->recipients = left(e->recipients, e->counted, by->now) +
	    by->recipients;
	if (by->now > e->counted)
		e->counted = by->now;
	turn(e, by->now);
	put(&e->clients[0], client);
	put(&e->senders[0], sender);
	view(e, by->now, alike, seen_r);
	unlock(c);
}

bool
campaign_look(struct campaigns *c, const struct sketch *s, int64_t now,
    struct campaign_seen *seen_r)
{
	const struct entry *e = NULL;
	unsigned alike;
	uint64_t key;

	lock(c);
	key = find(c, s, &alike);
	if (key != 0)
		e = keyed_find(c->texts, key);
	if (e != NULL)
		view(e, now, alike, seen_r);
	unlock(c);
	return e != NULL;
}
