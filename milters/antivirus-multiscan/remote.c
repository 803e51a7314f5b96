#include "remote.h"

#include <openssl/evp.h>
#include <string.h>

enum { ALIVE_MS = 2000, STRIKES = 3 };

deadline_t
remote_deadline(int64_t timeout, deadline_t until)
{
	/* Of a short deadline half is kept, of a long one two seconds. */
	int64_t left = deadline_left(until);
	int64_t spare = left / 2 < ALIVE_MS ? left / 2 : ALIVE_MS;

	return deadline_earlier(deadline_in(timeout), until - spare);
}

/* ---- items that end engines ---- */

static bool
hash_of(const struct scan_item *item, unsigned char hash[32])
{
	return EVP_Digest(item->bytes.ptr, item->bytes.len, hash, NULL,
	    EVP_sha256(), NULL) == 1;
}

/* The lock is held. NULL: nothing is known of it. */
static struct engine_blame *
find_blame(struct engine *e, const struct scan_item *item,
    const unsigned char hash[32])
{
	for (size_t i = 0; i < ENGINE_BLAMES; i++)
		if (e->blames[i].strikes > 0 &&
		    e->blames[i].len == item->bytes.len &&
		    memcmp(e->blames[i].hash, hash, 32) == 0)
			return &e->blames[i];
	return NULL;
}

static bool
ended_it(unsigned strikes, struct scan *scan_r)
{
	if (strikes < STRIKES)
		return false;
	*scan_r = (struct scan){ .end = SCAN_CRASHED,
	    .text = SLICE("it hung up on that again and again") };
	return true;
}

bool
remote_blamed(struct engine *e, const struct scan_item *item,
    struct scan *scan_r)
{
	const struct engine_blame *b;
	unsigned char hash[32];
	unsigned strikes = 0;
	bool any;

	/* Nearly always nothing is blamed, and nothing has to be hashed. */
	pthread_mutex_lock(&e->lock);
	any = e->blamed > 0;
	pthread_mutex_unlock(&e->lock);
	if (!any || !hash_of(item, hash))
		return false;
	pthread_mutex_lock(&e->lock);
	b = find_blame(e, item, hash);
	strikes = b != NULL ? b->strikes : 0;
	pthread_mutex_unlock(&e->lock);
	return ended_it(strikes, scan_r);
}

/* One strike more; the oldest makes room. */
static unsigned
blame(struct engine *e, const struct scan_item *item)
{
	struct engine_blame *b;
	unsigned char hash[32];
	unsigned strikes;

	if (!hash_of(item, hash))
		return 0;
	pthread_mutex_lock(&e->lock);
	b = find_blame(e, item, hash);
	if (b == NULL) {
		b = &e->blames[e->blamed++ % ENGINE_BLAMES];
		b->strikes = 0;
		b->len = item->bytes.len;
		memcpy(b->hash, hash, sizeof hash);
	}
	strikes = ++b->strikes;
	pthread_mutex_unlock(&e->lock);
	return strikes;
}

/* ---- no answer ---- */

void
remote_silence(struct engine *e, const struct scan_item *item,
    bool (*alive)(struct engine *e, deadline_t until, struct arena *a),
    deadline_t mine, deadline_t until, struct arena *a, struct slice why,
    struct scan *scan_r)
{
	*scan_r = (struct scan){ .end = SCAN_DOWN, .text = why };
	if (deadline_left(mine) > 0) {
		ended_it(blame(e, item), scan_r);
		return;
	}
	if (alive(e, deadline_earlier(until, deadline_in(ALIVE_MS)), a))
		*scan_r = (struct scan){ .end = SCAN_TIMEOUT,
		    .text = SLICE("it took too long") };
}

uint64_t
remote_hash(struct slice text)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < text.len; i++)
		h = (h ^ (unsigned char)text.ptr[i]) *
		    UINT64_C(0x100000001b3);
	return h;
}
