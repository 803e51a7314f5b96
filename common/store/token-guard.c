/* Who tried too many wrong tokens. */
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "store/token.h"

enum { PEER_MAX = 320 };

struct peer {
	char name[PEER_MAX];
	size_t len;			/* 0: nobody */
	int64_t since;			/* the first wrong one of this window */
	unsigned wrong;
};

struct token_guard {
	struct map *by_name;
	struct peer peers[TOKEN_PEERS];
	size_t count;
};

static struct slice
name_of(const struct peer *p)
{
	return slice_make(p->name, p->len);
}

struct token_guard *
guard_new(void)
{
	struct token_guard *g = mem_alloc(sizeof *g);

	memset(g, 0, sizeof *g);
	g->by_name = map_new();
	return g;
}

/* The window is over, or the clock was set back before it began. */
static bool
is_over(const struct peer *p, int64_t now)
{
	return now >= p->since + TOKEN_WINDOW || now < p->since;
}

bool
guard_open(struct token_guard *g, struct slice peer, int64_t now)
{
	const struct peer *p = map_get(g->by_name,
	    slice_sub(peer, 0, PEER_MAX));

	return p == NULL || p->wrong < TOKEN_TRIES || is_over(p, now);
}

static struct peer *
oldest(struct token_guard *g)
{
	struct peer *old = &g->peers[0];

	for (size_t i = 1; i < TOKEN_PEERS; i++)
		if (g->peers[i].since < old->since)
			old = &g->peers[i];
	map_remove(g->by_name, name_of(old));
	return old;
}

static struct peer *
peer_new(struct token_guard *g, struct slice name, int64_t now)
{
	struct peer *p = g->count < TOKEN_PEERS ? &g->peers[g->count++] :
	    oldest(g);

	memcpy(p->name, name.ptr, name.len);
	p->len = name.len;
	p->since = now;
	p->wrong = 0;
	map_put(g->by_name, name, p);
	return p;
}

bool
guard_wrong(struct token_guard *g, struct slice peer, int64_t now)
{
	struct slice name = slice_sub(peer, 0, PEER_MAX);
	struct peer *p = map_get(g->by_name, name);

	if (p == NULL)
		p = peer_new(g, name, now);
	if (is_over(p, now)) {
		p->since = now;
		p->wrong = 0;
	}
	return ++p->wrong == TOKEN_TRIES;
}

void
guard_right(struct token_guard *g, struct slice peer)
{
	struct peer *p = map_get(g->by_name, slice_sub(peer, 0, PEER_MAX));

	/* The place stays taken, by somebody with nothing against him. */
	if (p != NULL)
		p->wrong = 0;
}

void
guard_free(struct token_guard *g)
{
	if (g == NULL)
		return;
	map_free(g->by_name);
	free(g);
}
