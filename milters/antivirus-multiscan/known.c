#include "known.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { SETS = 64 };

/* One container; the text of all paths stands behind the entries. */
struct box {
	struct box *next;		/* used longer ago */
	struct known_key key;
	size_t size, n;
	struct known_entry entries[];
};

struct set {
	pthread_mutex_t lock;
	struct box *first;		/* used last */
	size_t size;			/* of all boxes */
};

struct known {
	size_t room;			/* of one set */
	struct set sets[SETS];
};

struct known *
known_new(size_t bytes)
{
	struct known *k;

	if (bytes == 0)
		return NULL;
	k = mem_alloc(sizeof *k);
	k->room = bytes / SETS;
	for (int i = 0; i < SETS; i++)
		pthread_mutex_init(&k->sets[i].lock, NULL);
	return k;
}

static struct set *
set_of(struct known *k, const struct known_key *key)
{
	return &k->sets[key->hash[0] % SETS];
}

/* The lock is held. Out of the list, or NULL. */
static struct box *
take(struct set *set, const struct known_key *key)
{
	for (struct box **at = &set->first; *at != NULL; at = &(*at)->next) {
		struct box *b = *at;

		if (memcmp(&b->key, key, sizeof *key) != 0)
			continue;
		*at = b->next;
		set->size -= b->size;
		return b;
	}
	return NULL;
}

/* The lock is held. In front; the oldest make room. */
static void
put(struct set *set, struct box *b, size_t room)
{
	struct box **at = &set->first;
	size_t sum = 0;

	b->next = set->first;
	set->first = b;
	while (*at != NULL && sum + (*at)->size <= room) {
		sum += (*at)->size;
		at = &(*at)->next;
	}
	set->size = sum;
	while (*at != NULL) {
		struct box *old = *at;

		*at = old->next;
		free(old);
	}
}

bool
known_get(struct known *k, const struct known_key *key, struct arena *a,
    struct known_entry **entries_r, size_t *n_r)
{
	struct set *set;
	struct box *b;

	if (k == NULL)
		return false;
	set = set_of(k, key);
	pthread_mutex_lock(&set->lock);
	b = take(set, key);
	if (b != NULL) {
		put(set, b, k->room);
		*n_r = b->n;
		*entries_r = arena_array(a, b->n, sizeof **entries_r);
		memcpy(*entries_r, b->entries, b->n * sizeof **entries_r);
		for (size_t i = 0; i < b->n; i++)
			(*entries_r)[i].path = arena_copy(a,
			    b->entries[i].path);
	}
	pthread_mutex_unlock(&set->lock);
	return b != NULL;
}

static bool
lasting(enum unpack_why why)
{
	return why != UNPACK_DAMAGED;
}

static struct box *
box_of(const struct known_key *key, const struct known_entry *entries,
    size_t n, size_t size)
{
	struct box *b = mem_alloc(size);
	char *text = (char *)&b->entries[n];

	b->key = *key;
	b->size = size;
	b->n = n;
	for (size_t i = 0; i < n; i++) {
		struct slice path = entries[i].path;

		b->entries[i] = entries[i];
		if (path.len > 0)
			memcpy(text, path.ptr, path.len);
		b->entries[i].path = slice_make(text, path.len);
		text += path.len;
	}
	return b;
}

void
known_put(struct known *k, const struct known_key *key,
    const struct known_entry *entries, size_t n)
{
	size_t size = sizeof (struct box) + n * sizeof *entries;
	struct set *set;
	struct box *b;

	if (k == NULL)
		return;
	for (size_t i = 0; i < n; i++) {
		if (!lasting(entries[i].why))
			return;
		size += entries[i].path.len;
	}
	/* One that would put all others of its set out is not kept. */
	if (size > k->room / 2)
		return;
	b = box_of(key, entries, n, size);
	set = set_of(k, key);
	pthread_mutex_lock(&set->lock);
	free(take(set, key));
	put(set, b, k->room);
	pthread_mutex_unlock(&set->lock);
}

void
known_free(struct known *k)
{
	if (k == NULL)
		return;
	for (int i = 0; i < SETS; i++) {
		struct box *next;

		for (struct box *b = k->sets[i].first; b != NULL; b = next) {
			next = b->next;
			free(b);
		}
		pthread_mutex_destroy(&k->sets[i].lock);
	}
	free(k);
}
