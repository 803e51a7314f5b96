#include "base/map.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/sip.h"

struct entry {
	struct entry *next;
	uint64_t hash;
	void *value;
	size_t len;
	char key[];
};

struct map {
	uint64_t secret[2];
	struct entry **slots;
	size_t nslots, count;
};

struct map *
map_new(void)
{
	struct map *m = mem_alloc(sizeof *m);

	sip_secret(m->secret);
	m->nslots = 64;
	m->slots = mem_alloc(m->nslots * sizeof(struct entry *));
	return m;
}

/* The place that points to the entry, or to NULL where it would stand. */
static struct entry **
place_of(const struct map *m, struct slice key, uint64_t hash)
{
	struct entry **at = &m->slots[hash & (m->nslots - 1)];

	while (*at != NULL && ((*at)->hash != hash ||
	    !slice_eq(slice_make((*at)->key, (*at)->len), key)))
		at = &(*at)->next;
	return at;
}

static void
grow(struct map *m)
{
	size_t nslots = m->nslots * 2;
	struct entry **slots = mem_alloc(nslots * sizeof *slots);

	for (size_t i = 0; i < m->nslots; i++) {
		struct entry *e = m->slots[i];

		while (e != NULL) {
			struct entry *next = e->next;
			struct entry **at = &slots[e->hash & (nslots - 1)];

			e->next = *at;
			*at = e;
			e = next;
		}
	}
	free(m->slots);
	m->slots = slots;
	m->nslots = nslots;
}

void *
map_get(const struct map *m, struct slice key)
{
	struct entry *e = *place_of(m, key, sip_hash(m->secret, key));

	return e != NULL ? e->value : NULL;
}

void *
map_put(struct map *m, struct slice key, void *value)
{
	uint64_t hash = sip_hash(m->secret, key);
	struct entry **at = place_of(m, key, hash);
	void *was = NULL;

	if (*at != NULL) {
		was = (*at)->value;
		(*at)->value = value;
		return was;
	}
	*at = mem_alloc(sizeof **at + key.len);
	(*at)->hash = hash;
	(*at)->value = value;
	(*at)->len = key.len;
	if (key.len > 0)
		memcpy((*at)->key, key.ptr, key.len);
	if (++m->count > m->nslots)
		grow(m);
	return NULL;
}

static void *
unlink_entry(struct map *m, struct entry **at)
{
	struct entry *e = *at;
	void *was = e->value;

	*at = e->next;
	free(e);
	m->count--;
	return was;
}

void *
map_remove(struct map *m, struct slice key)
{
	struct entry **at = place_of(m, key, sip_hash(m->secret, key));

	return *at != NULL ? unlink_entry(m, at) : NULL;
}

size_t
map_count(const struct map *m)
{
	return m->count;
}

void
map_each(struct map *m,
    bool (*visit)(struct slice key, void *value, void *arg), void *arg)
{
	for (size_t i = 0; i < m->nslots; i++) {
		struct entry **at = &m->slots[i];

		while (*at != NULL) {
			struct entry *e = *at;

			if (visit(slice_make(e->key, e->len), e->value, arg))
				at = &e->next;
			else
				unlink_entry(m, at);
		}
	}
}

void
map_free(struct map *m)
{
	if (m == NULL)
		return;
	for (size_t i = 0; i < m->nslots; i++)
		while (m->slots[i] != NULL)
			unlink_entry(m, &m->slots[i]);
	free(m->slots);
	free(m);
}
