#include "services/spamcheck/rate.h"

#include <string.h>

#include "base/sip.h"

void
rate_init(struct rate *r)
{
	memset(r, 0, sizeof *r);
	sip_secret(r->secret);
}

/* His place, or NULL. */
static struct rate_slot *
find(struct rate *r, uint64_t who)
{
	for (unsigned i = 0; i < RATE_PROBE; i++) {
		struct rate_slot *s = &r->slots[(who + i) % RATE_SLOTS];

		if (s->since != 0 && s->who == who)
			return s;
	}
	return NULL;
}

static bool
over(const struct rate_slot *s, int64_t now)
{
	return s->since == 0 || now - s->since >= RATE_MS;
}

static struct rate_slot *
place(struct rate *r, uint64_t who, int64_t now)
{
	struct rate_slot *best = &r->slots[who % RATE_SLOTS];

	for (unsigned i = 1; i < RATE_PROBE && !over(best, now); i++) {
		struct rate_slot *s = &r->slots[(who + i) % RATE_SLOTS];

		if (over(s, now) || s->count < best->count)
			best = s;
	}
	return best;
}

bool
rate_take(struct rate *r, struct slice sender, unsigned most, int64_t now)
{
	uint64_t who = sip_hash(r->secret, sender);
	struct rate_slot *s = find(r, who);

	if (most == 0)
		return true;
	if (s == NULL)
		s = place(r, who, now);
	if (s->who != who || over(s, now))
		*s = (struct rate_slot){ who, now, 0 };
	if (s->count >= most)
		return false;
	s->count++;
	return true;
}

void
rate_back(struct rate *r, struct slice sender)
{
	struct rate_slot *s = find(r, sip_hash(r->secret, sender));

	if (s != NULL && s->count > 0)
		s->count--;
}
